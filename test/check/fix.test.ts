/** Fixes: what they make of a spec, and that they never leave it worse. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { codes } from '../../compiler/check/codes.ts';
import { fixSpec, type Fixed } from '../../compiler/check/fix.ts';
import { memoryHost, type Host } from '../../compiler/host.ts';

const t = suite('fixes');
const bases = readFileSync(new URL('../../specs/bases.adapter', import.meta.url), 'utf8');
const hostOf = (text: string): Host => memoryHost({ 'x.adapter': text, 'bases.adapter': bases });

function fix(text: string): Fixed {
  const fixed = fixSpec('x.adapter', hostOf(text));
  assert.ok(fixed);
  return fixed;
}

const errors = ({ diagnostics }: Pick<Fixed, 'diagnostics'>): string[] =>
  diagnostics.filter((d) => d.severity === 'error').map((d) => `${d.code} ${d.message}`);

/** Codes whose example has a fix. */
const fixable = codes.filter(({ bad }) =>
  checkSpec('x.adapter', hostOf(bad)).diagnostics.some((d) => (d.fix?.edits.length ?? 0) > 0),
);

for (const code of fixable) {
  t(`${code.code} ${code.title}`, () => {
    const fixed = fix(code.bad);
    assert.equal(
      errors(fixed).filter((e) => e.startsWith(code.code)),
      [],
    );
    assert.ok(fixed.applied.length > 0);
    assert.equal(fix(fixed.text).text, fixed.text, 'a second time changes nothing');
  });
}

t('most codes have a fix', () => assert.ok(fixable.length >= 35, fixable.map((c) => c.code).join(' ')));

for (const { code, good } of codes)
  t(`${code}: the good example is left alone`, () => assert.is(fix(good).text, good));

const onLlama = (items: string, rest = ''): string =>
  `import "bases.adapter"\ndata some = alpaca("some.json")\nadapter X on llama7b {\n  ${items}\n}\n${rest}`;

