/** `graft explain WORD`: a diagnostic code, a kind of part, or nothing for the list of both. */
import { catalogue, entryOf } from '../../compiler/check/diagnostics/index.ts';
import type { Explanation } from '../../grammar/entry.ts';
import { describeType } from '../../compiler/check/diagnostics/phrases.ts';
import { kindOf, kinds } from '../../compiler/kinds/index.ts';
import type { Field, Kind } from '../../compiler/kinds/kind.ts';
import { printValue } from '../../compiler/model/values.ts';
import { nearest } from '../../grammar/suggest.ts';
import { type Command, EXIT, UsageError } from './command.ts';

export const command: Command = {
  name: 'explain',
  summary: 'explain a diagnostic code or a kind of part',
  usage: `usage: graft explain [CODE | KIND]

  CODE is a diagnostic's, such as A201; KIND a kind of part, such as prompt. Without either, both are listed.`,
  async run(argv) {
    const [word, ...rest] = argv;
    if (rest.length > 0) throw new UsageError('one word at a time');
    if (word === undefined) {
      console.log(list());
      return EXIT.ok;
    }
    const text = explain(word);
    if (text === null) {
      const near = nearest(word, [...catalogue.map((c) => c.code), ...kinds.map((k) => k.name)]);
      throw new UsageError(
        `there is no code or kind '${word}'${near === undefined ? '' : `; did you mean '${near}'?`}`,
      );
    }
    console.log(text);
    return EXIT.ok;
  },
};

/** The long text of a code or kind, or null. */
export function explain(word: string): string | null {
  const entry = entryOf(word);
  if (entry !== undefined) return explainEntry(entry);
  const kind = kindOf(word);
  return kind === undefined ? null : explainKind(kind);
}

const indent = (text: string): string => text.trimEnd().replace(/^(?=.)/gm, '    ');

const explainEntry = ({ code, title, text, bad, good }: Explanation): string =>
  [`${code}: ${title}`, text, 'wrong:', indent(bad), 'right:', indent(good)].join('\n\n');

function explainKind(kind: Kind): string {
  const fields = Object.entries(kind.fields).map(([name, field]) => explainField(name, field));
  const lines = [`${kind.name}: ${kind.doc}`, `  ${kind.formula}\n  ${kind.source}`];
  return [...lines, fields.length === 0 ? 'no attributes' : `attributes:\n${fields.join('\n')}`].join('\n\n');
}

function explainField(name: string, field: Field): string {
  const initial = field.default === undefined ? 'required' : `default ${printValue(field.default)}`;
  return `  ${name} = ${describeType(field.type)}; ${initial}\n      ${field.doc}`;
}

function list(): string {
  const width = Math.max(...kinds.map((k) => k.name.length));
  return [
    ...kinds.map((k) => `${k.name.padEnd(width)}  ${k.doc}`),
    '',
    ...catalogue.map((c) => `${c.code.padEnd(width)}  ${c.title}`),
  ].join('\n');
}
