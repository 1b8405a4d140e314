/** Messages about attributes and their values. */
import {
  singleName,
  type Argument,
  type Expression,
  type Field,
  type Name,
  type NumberLiteral,
  type PartItem,
  type Range,
} from '../../../grammar/ast.ts';
import { error, warning, type Details, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { percentOf, printExpression } from '../../../grammar/print.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Field as FieldRow, FieldType, NumberType } from '../../kinds/kind.ts';
import { addField, remove, replace } from './edits.ts';
import { elsewhere } from './elsewhere.ts';
import { listOf, suggest } from './names.ts';

function describeBounds({ min, max, above, below }: NumberType): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  const bounds = [
    ...(min === undefined ? [] : [`of at least ${min}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(max === undefined ? [] : [`of at most ${max}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

/** A type in the user's words: "a whole number of at least 1, or `none`". */
export function describeType(type: FieldType): string {
  switch (type.kind) {
    case 'number':
      return `a ${type.integer === true ? 'whole ' : ''}number${describeBounds(type)}`;
    case 'boolean':
      return '`true` or `false`';
    case 'string':
      return 'a string';
    case 'name':
      return 'a name';
    case 'duration':
      return '`N steps`, `N epochs`, or `N%` of the run';
    case 'layers':
      return 'layers';
    case 'choice':
      return type.choices.map((c) => `\`${c}\``).join(' or ');
    case 'list':
      return `a list${type.length === undefined ? '' : ` of ${type.length}`}`;
    case 'call':
      return Object.keys(type.calls)
        .map((c) => `\`${c}(...)\``)
        .join(' or ');
    case 'any':
      return type.of.map(describeType).join(', or ');
  }
}

const article: Readonly<Record<Expression['kind'], string>> = {
  number: 'a number',
  string: 'a string',
  path: 'a name',
  call: 'a call',
  list: 'a list',
  range: 'a range of layers',
  edge: 'layers',
  every: 'a selector',
  binary: 'a sum',
  missing: 'nothing',
};

/** What an expression is, in the user's words. */
export const describeExpression = (e: Expression): string =>
  e.kind === 'number' && e.unit !== null
    ? `a number of ${e.unit.text}`
    : e.kind === 'list'
      ? `a list of ${e.items.length}`
      : article[e.kind];

export const wrongType = (e: Expression, type: FieldType): Diagnostic =>
  error(
    'A119',
    e.span,
    `expected ${describeType(type)}, not ${describeExpression(e)}`,
    written(e, meant(e, type)),
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

export function outOfRange(span: Span, text: string, type: FieldType): Diagnostic {
  const isShare = type.kind === 'number' && type.max === 1 && type.integer !== true;
  const percent = isShare && /^[0-9.]+$/.test(text) && Number(text) <= 100 ? `${text}%` : null;
  return error('A120', span, `${text} is out of range`, {
    label: `expected ${describeType(type)}`,
    ...(percent === null ? {} : { help: `did you mean \`${percent}\`?`, edits: replace(span, percent) }),
  });
}

/** Kernels compute with 32 bits, in which such a number is infinite. */
export const infinite = (e: NumberLiteral): Diagnostic =>
  error('A120', e.span, `${e.text} is out of range`, {
    label: 'infinite in 32 bits, which hold numbers up to 3.4e38',
  });

/** `comesTo`: what happens with a value of zero. */
export const learnsNothing = (span: Span, what: string, comesTo: string): Diagnostic =>
  warning('A305', span, `\`${what}\` is 0: ${comesTo}`);

/** As much as others write for a share of a run, or half a step. */
export function partOfAStep(e: NumberLiteral): Diagnostic {
  const percent = e.value < 1 && e.unit === null ? percentOf(e.value) : null;
  return error('A120', e.span, `${e.text} is no whole number of steps`, {
    ...(percent === null
      ? { help: 'write whole steps, or `epochs` behind it' }
      : { help: `a share of the run is written \`${percent}\``, edits: replace(e.span, percent) }),
  });
}

/** A file without its format. */
export const bareFile = (e: Expression, type: FieldType, format: string): Diagnostic =>
  error(
    'A119',
    e.span,
    `expected ${describeType(type)}, not ${describeExpression(e)}`,
    written(e, `${format}(${printExpression(e)})`),
  );

/** A model id in quotes. */
export function unknownModel(name: Name, known: readonly string[]): Diagnostic {
  const found = unknownChoice(name, known);
  const edits = found.fix?.edits.map((e) => ({ ...e, text: JSON.stringify(e.text) })) ?? [];
  return { ...found, ...(found.fix === undefined ? {} : { fix: { ...found.fix, edits } }) };
}

/** `call`: a choice that takes a name, which the word may be. */
export function unknownChoice(
  name: Name,
  choices: readonly string[],
  suffix = '',
  call?: string,
): Diagnostic {
  const known = choices.map((c) => c + suffix);
  const [only] = choices.length === 1 ? choices : [];
  const text = `${call}(${name.text})`;
  const other =
    call !== undefined
      ? { help: `did you mean \`${text}\`?`, edits: replace(name.span, text) }
      : { help: only && `write \`${only}\`, the only one` };
  const details = suggest(name, choices);
  return error('A122', name.span, `\`${name.text}\` is not one of the choices`, {
    ...(details.help === undefined ? other : details),
    notes: [`choices are ${listOf(known, 20)}`],
  });
}

/** `block`: all attributes that are written beside it. */
export const unknownAttribute = (
  field: Field,
  what: string,
  known: readonly string[],
  block: readonly Field[],
): Diagnostic =>
  error(
    'A117',
    field.name.span,
    `\`${what}\` has no attribute \`${field.name.text}\``,
    elsewhere(field, what, block) ?? suggest(field.name, known, 'attributes'),
  );

export function unknownArgument(argument: Argument, call: Name, known: readonly string[]): Diagnostic {
  if (argument.name === null) {
    const takes =
      known.length === 0 ? 'takes no more arguments' : `takes at most ${known.length}: ${listOf(known)}`;
    return error('A117', argument.span, `\`${call.text}\` has too many arguments`, { label: takes });
  }
  const { name } = argument;
  return error(
    'A117',
    name.span,
    `\`${call.text}\` has no argument \`${name.text}\``,
    suggest(name, known, 'arguments'),
  );
}

/** `none` stands for an attribute that was left out, so it is no way to give one that is needed. */
function withoutNone(type: FieldType): FieldType {
  const isNone = (t: FieldType): boolean =>
    t.kind === 'choice' && t.choices.length === 1 && t.choices[0] === 'none';
  return type.kind === 'any' ? { ...type, of: type.of.filter((t) => !isNone(t)) } : type;
}

/** What is usually written where an attribute has to be: the tokens of a prompt in the LLaMA-Adapter papers. */
const usual: Readonly<Record<string, string>> = { length: '10' };

/** `owner` is there when the attribute can be added to its line. */
export function missingAttribute(
  span: Span,
  what: string,
  key: string,
  row: FieldRow,
  owner?: PartItem,
): Diagnostic {
  const value = usual[key];
  const text = `${key} = ${value}`;
  return error('A118', span, `${what.startsWith('`') ? what : `\`${what}\``} needs \`${key}\``, {
    label: `${key} = ${describeType(withoutNone(row.type))}`,
    notes: [row.doc],
    ...(owner === undefined || value === undefined
      ? {}
      : { help: `write \`${text}\`, or another number`, edits: addField(owner, text) }),
  });
}

/** The later one stays: who adds a line means it. */
export const attributeTwice = (field: Field, first: Field): Diagnostic =>
  error('A121', field.name.span, `\`${field.name.text}\` is given twice`, {
    related: [{ span: first.name.span, label: 'first given here' }],
    help: 'take one of them away',
    edits: remove(first.span),
  });

export const badDimensions = (span: Span, message: string, why: string): Diagnostic =>
  error('A123', span, message, { notes: [why] });

/** An attribute as it was written, for labels. */
export const asWritten = (field: Field): string => `${field.name.text} = ${printExpression(field.value)}`;
