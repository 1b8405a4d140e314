/** Numbers with which a run cannot work or learns nothing: infinite ones are errors wherever they stand, zeros warnings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';

const t = suite('zero and infinite numbers');
const bases = readFileSync(join(import.meta.dirname, '../../specs/bases.adapter'), 'utf8');

/** Codes that an adapter with these parts, a recipe with these attributes and what else is written come to. */
function found(parts: string, recipe = 'steps = 10', rest = '', params = {}): string[] {
  const text = `import "bases.adapter"
data some = instructions("some.jsonl")
adapter X on llama7b { bias b on layers.attention.wq  ${parts}  task t on some trains b { template = "{output}" } }
recipe r for X { ${recipe} }
${rest}`;
  const host = memoryHost({ 'x.adapter': text, 'bases.adapter': bases });
  const own = checkSpec('x.adapter', host, { params }).diagnostics.filter(({ code }) => code !== 'A302');
  return own.map(({ code, severity }) => `${code} ${severity}`);
}

const parts = (text: string): string => `${text}  group g = b`;

t('a number that is infinite in 32 bits is an error, whatever it is for', () => {
  const beyond = ['A120 error'];
  for (const number of ['1e999', '1e39', '9e38', '1e300', '1e36k', '-1e999']) {
    assert.equal(found(parts(`lora l on layers.attention { alpha = ${number} }`)), beyond, number);
    assert.equal(found('', `steps = 10  optimizer = adamw(lr: ${number})`), beyond, number);
  }
  for (const text of [
    'lora l on layers.attention { rank = 1e999 }',
    'lora l on layers.attention { rate = 1e999 }',
    'prompt p on layers { length = 10  gate = tanh(init: 1e999) }',
    'prompt p on layers { length = 10  init = normal(std: 1e999) }',
    'scale s on every linear { init = -1e999 }',
  ])
    assert.equal(found(parts(text)), beyond, text);
  for (const text of [
    'epochs = 1e999',
    'steps = 1e999',
    'steps = 1e39',
    'steps = 10  clip = 1e999',
    'steps = 10  batch = 1e999',
    'steps = 10  accumulate = 1e999',
    'steps = 10  seed = 1e999',
    'steps = 10  schedule = cosine(warmup: 1e999 steps)',
    'steps = 10  schedule = cosine(warmup: 1e999 epochs)',
    'steps = 10  schedule = cosine(warmup: 1e999)',
    'steps = 10  schedule = cosine(warmup: 1e999%)',
    'steps = 10  schedule = cosine(floor: 1e999)',
    'steps = 10  optimizer = adamw(eps: 1e999)',
    'steps = 10  mix = proportional(t: 1e999)',
  ])
    assert.equal(found('', text), beyond, text);
  assert.equal(found('', 'steps = 10  optimizer = adamw(lr: 3.4e38)'), []);
});

t('in bases, layers, params and sweeps too', () => {
  const base = (text: string) => found('', 'steps = 10', `base small { ${text} }`);
  const small = 'layers = 2  dim = 8  heads = 2  ffn = 8  vocab = 8';
  assert.equal(base(`${small}  rope = half(theta: 1e999)`), ['A120 error']);
  assert.equal(base(`${small}  norm_eps = 1e999`), ['A120 error']);
  for (const layers of ['1e999', '0..1e999', 'first 1e999', '0..3 by 1e999'])
    assert.ok(
      found(parts(`prompt p on layers[${layers}] { length = 1 }`)).some((code) => code.endsWith('error')),
      layers,
    );
  const lr = 'steps = 10  optimizer = adamw(lr: rate)';
  assert.equal(found('', lr, 'param rate = 1e999'), ['A120 error']);
  assert.equal(found('', lr, 'param rate = 1e-3', { rate: '1e999' }), ['A120 error']);
  assert.equal(
    found('', lr, 'param rate = 1e-3\nsweep s over X with r { rate = [1e-3, 1e999] }').filter((code) =>
      code.endsWith('error'),
    ).length,
    1,
  );
});

t(
  'a zero that lets nothing be learned is a warning, also as a param, and one too small for 32 bits is zero',
  () => {
    const word = ['A305 warning'];
    for (const zero of ['0', '0.0', '1e-60', '1e-40', '0%']) {
      assert.equal(found(parts(`lora l on layers.attention { alpha = ${zero} }`)), word, zero);
      assert.equal(found('', `steps = 10  optimizer = adamw(lr: ${zero})`), word, zero);
    }
    for (const text of [
      'lora l on layers.attention { rate = 0 }',
      'prompt p on layers { length = 10  rate = 0 }',
      'bottleneck n on layers.attention.wo { init = 0 }',
      'bottleneck n on layers.attention.wo { init = normal(std: 0) }',
      'bottleneck n on layers.attention.wo { init = uniform(0) }',
    ])
      assert.equal(found(parts(text)), word, text);
    assert.equal(found('', 'steps = 10  optimizer = adamw(0)'), word, 'by its place');
    assert.equal(found('', 'steps = 10  optimizer = adamw(lr: rate)', 'param rate = 0'), word);
  },
);

t('zeros that mean something are not mentioned', () => {
  assert.equal(found('', 'steps = 10  optimizer = adamw(weight_decay: 0, betas: [0, 0])  seed = 0'), []);
  assert.equal(found(parts('bottleneck n on layers.attention.wo { init = normal(std: 0, mean: 1) }')), []);
  assert.equal(found(parts('prompt p on layers { length = 10  gate = tanh(init: 0) }')), []);
});

t('a warm-up longer than the run, where both are in the same unit', () => {
  const warmup = (length: string, text: string) => found('', `${length}  schedule = cosine(warmup: ${text})`);
  const word = ['A306 warning'];
  assert.equal(warmup('steps = 10', '11 steps'), word);
  assert.equal(warmup('steps = 10', '11'), word);
  assert.equal(warmup('epochs = 1', '1.5 epochs'), word);
  for (const [length, text] of [
    ['steps = 10', '10 steps'],
    ['steps = 10', '100%'],
    ['epochs = 1', '1 epoch'],
    ['epochs = 1', '100 steps'],
    ['steps = 10', '2 epochs'],
  ] as const)
    assert.equal(warmup(length, text), [], `${length}, ${text}`);
});

t.run();
