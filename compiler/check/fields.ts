/** A block of attributes against its table: unknown, repeated and missing ones, and the values of the rest. */
import type { Field } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import type { Field as FieldRow } from '../kinds/kind.ts';
import type { FieldValue } from '../model/model.ts';
import type { Values } from './checked.ts';
import type { Env } from './env.ts';
import { attributeTwice, missingAttribute, unknownAttribute } from './diagnostics/attributes.ts';
import { evaluate, warnOfZero } from './values.ts';

/** Reads a block. `what` is its owner in messages, such as `prompt` or `recipe`; `at` is where a missing one is reported. */
export function readFields(
  env: Env,
  fields: readonly Field[],
  table: Readonly<Record<string, FieldRow>>,
  what: string,
  at: Span,
): Values {
  const values: Record<string, FieldValue> = {};
  const written = new Map<string, Field>();
  /** What unknown attributes were probably meant to be: nobody misses those. */
  const meant = new Set<string>();
  let ok = true;
  for (const field of fields) {
    const key = field.name.text;
    if (key === '') continue;
    const first = written.get(key);
    const row = Object.hasOwn(table, key) ? table[key] : undefined;
    if (first !== undefined) {
      env.report(attributeTwice(field, first));
      ok = false;
    } else if (row === undefined) {
      const unknown = unknownAttribute(field, what, Object.keys(table), fields);
      env.report(unknown);
      unknown.fix?.edits.forEach((edit) => meant.add(edit.text));
      ok = false;
    } else {
      written.set(key, field);
      const value = evaluate(env, field.value, row.type);
      if (value === undefined) ok = false;
      else values[key] = value;
      warnOfZero(env, field.span, key, row, value);
    }
  }
  for (const [key, row] of Object.entries(table)) {
    if (written.has(key)) continue;
    if (row.default !== undefined) values[key] = row.default;
    else {
      if (!meant.has(key)) env.report(missingAttribute(at, `\`${what}\``, key, row));
      ok = false;
    }
  }
  return { values, written, ok };
}
