/** The reference is true: its examples check, and its tables are those of the compiler (`UPDATE=1` writes them). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseFields } from '../../compiler/check/bases.ts';
import { checkSpec } from '../../compiler/check/check.ts';
import { codes } from '../../compiler/check/codes.ts';
import { dataFormats } from '../../compiler/check/data.ts';
import { expertFields } from '../../compiler/check/experts.ts';
import { describeType } from '../../compiler/check/messages/fields.ts';
import { recipeFields } from '../../compiler/check/recipes.ts';
import { measures } from '../../compiler/check/sweeps.ts';
import { taskFields } from '../../compiler/check/tasks.ts';
import { memoryHost } from '../../compiler/host.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import type { Field, FieldType, Kind } from '../../compiler/kinds/kind.ts';
import { printValue } from '../../compiler/model/values.ts';
import { renderDiagnostic } from '../../grammar/render.ts';

const t = suite('language reference');
const root = join(import.meta.dirname, '../..');
const path = join(root, 'docs/language.md');
const text = readFileSync(path, 'utf8');
const bases = readFileSync(join(root, 'specs/bases.adapter'), 'utf8');

const editor = readFileSync(join(root, 'docs/editor.md'), 'utf8');

[...`${text}${editor}`.matchAll(/```adapter\n([^]*?)```/g)].forEach((match, i) => {
  t(`example ${i + 1} checks clean`, () => {
    const host = memoryHost({ 'example.adapter': match[1] ?? '', 'bases.adapter': bases });
    const { diagnostics, sources } = checkSpec('example.adapter', host);
    assert.equal(
      diagnostics.filter((d) => d.code !== 'A302').map((d) => renderDiagnostic(d, sources)),
      [],
    );
  });
});

type Table = Readonly<Record<string, Field>>;

/** `number` inside of a table's cell must not end it. */
const cell = (s: string): string => s.replaceAll('|', '\\|');

const fieldTable = (fields: Table): string =>
  [
    '| attribute | value | default | |',
    '|---|---|---|---|',
    ...Object.entries(fields).flatMap(([name, f]) => [
      row(name, f),
      ...argumentsOf(f.type).map(([n, a]) => row(n, a)),
    ]),
  ].join('\n');

const row = (name: string, f: Field): string =>
  `| \`${name}\` | ${cell(describeType(f.type))} | ${f.default === undefined ? 'required' : `\`${printValue(f.default)}\``} | ${cell(f.doc)} |`;

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

const kindSection = (kind: Kind): string =>
  [
    `### ${kind.name}`,
    kind.doc,
    `    ${kind.formula}`,
    `Source: ${kind.source}.`,
    ...(Object.keys(kind.fields).length === 0 ? [] : [fieldTable(kind.fields)]),
  ].join('\n\n');

const generated: Readonly<Record<string, string>> = {
  base: fieldTable(baseFields),
  kinds: kinds.map(kindSection).join('\n\n'),
  expert: fieldTable(expertFields),
  task: fieldTable(taskFields),
  recipe: fieldTable(recipeFields),
  data: [
    '| format | holds |',
    '|---|---|',
    ...Object.entries(dataFormats).map(([n, f]) => `| \`${n}\` | ${f.doc} |`),
  ].join('\n'),
  codes: ['| code | |', '|---|---|', ...codes.map((c) => `| ${c.code} | ${c.title} |`)].join('\n'),
};

/** The formatter aligns the columns of tables; that is no difference. */
const withoutPadding = (markdown: string): string =>
  markdown
    .replace(/ +/g, ' ')
    .replace(/ ?\| ?/g, '|')
    .replace(/-{3,}/g, '---');

t('tables are those of the compiler', () => {
  const written = text.replace(
    /(<!-- generated: (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => {
      assert.ok(generated[name], `no table ${name}`);
      return `${open}\n${generated[name]}\n\n${close}`;
    },
  );
  if (process.env['UPDATE'] === '1') writeFileSync(path, written);
  else assert.fixture(withoutPadding(text), withoutPadding(written));
});

t('measures are listed', () => {
  for (const measure of measures) assert.match(text, `\`${measure}\``);
});

t.run();
