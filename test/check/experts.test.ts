/** What becomes of an `expert`: its attributes, its paths, its command's words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { splitWords } from '../../compiler/check/command-line.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Expert } from '../../compiler/model/expert.ts';
import { printModel } from '../../compiler/describe/print-model.ts';
import { renderDiagnostic } from '../../grammar/render.ts';

const t = suite('experts');
const bases = readFileSync(join(import.meta.dirname, '../../specs/bases.adapter'), 'utf8');

function modelOf(files: Readonly<Record<string, string>>, path: string, params = {}) {
  const checked = checkSpec(path, memoryHost({ ...files, 'specs/bases.adapter': bases }), { params });
  assert.equal(
    checked.diagnostics.map((d) => renderDiagnostic(d, checked.sources)),
    [],
  );
  return lowerModel(checked);
}

const adapter = (items: string): string =>
  `import "bases.adapter"\nadapter Example on llama7b {\n${items}\n}\n`;

/** The experts of an adapter, without their places in the text. */
const expertsOf = (items: string): Omit<Expert, 'span'>[] =>
  modelOf({ 'specs/x.adapter': adapter(items) }, 'specs/x.adapter').experts.map(
    ({ name, run, say, timeout, length }) => ({ name, run, say, timeout, length }),
  );

t('defaults', () => {
  assert.equal(expertsOf('expert a { run = ocr() }  expert b'), [
    {
      name: 'a',
      run: { kind: 'ocr', language: 'eng', confidence: 0.6 },
      say: '{text}',
      timeout: 30,
      length: 300,
    },
    { name: 'b', run: null, say: '{text}', timeout: 30, length: 300 },
  ]);
});

t('paths are taken from the file, and a command runs in its folder', () => {
  const runs = expertsOf(`
    expert a { run = caption("../v1.adapter:V1", adapter: "runs/v1.safetensors", ask: "What?", tokens: 5) }
    expert b { run = detect("det.onnx", labels: "/names.txt", confidence: 30%) }
    expert c { run = http("http://127.0.0.1:8000/look")  timeout = 2.5 }
    expert d { run = command("python3 'my ocr.py' --in={image} \\"\\" 'it\\"s'") }`).map(({ run }) => run);
  assert.equal(runs, [
    {
      kind: 'caption',
      model: 'v1.adapter:V1',
      adapter: 'specs/runs/v1.safetensors',
      ask: 'What?',
      tokens: 5,
    },
    { kind: 'detect', model: 'specs/det.onnx', labels: '/names.txt', confidence: 0.3 },
    { kind: 'http', address: 'http://127.0.0.1:8000/look' },
    { kind: 'command', words: ['python3', 'my ocr.py', '--in={image}', '', 'it"s'], folder: 'specs' },
  ]);
});

t('a path in a param or an override belongs to the file it was written in', () => {
  const files = {
    'specs/base/parent.adapter': `import "../bases.adapter"
      param eye = detect("eye.onnx", labels: "eye.txt")
      adapter Parent on llama7b { expert a { run = ocr() } }`,
    'specs/child.adapter': `import "base/parent.adapter"
      param look = eye
      adapter Child extends Parent { override a { run = caption("cap.adapter") }  expert b { run = look } }`,
  };
  const runs = modelOf(files, 'specs/child.adapter').experts.map(({ run }) => run);
  assert.is(runs[0]?.kind === 'caption' && runs[0].model, 'specs/cap.adapter');
  assert.is(runs[1]?.kind === 'detect' && runs[1].model, 'specs/base/eye.onnx');
});

t('experts are inherited, overridden and dropped', () => {
  const text = `import "bases.adapter"
    adapter Parent on llama7b { expert a { run = ocr()  say = "A {text}" }  expert b { run = ocr() } }
    adapter Child extends Parent { override a { say = "B {text}" }  drop b }`;
  const { experts } = modelOf({ 'specs/x.adapter': text }, 'specs/x.adapter');
  assert.equal(
    experts.map(({ name, say, run }) => [name, say, run?.kind]),
    [['a', 'B {text}', 'ocr']],
  );
});

t('the printed model has them', () => {
  const model = modelOf({ 'specs/x.adapter': adapter('expert a { run = ocr() }') }, 'specs/x.adapter');
  assert.match(printModel(model), /^expert .*"name":"a","run":\{"kind":"ocr"/m);
});

t('words of a command', () => {
  assert.equal(splitWords('  a  b\tc '), ['a', 'b', 'c']);
  assert.equal(splitWords(`a'b c'd "e 'f'" ''`), ['ab cd', "e 'f'", '']);
  assert.equal(splitWords('a; rm -rf $HOME | b > c'), ['a;', 'rm', '-rf', '$HOME', '|', 'b', '>', 'c']);
  assert.equal(splitWords(''), []);
  assert.is(splitWords('a "b'), null);
});

t.run();
