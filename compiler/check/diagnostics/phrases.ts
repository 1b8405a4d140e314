/** Types, expressions and lists of names in the user's words. */
import type { Expression, Field, Name } from '../../../grammar/ast.ts';
import type { Details } from '../../../grammar/diagnostic.ts';
import { printExpression } from '../../../grammar/print.ts';
import { nearest } from '../../../grammar/suggest.ts';
import type { FieldType, NumberType } from '../../kinds/kind.ts';
import { aliasNotes, aliasOf } from '../aliases.ts';
import { replace } from './edits.ts';

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

/** An attribute as it was written, for labels. */
export const asWritten = (field: Field): string => `${field.name.text} = ${printExpression(field.value)}`;

/** `a part`, `an encoder`. */
export const one = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

/** `a`, `b` and `c`. */
export function listOf(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map((n) => `\`${n}\``);
  if (names.length > most) return `${shown.join(', ')} and ${names.length - most} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** "did you mean", with the edit, for a name from elsewhere or a close candidate; otherwise the candidates as a note. */
export function suggest(name: Name, candidates: readonly string[], what = 'known'): Details {
  const alias = aliasOf(name.text, candidates);
  const near = alias?.ours ?? nearest(name.text, candidates);
  if (near !== undefined)
    return {
      help: `did you mean \`${near}\`?`,
      edits: replace(name.span, near),
      notes: alias === undefined ? [] : aliasNotes(name.text, alias),
    };
  return candidates.length === 0 ? {} : { notes: [`${what} are ${listOf(candidates)}`] };
}
