/** Pages that are generated as a whole: diagnostics, and one for each kind of part (`UPDATE=1` writes them). */
import { createSyntaxDiagramsCode } from 'chevrotain';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { catalogue } from '../../compiler/check/diagnostics/index.ts';
import type { Explanation } from '../../grammar/entry.ts';
import { fixSpec } from '../../compiler/check/fix.ts';
import { memoryHost, type Host } from '../../compiler/host.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import type { Kind, Selects } from '../../compiler/kinds/kind.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Model } from '../../compiler/model/model.ts';
import { productions } from '../../grammar/parser.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { expectFile, expectPage, fieldTable, root } from './reference.ts';
import { modelFiles } from './models.ts';

const t = suite('generated pages');
const bases = readFileSync(join(root, 'specs/bases.adapter'), 'utf8');
const hostOf = (text: string): Host =>
  memoryHost({ 'example.adapter': text, 'bases.adapter': bases, ...modelFiles });

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** Paragraphs on one line each, so that no sign at the start of a line means something; outside of `code`. */
const prose = (text: string): string =>
  text
    .split('\n\n')
    .map((paragraph) =>
      paragraph.replaceAll('\n', ' ').replace(/`[^`]*`|[*\\]/g, (m) => (m[0] === '`' ? m : `\\${m}`)),
    )
    .join('\n\n');

/** What the checker says about the bad example, and what `--fix` makes of it. */
function codeSection({ code, title, text, bad, good }: Explanation): string {
  const set = /--set (\w+)="([^"]*)"/.exec(bad);
  const params = set === null ? {} : { [set[1] ?? '']: set[2] ?? '' };
  const { diagnostics, sources } = checkSpec('example.adapter', hostOf(bad), { params });
  const fixed = fixSpec('example.adapter', hostOf(bad), { params });
  const said = diagnostics.map((d) => renderDiagnostic(d, sources)).join('\n\n');
  const long = bad.length > 600 || bad.split('\n').some((line) => line.length > 200);
  return [
    `## ${code}: ${title}`,
    prose(text),
    ...(long ? [] : [fence('text', `${bad}\n${said}`)]),
    fixed !== null && fixed.applied.length > 0 ? 'Right; `graft check --fix` has a correction:' : 'Right:',
    fence('adapter', good),
  ].join('\n\n');
}

t('docs/diagnostics.md', () =>
  expectPage(
    'docs/diagnostics.md',
    [
      '# Diagnostics',
      '<!-- Generated from compiler/check/diagnostics and grammar/diagnostics: UPDATE=1 npm test -- check/pages -->',
      'Everything that `graft check` can say about a spec: why it is a mistake, an example of it with what is said there, ' +
        'and the same spec without it. `graft explain CODE` prints the same. A0xx is what could not be read, A1xx are names, ' +
        'places and values, A2xx groups, tasks, recipes and sweeps, A3xx warnings.',
      '`graft check --fix SPEC` corrects what has one obvious correction, says what it did, and goes on until nothing ' +
        'is left to correct. A correction that leaves as many errors as before is taken back; an error that hides others ' +
        '(what cannot be read is not checked) counts for more than those it hides. With `--dry-run` nothing is written.',
      ...catalogue.map(codeSection),
    ].join('\n\n'),
  ),
);

const sits: Readonly<Record<Selects, string>> = {
  layers: 'on layers',
  'layers-or-input': 'on layers, or `on input`',
  linears: 'on linears',
  sites: 'on linears and norms',
  parameters: 'on linears, norms and the embedding',
  input: '`on input`',
  nothing: 'beside the base, without `on`',
};

interface Example {
  readonly file: string;
  readonly text: string;
  readonly models: readonly Model[];
}

const specs: readonly Example[] = readdirSync(join(root, 'specs'))
  .filter((file) => file.endsWith('.adapter'))
  .sort()
  .map((file) => {
    const path = join(root, 'specs', file);
    const checked = checkSpec(path, nodeSpecs);
    const models = Object.keys(checked.adapters).map((name) => lowerModel(checked, name));
    return { file, text: readFileSync(path, 'utf8'), models };
  });

const uses = (kind: Kind) => (model: Model) => model.parts.some((p) => p.kind === kind.name);

/** Shapes of the parameters that the first part of this kind adds in a model. */
function parametersOf(kind: Kind, model: Model): string {
  const part = model.parts.find((p) => p.kind === kind.name);
  const count = countModel(model).parts.find((c) => c.part === part?.name);
  if (part === undefined || count === undefined || count.numbers === 0) return '';
  const shapes = count.shapes.map(({ shape, count: n }) => `${n} of [${shape.join(', ')}]`);
  const figure = count.numbers.toLocaleString('en-US');
  return `There, \`${part.name}\` has ${figure} parameters: ${shapes.join(', ')}.`;
}

function kindPage(kind: Kind): string {
  const using = specs.filter((s) => s.models.some(uses(kind)));
  const [example] = [...using].sort((a, b) => a.text.length - b.text.length);
  assert.ok(example, `no spec in specs/ uses ${kind.name}`);
  const model = example.models.find(uses(kind));
  const from =
    kind.reads === undefined
      ? 'It reads from nothing.'
      : `It ${kind.reads.required ? 'reads' : 'may read'} \`from\` ${kind.reads.kinds.map((k) => `a part of kind [${k}](${k}.md)`).join(' or ')}.`;
  return [
    `# ${kind.name}`,
    '<!-- Generated from compiler/kinds and specs: UPDATE=1 npm test -- check/pages -->',
    kind.doc,
    `    ${kind.formula}`,
    `Source: ${kind.source}.`,
    `It sits ${sits[kind.selects]}. ${from}`,
    '## Attributes',
    Object.keys(kind.fields).length === 0 ? 'None.' : fieldTable(kind.fields),
    '## Example',
    `[specs/${example.file}](../../specs/${example.file}):`,
    fence('adapter', example.text),
    model === undefined ? '' : parametersOf(kind, model),
    using.length < 2
      ? ''
      : `Also in ${using
          .filter((s) => s !== example)
          .map((s) => `[${s.file}](../../specs/${s.file})`)
          .join(', ')}.`,
  ]
    .filter((s) => s !== '')
    .join('\n\n');
}

for (const kind of kinds)
  t(`docs/kinds/${kind.name}.md`, () => expectPage(`docs/kinds/${kind.name}.md`, kindPage(kind)));

t('docs/grammar.html: railroad diagrams, drawn by what chevrotain ships', () => {
  const base = '../node_modules/chevrotain/diagrams/';
  const html = createSyntaxDiagramsCode([...productions()], {
    resourceBase: base,
    css: `${base}diagrams.css`,
  });
  assert.not.match(html, /https?:/, 'nothing is fetched');
  for (const [, path = ''] of html.matchAll(/(?:src|href)=['"]([^'"]+)['"]/g))
    assert.ok(existsSync(join(root, 'docs', path)), path);
  expectFile('docs/grammar.html', html);
});

t('every page belongs to a kind', () => {
  assert.equal(readdirSync(join(root, 'docs/kinds')).sort(), kinds.map((k) => `${k.name}.md`).sort());
});

t.run();