/** Items of an adapter, wrong and right; `rest` stands behind the adapter. */
const items: readonly (readonly [name: string, bad: string, good: string])[] = [
  [
    'an edge of layers',
    'prompt p on layers[last 40] { length = 4 }',
    'prompt p on layers[last 32] { length = 4 }',
  ],
  ['a negative layer', 'prompt p on layers[-1] { length = 4 }', 'prompt p on layers[last 1] { length = 4 }'],
  ['another', 'prompt p on layers[-2] { length = 4 }', 'prompt p on layers[30] { length = 4 }'],
  [
    'layers backwards',
    'prompt p on layers[9..2 by 3] { length = 4 }',
    'prompt p on layers[2..9 by 3] { length = 4 }',
  ],
  [
    'no place for an encoder',
    'encoder e on layers { model = vit(8, 4, 8, 1, 2) }',
    'encoder e { model = vit(8, 4, 8, 1, 2) }',
  ],
  ['a bias from somewhere', 'bias b on every linear from words', 'bias b on every linear'],
  ['an empty block', 'prompt p on layers {}', 'prompt p on layers { length = 10 }'],
  [
    'brackets in the wrong place',
    'bias b on layers.attention[first 2].wq',
    'bias b on layers[first 2].attention.wq',
  ],
  [
    'a boolean of Python',
    'lora l on layers.attention.wq { on_prompts = True }',
    'lora l on layers.attention.wq { on_prompts = true }',
  ],
  [
    'a word in quotes',
    'scale s on every linear { side = "output" }',
    'scale s on every linear { side = output }',
  ],
  [
    'a call in quotes',
    'prompt p on layers { length = 4  gate = "raw" }',
    'prompt p on layers { length = 4  gate = raw }',
  ],
  ['a share of 60', 'expert o { run = ocr(confidence: 60) }', 'expert o { run = ocr(confidence: 60%) }'],
  [
    'static tokens added',
    'prompt w on layers { length = 4 }\n  prompt p on layers { length = 4  fuse = add(w) }',
    'prompt w on layers { length = 4 }\n  prompt p on layers { length = 4 }',
  ],
  [
    'commas',
    'prompt p on layers { length = 4, gate = none }',
    'prompt p on layers { length = 4 gate = none }',
  ],
  ['colons', 'prompt p on layers { length: 4 }', 'prompt p on layers { length = 4 }'],
  [
    'equals in a call',
    'prompt p on layers { length = 4  gate = tanh(init = 0) }',
    'prompt p on layers { length = 4  gate = tanh(init: 0) }',
  ],
  ['a hash', '# words\n  prompt p on layers { length = 4 }', '// words\n  prompt p on layers { length = 4 }'],
  ['single quotes', "expert o { say = '{text}' }", 'expert o { say = "{text}" }'],
  [
    'a member of a part',
    'prompt p on layers { length = 4 }\n  group g = p.gates',
    'prompt p on layers { length = 4 }\n  group g = p.gate',
  ],
  ['data without quotes', 'bias b on every linear', 'bias b on every linear'],
  [
    'r and lora_alpha',
    'lora l on layers.attention.wq { r = 4  lora_alpha = 8 }',
    'lora l on layers.attention.wq { rank = 4  alpha = 8 }',
  ],
  ['a kind of PEFT', 'ia3 l on layers.attention.wk', 'rescale l on layers.attention.wk'],
  [
    "Hugging Face's path",
    'bias b on model.layers.0.self_attn.q_proj.weight',
    'bias b on layers.0.attention.wq',
  ],
  [
    "Hugging Face's norms",
    'unfreeze n on model.layers[last 2].input_layernorm + model.norm',
    'unfreeze n on layers[last 2].attention_norm + norm',
  ],
  [
    "Hugging Face's linears",
    'bias b on layers.mlp.{gate_proj, down_proj} + lm_head',
    'bias b on layers.feed_forward.{w1, w2} + output',
  ],
  [
    "litgpt's path",
    'bias b on transformer.h.attn.qkv + transformer.h.attn.proj',
    'bias b on layers.attention.{wq, wk, wv} + layers.attention.wo',
  ],
  [
    "litgpt's feed-forward",
    'bias b on transformer.h.mlp.{fc_1, fc_2, proj}',
    'bias b on layers.feed_forward.{w1, w3, w2}',
  ],
  [
    "litgpt's norms",
    'unfreeze n on transformer.h.norm_1 + transformer.ln_f',
    'unfreeze n on layers.attention_norm + norm',
  ],
];

for (const [name, bad, good] of items)
  t(name, () => {
    const fixed = fix(onLlama(bad));
    assert.is(fixed.text, onLlama(good));
    assert.equal(errors(fixed), []);
  });

