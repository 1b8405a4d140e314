/** Sweeps: that they vary what exists, and which combinations they try. Running them is not the compiler's work. */
import type { Expression, Field, SweepDeclaration } from '../../grammar/ast.ts';
import { singleName } from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { printExpression } from '../../grammar/print.ts';
import {
  type AxisValue,
  type Measure,
  measures,
  paramsOf,
  type Sweep,
  type SweepAxis,
} from '../model/sweep.ts';
import { conditionHolds, reportCondition } from './conditions.ts';
import type { BaseEnv } from './env.ts';
import { layersOf } from './layers.ts';
import { attributeTwice } from './diagnostics/attributes.ts';
import { badSwept, noTrials, tooManyTrials, unknownSwept } from './diagnostics/sweeps.ts';
import { wrongType } from './diagnostics/types.ts';
import { unknownChoice } from './diagnostics/values.ts';
import { namesIn, withValues } from './scope.ts';
import { evaluate } from './values.ts';

/** More combinations than anybody runs; each is looked at whenever the spec is checked. */
const MOST = 10_000;
/** Combinations in which a value is tried before it is called wrong. */
const TRIED = 20;

/** Errors of the spec with other values of params. */
export type CheckWith = (params: Readonly<Record<string, string>>) => readonly Diagnostic[];

/** An axis with the values as they were written. */
interface WrittenAxis extends SweepAxis {
  readonly items: readonly Expression[];
}

/**
 * The sweep over an adapter that stands on `env.base`, or null after reporting why there is none. Without `checkWith` its
 * values are not tried.
 */
export function readSweep(env: BaseEnv, sweep: SweepDeclaration, checkWith: CheckWith | null): Sweep | null {
  let ok = true;
  const own: BaseEnv = { ...env, report: (d) => ((ok = false), env.report(d)) };
  const lists = readLists(own, sweep);
  const axes = [...lists].flatMap(([name, items]): WrittenAxis[] =>
    name !== 'seed' && name !== 'measure'
      ? [{ param: name, items, values: items.map((item) => valueOf(env, item)) }]
      : [],
  );
  const seeds = (lists.get('seed') ?? []).map((item) =>
    evaluate(own, item, { kind: 'number', integer: true, min: 0 }),
  );
  const measure = readMeasures(own, lists.get('measure'));
  const combinations = combine(own, sweep, axes);
  const made: Sweep = {
    name: sweep.name.text,
    doc: sweep.doc,
    adapter: sweep.adapter.text,
    recipe: sweep.recipe.text,
    axes: axes.map(({ param, values }) => ({ param, values })),
    combinations,
    seeds: [...new Set(seeds.filter((seed) => typeof seed === 'number'))],
    measure,
    span: sweep.span,
  };
  if (checkWith !== null) axes.forEach((axis, i) => checkValues(own, made, axis, i, checkWith));
  return ok ? made : null;
}

/** The lists of a sweep by name, those that can be made sense of. */
function readLists(env: BaseEnv, sweep: SweepDeclaration): Map<string, readonly Expression[]> {
  const seen = new Map<string, Field>();
  const lists = new Map<string, readonly Expression[]>();
  for (const field of sweep.fields) {
    const name = field.name.text;
    const first = seen.get(name);
    if (first !== undefined) env.report(attributeTwice(field, first));
    seen.set(name, field);
    if (field.value.kind === 'missing' || first !== undefined) continue;
    if (field.value.kind !== 'list')
      env.report(wrongType(field.value, { kind: 'list', of: { kind: 'number' } }));
    else if (name !== 'seed' && name !== 'measure' && !env.scope.params.has(name))
      env.report(unknownSwept(field.name, ['seed', 'measure', ...env.scope.params.keys()]));
    else if (field.value.items.length === 0)
      env.report(noTrials(field.value.span, `\`${name}\` has no values`));
    else lists.set(name, field.value.items);
  }
  return lists;
}

/** All of them where none are asked for. */
function readMeasures(env: BaseEnv, items: readonly Expression[] = []): Measure[] {
  const wanted = new Set<string>();
  for (const item of items) {
    const name = singleName(item);
    if (name === null) env.report(wrongType(item, { kind: 'choice', choices: measures }));
    else if (!(measures as readonly string[]).includes(name.text)) env.report(unknownChoice(name, measures));
    else wanted.add(name.text);
  }
  return measures.filter((measure) => wanted.size === 0 || wanted.has(measure));
}

function valueOf(env: BaseEnv, item: Expression): AxisValue {
  const layers = layersOf({ ...env, report: () => undefined }, item);
  const number = item.kind === 'number' && item.unit === null ? item.value : null;
  return { text: printExpression(item), number, layers };
}

/** Every combination that fulfils the conditions, the first axis varying slowest. */
function combine(env: BaseEnv, sweep: SweepDeclaration, axes: readonly WrittenAxis[]): number[][] {
  const count = axes.reduce((product, { items }) => product * items.length, 1);
  if (count > MOST) {
    env.report(tooManyTrials(sweep.name, count, MOST));
    return [];
  }
  let all: number[][] = [[]];
  for (const { items } of axes) all = all.flatMap((chosen) => items.map((_, i) => [...chosen, i]));
  const within = (chosen: readonly number[]): BaseEnv => ({
    ...env,
    scope: withValues(
      env.scope,
      new Map(
        axes.flatMap(({ param, items }, a) => {
          const item = items[chosen[a] ?? 0];
          return item === undefined ? [] : [[param, item] as const];
        }),
      ),
    ),
  });
  const words = new Set(
    axes.flatMap(({ items }) => items.flatMap((item) => namesIn(item).map((name) => name.text))),
  );
  for (const condition of sweep.conditions) reportCondition(within(all[0] ?? []), condition, words);
  if (sweep.conditions.length === 0) return all;
  const good = all.filter((chosen) => {
    const inside = within(chosen);
    return sweep.conditions.every((condition) => conditionHolds(inside, condition));
  });
  if (good.length === 0) env.report(noTrials(sweep.name.span, 'no combination fulfils every `where`'));
  return good;
}

/** A value that makes no sense in any combination is a mistake of the sweep; one that does not fit some is a failed trial. */
function checkValues(
  env: BaseEnv,
  sweep: Sweep,
  axis: WrittenAxis,
  index: number,
  checkWith: CheckWith,
): void {
  axis.items.forEach((item, value) => {
    let first: Diagnostic | undefined;
    let tried = 0;
    for (const [combination, chosen] of sweep.combinations.entries()) {
      if (chosen[index] !== value) continue;
      const found = checkWith(paramsOf(sweep, combination)).find(isOf(axis.param));
      if (found === undefined) return;
      first ??= found;
      if (++tried === TRIED) break;
    }
    if (first !== undefined) env.report(badSwept(first, item.span));
  });
}

/** Errors in the value of a param, or of a param that leads back to itself through it. */
const isOf =
  (param: string) =>
  ({ span, code }: Diagnostic): boolean =>
    span.file === `--set ${param}` || code === 'A116';
