/** The list of passes: what each leaves can be printed, and a dispatch names the lines of the spec that asked for it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, type CompileOptions, passes, printStage, stages } from '../../compiler/compile.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { programName } from '../../compiler/package/programs.ts';
import { modelOf, recipeFor } from './subjects.ts';

const t = suite('list of passes');

const ITEMS = `prompt words on last 1 { length = 3 }
bias shift on every linear in layers
scale gain on every linear in layers
task talk on some trains words + shift + gain`;
const model = modelOf(ITEMS);
const profile: Profile = { device: 'software', subgroup: 8 };
const options: CompileOptions = {
  profile,
  recipe: recipeFor(model, { accumulate: 2 }),
  training: { batch: 2, tokens: { talk: 5 } },
  evaluation: { batch: 2, tokens: { talk: 5 } },
  generation: { batch: 1, tokens: 5, context: 8 },
};
/** The item that a place lies in: items are written one a line, two lines below the top of the file. */
const lineOf = ({ start }: { readonly start: number }) => {
  const before = `import "bases.adapter"\nadapter X on llama7b {\n${ITEMS}`.slice(0, start);
  return `line ${before.split('\n').length}`;
};
const emit = (stage: string) => printStage(model, options, stage, lineOf);

t('every pass can be printed, under its name or more', () => {
  assert.equal(
    stages.filter((stage) => emit(stage).trim() === ''),
    [],
  );
  for (const { name, dumps } of passes) assert.ok(Object.keys(dumps).includes(name), name);
  assert.is(new Set(stages).size, stages.length);
});

t('each pass shows what it did', () => {
  const has = (stage: string, text: string) => emit(stage).includes(text);
  assert.ok(!has('build', 'scaleGrad') && !has('build', 'mulScale(gradients'));
  assert.ok(!has('build', 'columnSum') && has('autodiff', 'columnSum'), 'gradients');
  assert.ok(!has('layout', 'adamw') && has('layout', 'cell 0: trained by talk'));
  assert.ok(!has('autodiff', 'adamw') && has('optimizer', 'adamw'), 'the optimizer');
  assert.ok(!has('prune', 'scaleGrad') && has('fuse-scale', 'scaleGrad'));
  const nodes = (stage: string) => emit(stage).split('\n').length;
  assert.is.not(emit('prune'), emit('verify'));
  assert.ok(nodes('fuse') < nodes('fuse-scale'));
  assert.is(emit('graph'), emit('fuse'));
});

t('a dispatch names the lines of the spec that asked for it, a fused one all of them', () => {
  const rows = emit('schedule').split('\n');
  const row = (text: string) => rows.find((line) => line.includes(text)) ?? '';
  assert.match(row('layers.1.attention.wk words matmul'), /\/\/ line 3, line 4, line 5$/);
  assert.match(row('layers.0.attention.wq matmul'), /\/\/ the base, line 4, line 5$/);
  assert.match(row('layers.0.attention.wq rope'), /\/\/ the base$/);
  assert.match(row('loss crossEntropy'), /\/\/ line 6$/);
  assert.match(row('layers.1.attention words gateAdd'), /\/\/ line 3$/);
});

t('a kernel names the lines whose dispatches run it', () => {
  const kernel = emit('wgsl')
    .split('// ---- ')
    .find((text) => text.startsWith('gateAdd'));
  assert.match(kernel ?? '', /^gateAdd\w*\.wgsl\n\/\/ for line 3\n/);
});

t('programs say what they are for; names are made of that', () => {
  const { manifest } = compile(model, options);
  for (const program of manifest.programs) assert.is(program.name, programName(program));
  assert.equal(
    manifest.programs.map(({ name }) => name),
    ['train:talk', 'update:talk', 'loss:talk', 'prompts', 'prefill', 'decode:8'],
  );
  assert.is(programName({ kind: 'decode', keys: 64, image: true }), 'decode:64:image');
  assert.is(programName({ kind: 'loss', task: 'talk', attached: true }), 'loss:talk:image');
});

t('constants say what fills them', () => {
  const kinds = compile(model, options).manifest.constants.map(({ kind }) => kind);
  assert.equal(kinds.sort(), ['blocks', 'rope']);
});

t.run();
