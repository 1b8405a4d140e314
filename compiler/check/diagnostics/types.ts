/** Values of another type than the attribute takes. */
import { singleName, type Expression, type Range } from '../../../grammar/ast.ts';
import type { Details, Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import { printExpression } from '../../../grammar/print.ts';
import type { FieldType } from '../../kinds/kind.ts';
import { replace } from './edits.ts';
import { describeExpression, describeType } from './phrases.ts';

export const A119 = entry({
  code: 'A119',
  severity: 'error',
  title: 'a value of the wrong type',
  text: `
    The attribute takes another sort of value: a number instead of a string, a name instead of a number, and so on.`,
  bad: onLlama('prompt words on layers { length = "10" }'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

export const wrongType = (e: Expression, type: FieldType): Diagnostic =>
  A119.at(e.span, `expected ${describeType(type)}, not ${describeExpression(e)}`, written(e, meant(e, type)));

/** A file without its format. */
export const bareFile = (e: Expression, type: FieldType, format: string): Diagnostic =>
  A119.at(
    e.span,
    `expected ${describeType(type)}, not ${describeExpression(e)}`,
    written(e, `${format}(${printExpression(e)})`),
  );

const written = (e: Expression, text: string | null): Details =>
  text === null ? {} : { help: `write \`${text}\``, edits: replace(e.span, text) };

/** The same value as the type has it: without its quotes or its unit, in quotes, or in lower case. */
function meant(e: Expression, type: FieldType): string | null {
  const types = type.kind === 'any' ? type.of : [type];
  const takes = (kind: FieldType['kind']): boolean => types.some((t) => t.kind === kind);
  if (e.kind === 'range') return takes('list') ? listed(e) : null;
  if (e.kind === 'number') return e.unit !== null && takes('number') ? e.text : null;
  const word = e.kind === 'string' ? e.value : singleName(e)?.text;
  if (e.kind === 'string' && takes('number') && /^[0-9]+(\.[0-9]+)?$/.test(e.value)) return e.value;
  if (takes('boolean') && word !== undefined && /^(true|false)$/i.test(word)) return word.toLowerCase();
  if (e.kind === 'string' && types.some((t) => ownWords(t).includes(e.value))) return e.value;
  const [call, ...others] = types.flatMap(callsOfText);
  if (e.kind === 'string' && call !== undefined && others.length === 0)
    return `${call}(${printExpression(e)})`;
  return e.kind === 'path' && takes('string') ? JSON.stringify(printExpression(e)) : null;
}

/** `1..4` as the list of its numbers, when that is short. */
function listed({ from, to, by }: Range): string | null {
  const count = Math.floor((to.value - from.value) / (by?.value ?? 1)) + 1;
  if (!(count >= 1 && count <= 20)) return null;
  const numbers = Array.from({ length: count }, (_, i) => from.value + i * (by?.value ?? 1));
  return `[${numbers.join(', ')}]`;
}

/** Calls that a string alone makes complete: `clip("...")`. */
function callsOfText(type: FieldType): string[] {
  if (type.kind !== 'call') return [];
  return Object.entries(type.calls).flatMap(([name, rows]) => {
    const [first, ...rest] = Object.values(rows);
    return first?.type.kind === 'string' && rest.every((row) => row.default !== undefined) ? [name] : [];
  });
}

function ownWords(type: FieldType): readonly string[] {
  if (type.kind === 'choice') return type.choices;
  return type.kind === 'call' ? Object.keys(type.calls) : [];
}