/** Whole specs. */
const specs: readonly (readonly [name: string, bad: string, good: string])[] = [
  [
    'a recipe in the words of others',
    onLlama(
      'bias b on every linear',
      'recipe r for X { learning_rate = 1e-3  weight_decay = 2%  num_epochs = 3  batchsize = 4  warmup_steps = 100  max_grad_norm = 1 }\n',
    ),
    onLlama(
      'bias b on every linear',
      'recipe r for X { optimizer = adamw(lr: 1e-3, weight_decay: 2%)  epochs = 3  batch = 4  schedule = cosine(warmup: 100 steps)  clip = 1 }\n',
    ),
  ],
  [
    'a base in the words of others',
    'base b { num_hidden_layers = 2  hidden_size = 8  n_heads = 2  intermediate_size = 16  vocab_size = 10 }\n',
    'base b { layers = 2  dim = 8  heads = 2  ffn = 16  vocab = 10 }\n',
  ],
  [
    'an item that is inherited',
    onLlama(
      'prompt p on layers { length = 4 }',
      'adapter Y extends X {\n  prompt p on layers[last 2] { length = 8 }\n}\n',
    ),
    onLlama(
      'prompt p on layers { length = 4 }',
      'adapter Y extends X {\n  override p on layers[last 2] { length = 8 }\n}\n',
    ),
  ],
  [
    'the only base there is',
    'base b { layers = 2  dim = 8  heads = 2  ffn = 16  vocab = 10 }\nadapter X {}\n',
    'base b { layers = 2  dim = 8  heads = 2  ffn = 16  vocab = 10 }\nadapter X on b {}\n',
  ],
  [
    'a part that learns nothing, out of a sum',
    onLlama(
      'encoder e { model = vit(8, 4, 8, 1, 2) }\n  project v from e { length = 1 }\n  prompt i on layers from v\n  prompt w on input { length = 4 }\n  task t on some trains w + v',
    ),
    onLlama(
      'encoder e { model = vit(8, 4, 8, 1, 2) }\n  project v from e { length = 1 }\n  prompt i on layers from v\n  prompt w on input { length = 4 }\n  task t on some trains w',
    ),
  ],
  [
    'a line of its own',
    onLlama('prompt p on layers {\n    length = 4\n    length = 8\n  }'),
    onLlama('prompt p on layers {\n    length = 8\n  }'),
  ],
  ['a path without quotes', 'data d = text(corpus.txt)\n', 'data d = text("corpus.txt")\n'],
  [
    'units',
    'base b { layers = 2  dim = 1K  heads = 2  ffn = 16  vocab = 32kb }\n',
    'base b { layers = 2  dim = 1K  heads = 2  ffn = 16  vocab = 32KiB }\n',
  ],
  ['a brace too many', 'param a = 1\n}\n', 'param a = 1\n'],
  [
    'every bracket that is open',
    'base b { layers = 2  dim = 8  heads = 2  ffn = 16  vocab = 10\n  rope = half(theta: 3\n',
    'base b { layers = 2  dim = 8  heads = 2  ffn = 16  vocab = 10\n  rope = half(theta: 3)\n}\n',
  ],
  ['a string before a bracket', 'data d = text("a (1).txt)\n', 'data d = text("a (1).txt")\n'],
  [
    'two durations written together',
    onLlama('bias b on every linear', 'recipe r for X { epochs = 1  schedule = cosine(warmup: 2epochs) }\n'),
    onLlama('bias b on every linear', 'recipe r for X { epochs = 1  schedule = cosine(warmup: 2 epochs) }\n'),
  ],
  [
    'test data that is none',
    onLlama('bias b on every linear\n  task t on some trains b { test = [] }'),
    onLlama('bias b on every linear\n  task t on some trains b {}'),
  ],
];

for (const [name, bad, good] of specs)
  t(name, () => {
    const fixed = fix(bad);
    assert.is(fixed.text, good);
    assert.equal(errors(fixed), []);
  });

t('one mistake behind another, and those that hide others', () => {
  const fixed = fix('adaptor X on llama7 {\n  prmpt p on layers { lenght = 4 }\n}\nimport "bases.adapter"\n');
  assert.is(
    fixed.text,
    'adapter X on llama7b {\n  prompt p on layers { length = 4 }\n}\nimport "bases.adapter"\n',
  );
  assert.is(fixed.applied.length, 4);
});

t('a fix that leaves as many errors is taken back', () => {
  // `wordz` is near to both; what it is taken for is a group, which has no `gate`.
  const spec = onLlama('bias b on every linear\n  group writing = b\n  group other = writin.gate');
  const fixed = fix(spec);
  assert.is(fixed.text, spec);
  assert.is(fixed.applied.length, 0);
  assert.is(fixed.reverted.length, 1);
});

t('imported files are left alone', () => {
  const host = memoryHost({
    'x.adapter': 'import "y.adapter"\nadapter X on tiny {}\n',
    'y.adapter': 'base tiny { layer = 2  dim = 8  heads = 2  ffn = 16  vocab = 10 }\n',
  });
  const fixed = fixSpec('x.adapter', host);
  assert.is(fixed?.applied.length, 0);
  assert.ok((fixed?.diagnostics.length ?? 0) > 0);
});

t('warnings are choices', () => {
  const spec = onLlama('bias b on every linear\n  scale s on every linear\n  task t on some trains b');
  assert.is(fix(spec).text, spec);
});

t('no file, no fix', () => assert.is(fixSpec('y.adapter', hostOf('')), null));

t.run();
