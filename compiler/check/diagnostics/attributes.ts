/** Attributes: unknown, missing or given twice. */
import type { Argument, Field, Name, PartItem } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Field as FieldRow, FieldType } from '../../kinds/kind.ts';
import { addField, remove } from './edits.ts';
import { elsewhere } from './elsewhere.ts';
import { describeType, listOf, suggest } from './phrases.ts';

export const A117 = entry({
  code: 'A117',
  severity: 'error',
  title: 'unknown attribute',
  text: `
    Every kind of part, and every base, task, expert, recipe and call, has a table of what may be written in it. The
    reference lists them.`,
  bad: onLlama('prompt words on layers { lenght = 10  length = 10 }'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

/** `block`: all attributes that are written beside it. */
export const unknownAttribute = (
  field: Field,
  what: string,
  known: readonly string[],
  block: readonly Field[],
): Diagnostic =>
  A117.at(
    field.name.span,
    `\`${what}\` has no attribute \`${field.name.text}\``,
    elsewhere(field, what, block) ?? suggest(field.name, known, 'attributes'),
  );

export function unknownArgument(argument: Argument, call: Name, known: readonly string[]): Diagnostic {
  if (argument.name === null) {
    const takes =
      known.length === 0 ? 'takes no more arguments' : `takes at most ${known.length}: ${listOf(known)}`;
    return A117.at(argument.span, `\`${call.text}\` has too many arguments`, { label: takes });
  }
  const { name } = argument;
  return A117.at(
    name.span,
    `\`${call.text}\` has no argument \`${name.text}\``,
    suggest(name, known, 'arguments'),
  );
}

export const A118 = entry({
  code: 'A118',
  severity: 'error',
  title: 'a missing attribute',
  text: `
    Most attributes have a value that is used when they are not written; this one has none that would suit everybody.`,
  bad: onLlama('prompt words on layers'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

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
  return A118.at(span, `${what.startsWith('`') ? what : `\`${what}\``} needs \`${key}\``, {
    label: `${key} = ${describeType(withoutNone(row.type))}`,
    notes: [row.doc],
    ...(owner === undefined || value === undefined
      ? {}
      : { help: `write \`${text}\`, or another number`, edits: addField(owner, text) }),
  });
}

export const A121 = entry({
  code: 'A121',
  severity: 'error',
  title: 'an attribute given twice',
  text: `
    Within one pair of braces an attribute is written once. An \`override\` replaces inherited attributes one by one.`,
  bad: onLlama('prompt words on layers { length = 10  length = 20 }'),
  good: onLlama('prompt words on layers { length = 20 }'),
});

/** The later one stays: who adds a line means it. */
export const attributeTwice = (field: Field, first: Field): Diagnostic =>
  A121.at(field.name.span, `\`${field.name.text}\` is given twice`, {
    related: [{ span: first.name.span, label: 'first given here' }],
    help: 'take one of them away',
    edits: remove(first.span),
  });
