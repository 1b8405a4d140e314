/** What generated pages of the reference are made of. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from 'prettier';
import * as assert from 'uvu/assert';
import { describeType } from '../../compiler/check/diagnostics/phrases.ts';
import type { Field, FieldType } from '../../compiler/kinds/kind.ts';
import * as plugin from '../../grammar/prettier.ts';
import { printValue } from '../../compiler/model/values.ts';
import { cell } from './generated.ts';

export const root = join(import.meta.dirname, '../..');

type Table = Readonly<Record<string, Field>>;

/** A table of attributes, with rows for the arguments of calls. */
export const fieldTable = (fields: Table): string =>
  [
    '| attribute | value | default | |',
    '|---|---|---|---|',
    ...Object.entries(fields).flatMap(([name, f]) => [
      row(name, f),
      ...argumentsOf(f.type).map(([n, a]) => row(n, a)),
    ]),
  ].join('\n');

const row = (name: string, f: Field): string =>
  `| \`${name}\` | ${cell(describeType(f.type))} | ${f.default === undefined ? 'required' : `\`${printDefault(f)}\``} | ${cell(f.doc)} |`;

/** A string in quotes also where it looks like a word. */
const printDefault = ({ type, default: value = null }: Field): string =>
  type.kind === 'string'
    ? JSON.stringify(value)
    : typeof value === 'string' && type.kind === 'choice'
      ? value
      : printValue(value);

/** Rows for the arguments of calls, each argument once: `tanh` and `raw` take the same. */
function argumentsOf(type: FieldType): [string, Field][] {
  if (type.kind === 'any') return type.of.flatMap(argumentsOf);
  if (type.kind !== 'call') return [];
  const seen = new Map<Field, [string, Field]>();
  for (const [call, fields] of Object.entries(type.calls)) {
    for (const [name, field] of Object.entries(fields)) {
      const known = seen.get(field);
      seen.set(field, [known === undefined ? `${call}(${name})` : `${known[0]}, ${call}(${name})`, field]);
    }
  }
  return [...seen.values()];
}

/** A page that is generated as a whole: `UPDATE=1` writes it, otherwise it has to be this. */
export async function expectPage(path: string, markdown: string): Promise<void> {
  const options = { parser: 'markdown', printWidth: 110, singleQuote: true, plugins: [plugin] };
  expectFile(path, await format(markdown, options));
}

/** A file that is generated as it is. */
export function expectFile(path: string, text: string): void {
  const file = join(root, path);
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.fixture(existsSync(file) ? readFileSync(file, 'utf8') : '', text);
}
