/** The reference is true: its examples check, and its tables are those of the compiler (`UPDATE=1` writes them). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseFields } from '../../compiler/check/bases.ts';
import { checkSpec } from '../../compiler/check/check.ts';
import { catalogue } from '../../compiler/check/diagnostics/index.ts';
import { dataFormats } from '../../compiler/check/data.ts';
import { expertFields } from '../../compiler/check/experts.ts';
import { recipeFields } from '../../compiler/check/recipes.ts';
import { taskFields } from '../../compiler/check/tasks.ts';
import { memoryHost } from '../../compiler/host.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import type { Kind } from '../../compiler/kinds/kind.ts';
import { measures } from '../../compiler/model/sweep.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { checkGenerated } from './generated.ts';
import { fieldTable } from './reference.ts';
import { modelFiles } from './models.ts';

const t = suite('language reference');
const root = join(import.meta.dirname, '../..');
const path = join(root, 'docs/language.md');
const text = readFileSync(path, 'utf8');
const bases = readFileSync(join(root, 'specs/bases.adapter'), 'utf8');

const others = ['coming-from', 'editor'].map((name) => readFileSync(join(root, `docs/${name}.md`), 'utf8'));

[...[text, ...others].join('\n').matchAll(/```adapter\n([^]*?)```/g)].forEach((match, i) => {
  t(`example ${i + 1} checks clean`, () => {
    const host = memoryHost({ 'example.adapter': match[1] ?? '', 'bases.adapter': bases, ...modelFiles });
    const { diagnostics, sources } = checkSpec('example.adapter', host);
    assert.equal(
      diagnostics.filter((d) => d.code !== 'A302').map((d) => renderDiagnostic(d, sources)),
      [],
    );
  });
});

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
  codes: ['| code | |', '|---|---|', ...catalogue.map((c) => `| ${c.code} | ${c.title} |`)].join('\n'),
};

t('tables are those of the compiler', () => checkGenerated(path, generated));

t('measures are listed', () => {
  for (const measure of measures) assert.match(text, `\`${measure}\``);
});

t.run();
