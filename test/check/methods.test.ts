/** docs/methods.md: every method of the library with what it costs and whether it can be merged (`UPDATE=1` writes it). */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { obstaclesOf } from '../../compiler/merge/merge.ts';
import type { Model } from '../../compiler/model/model.ts';
import { parse } from '../../grammar/parser.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { cell, checkGenerated, tableOf } from './generated.ts';

const t = suite('methods page');
const root = join(import.meta.dirname, '../..');
const folder = join(root, 'specs');
const base = checkSpec(join(folder, 'bases.adapter'), nodeSpecs).bases['llama7b'];

interface Method {
  readonly name: string;
  readonly file: string;
  readonly model: Model;
  /** What is written above it: a title, formulas, where they come from. */
  readonly title: string;
  readonly formula: string;
  readonly source: string;
}

function methodsIn(file: string): Method[] {
  assert.ok(base);
  const path = join(folder, file);
  const checked = checkSpec(path, nodeSpecs, base ? { base } : {});
  const { declarations } = parse({ file: path, text: readFileSync(path, 'utf8') }).file;
  return declarations.flatMap((d) =>
    d.kind === 'adapter'
      ? [{ name: d.name.text, file, model: lowerModel(checked, d.name.text), ...described(d.doc) }]
      : [],
  );
}

function described(doc: string): Pick<Method, 'title' | 'formula' | 'source'> {
  const [about = '', source = ''] = doc.split(/^Source: /m);
  const [title = '', formula = ''] = about.split(/\n\s*\n/);
  const line = (text: string): string => text.replace(/\s+/g, ' ').trim();
  return { title: line(title), formula: line(formula), source: sentence(line(source)) };
}

/** The first sentence, without its stop: one ends before a capital, or with the text. */
const sentence = (text: string): string => text.split(/\.(?: (?=[A-Z])|$)/)[0] ?? text;

const methods = readdirSync(folder)
  .filter((file) => file.endsWith('.adapter'))
  .flatMap(methodsIn);

const number = (n: number): string => n.toLocaleString('en-US');

function costOf({ model }: Method): string {
  const { trained, base: all } = countModel(model);
  return trained === 0 ? '0' : `${number(trained)} (${((100 * trained) / all).toFixed(3)}%)`;
}

function mergesOf({ model }: Method): string {
  const obstacles = obstaclesOf(model);
  if (obstacles.length === 0) return model.tasks.length === 0 ? 'nothing to merge' : 'yes';
  const names = obstacles.map(({ kind, never }) => (never ? kind : `${kind} beside prompts`));
  return `no: ${[...new Set(names)].join(', ')}`;
}

const link = ({ name, file }: Method): string => `[${name}](../specs/${file})`;

const reasons = kinds.flatMap(({ name, merge }) => (merge.can ? [] : [[`\`${name}\``, merge.reason]]));

const generated: Readonly<Record<string, string>> = {
  methods: tableOf([
    ['method', 'what it is', 'trained numbers on llama7b, as a share of it', 'can be merged'],
    ...methods.map((m) => [link(m), cell(sentence(m.title)), costOf(m), mergesOf(m)]),
  ]),
  formulas: tableOf([
    ['method', 'formula', 'source'],
    ...methods.map((m) => [m.name, `\`${cell(m.formula.replaceAll('`', ''))}\``, cell(m.source)]),
  ]),
  reasons: tableOf([['part', 'why it cannot be merged'], ...reasons]),
};

t('the page is that of the specs', () => checkGenerated(join(root, 'docs/methods.md'), generated));

t('every method has a title, a formula and a source, and the known ones are there', () => {
  for (const { name, title, formula, source } of methods)
    assert.ok(title !== '' && formula !== '' && source !== '', name);
  const files = new Set(methods.map(({ file }) => file.replace('.adapter', '')));
  for (const file of [
    ...['llama-adapter-v1', 'llama-adapter-v1-multimodal', 'llama-adapter-v2', 'llama-adapter-v2-multimodal'],
    ...[
      'v2-released',
      'v2-released-7b',
      'v2-chat65b',
      'imagebind-llm',
      'litgpt-adapter-v2',
      'adaption-prompt',
    ],
    ...['bitfit', 'ssf', 'lora', 'ia3', 'prefix', 'prompt-tuning', 'houlsby', 'llava', 'minigpt-4-style'],
  ])
    assert.ok(files.has(file), file);
});

t.run();
