/** `where` of a sweep: whether a combination of values fulfils it. */
import { singleName, type Condition, type Expression, type Name } from '../../grammar/ast.ts';
import { printExpression } from '../../grammar/print.ts';
import type { BaseEnv } from './env.ts';
import { layersOf } from './layers.ts';
import { unknownName } from './diagnostics/params.ts';
import { namesIn } from './scope.ts';

/**
 * Whether the values of params in `env` fulfil a condition: two numbers are compared as numbers, two sets of layers as
 * sets, everything else as it is written. One that makes no sense with these values holds: the trial itself will say why.
 */
export function conditionHolds(env: BaseEnv, { operator, left, right }: Condition): boolean {
  const silent: BaseEnv = { ...env, report: () => undefined };
  const [a, b] = [resolve(env, left), resolve(env, right)];
  if (a.kind === 'missing' || b.kind === 'missing') return true;
  return equal(silent, a, b) === null || equal(silent, a, b) === (operator === '==');
}

/** Null when it cannot be told. */
function equal(env: BaseEnv, a: Expression, b: Expression): boolean | null {
  if (a.kind === 'number' && b.kind === 'number') return a.value === b.value && a.unit?.text === b.unit?.text;
  const [left, right] = [layersOf(env, a), layersOf(env, b)];
  if (left !== null && right !== null) return left.join(' ') === right.join(' ');
  if (isLayers(a) || isLayers(b)) return null;
  return printExpression(a) === printExpression(b);
}

/** What can mean nothing but layers. */
const isLayers = (e: Expression): boolean => ['binary', 'edge', 'range'].includes(e.kind);

/** The value of a param where the expression is its name. */
function resolve(env: BaseEnv, e: Expression): Expression {
  const name = singleName(e);
  const param = name === null ? undefined : env.scope.params.get(name.text);
  return param === undefined ? e : resolve(env, param.value);
}

/** Reports names that are neither params nor words of the language nor in any value of the sweep (`words`). */
export function reportCondition(env: BaseEnv, condition: Condition, words: ReadonlySet<string>): void {
  const known = ['all', 'none', 'layers', 'true', 'false', ...env.scope.params.keys()];
  const isKnown = (name: Name): boolean => known.includes(name.text) || words.has(name.text);
  for (const side of [condition.left, condition.right])
    for (const name of namesIn(side))
      if (!isKnown(name)) env.report(unknownName(name, [...known, ...words], 'value'));
}
