/** Kinds, attributes and their values, as Markdown. */
import { describeType } from '../check/diagnostics/phrases.ts';
import type { Field, FieldType, Kind } from '../kinds/kind.ts';
import { printValue } from '../model/values.ts';
import { alternatives, type Table } from './tables.ts';

const initial = (field: Field): string =>
  field.default === undefined ? 'required' : `default \`${printValue(field.default)}\``;

/** `a whole number of at least 1; default 10`. */
export const describeField = (field: Field): string => `${describeType(field.type)}; ${initial(field)}`;

const line = ([name, field]: readonly [string, Field]): string =>
  `- \`${name}\`: ${describeField(field)}. ${field.doc}`;

/** A kind of part: what it does, its formula and its attributes. */
export const describeKind = (kind: Kind): string =>
  [
    `**${kind.name}**: ${kind.doc}`,
    `\`\`\`text\n${kind.formula}\n\`\`\``,
    Object.entries(kind.fields).map(line).join('\n'),
    `Source: ${kind.source}.`,
  ].join('\n\n');

/** An attribute or argument: what it may be, what it is when it is left out, and what its calls take. */
export const describeAttribute = (name: string, owner: string, field: Field): string =>
  [`**${name}** of \`${owner}\`: ${describeField(field)}`, field.doc, ...callLines(field.type)].join('\n\n');

function callLines(type: FieldType): string[] {
  const calls = alternatives(type).flatMap((t): (readonly [string, Table])[] =>
    t.kind === 'call' ? Object.entries(t.calls) : [],
  );
  return calls
    .filter(([, rows]) => Object.keys(rows).length > 0)
    .map(([call, rows]) => [`\`${call}(...)\` takes`, ...Object.entries(rows).map(line)].join('\n'));
}
