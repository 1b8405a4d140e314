/** Whether the sizes of a part fit together, fit what it reads from, and fit the base. */
import type { Field } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import type { Kind, Problem, Unchecked } from '../kinds/kind.ts';
import type { Part } from '../model/model.ts';
import { printValue } from '../model/values.ts';
import { badDimensions } from './diagnostics/values.ts';
import type { BaseEnv } from './env.ts';
import { layersOf } from './layers.ts';

/** A part before it is one: its attributes with what it takes over, and where they were written. */
export interface Sized extends Unchecked {
  readonly written: ReadonlyMap<string, Field>;
  readonly span: Span;
}

/** False after a report. `gives` is what the source hands on: its tokens and their width, or its length. */
export function checkSizes(
  env: BaseEnv,
  kind: Kind,
  part: Sized,
  source: Part | null,
  gives: Part['fields'],
): boolean {
  const problems = [
    ...(source === null ? [] : disagreements(part, source, gives)),
    ...(kind.check?.(part, source, env.base) ?? []),
  ];
  for (const problem of problems) report(env, part, problem);
  return problems.length === 0;
}

function report(env: BaseEnv, part: Sized, [key, message, why]: Problem): void {
  env.report(badDimensions(part.written.get(key)?.value.span ?? part.span, message, why));
}

/**
 * The attributes that choose layers of a part's own network, ascending, where any were asked for. They are written as
 * layers of the base are. Null after a report.
 */
export function ownLayers(env: BaseEnv, kind: Kind, part: Sized): Record<string, readonly number[]> | null {
  const chosen: Record<string, readonly number[]> = {};
  for (const [key, { type }] of Object.entries(kind.fields)) {
    const value = part.written.get(key)?.value;
    if (type.kind !== 'layers' || value === undefined) continue;
    const layers = kind.ownLayers?.(part) ?? null;
    if (layers === null) continue;
    if (typeof layers !== 'number') {
      report(env, part, layers);
      return null;
    }
    const found = layersOf({ ...env, base: { ...env.base, name: part.name, layers } }, value);
    if (found === null) return null;
    if (found.length > 0) chosen[key] = found;
  }
  return chosen;
}

/** Sizes that were written although the source says them, and says otherwise. */
function disagreements({ written, fields, name }: Unchecked, source: Part, gives: Part['fields']): Problem[] {
  return Object.entries(gives).flatMap(([key, given]) =>
    !written.has(key) || given === null || fields[key] === given
      ? []
      : [
          [
            key,
            `\`${name}\` reads \`${key} = ${printValue(fields[key] ?? null)}\`, \`${source.name}\` gives ${printValue(given)}`,
            `take \`${key}\` away: it follows from \`${source.name}\``,
          ] as const,
        ],
  );
}
