/** Fixes: what they make of a spec, and that they never leave it worse. */
import { readFileSync, readdirSync } from 'node:fs';
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
  [
    "Python's range",
    'prompt p on layers[range(2, 32)] { length = 4 }',
    'prompt p on layers[2..31] { length = 4 }',
  ],
  [
    'with steps',
    'prompt p on layers[range(0, 32, 4)] { length = 4 }',
    'prompt p on layers[0..31 by 4] { length = 4 }',
  ],
  ['a dash for a range', 'prompt p on layers[0-3] { length = 4 }', 'prompt p on layers[0..3] { length = 4 }'],
  ['three dots', 'prompt p on layers[0...3] { length = 4 }', 'prompt p on layers[0..3] { length = 4 }'],
  [
    'layers without brackets',
    'prompt p on layers first 3 { length = 4 }',
    'prompt p on layers[first 3] { length = 4 }',
  ],
  [
    'a list of layers',
    'prompt p on layers[0, 2] { length = 4 }',
    'prompt p on layers[[0, 2]] { length = 4 }',
  ],
  [
    "Python's None",
    'prompt p on layers { length = 4  gate = None }',
    'prompt p on layers { length = 4  gate = none }',
  ],
  ['a name in quotes', 'prompt "p" on layers { length = 4 }', 'prompt p on layers { length = 4 }'],
  ['kind and name swapped', 'p prompt on layers { length = 4 }', 'prompt p on layers { length = 4 }'],
  ['for', 'lora l for layers.attention.wq', 'lora l on layers.attention.wq'],
  ['equals', 'lora l = layers.attention.wq', 'lora l on layers.attention.wq'],
  ['linears of layers', 'lora l on layers.{wq, wv}', 'lora l on layers.attention.{wq, wv}'],
  [
    'linears of some layers',
    'lora l on layers[0..1].{q_proj, w1}',
    'lora l on layers[0..1].attention.wq + layers[0..1].feed_forward.w1',
  ],
  ['a linear alone', 'lora l on q_proj, v_proj', 'lora l on layers.attention.wq + layers.attention.wv'],
  ['a list of them in quotes', 'lora l on ["q_proj", "v_proj"]', 'lora l on layers.attention.{wq, wv}'],
  ['all-linear', 'lora l on "all-linear"', 'lora l on every linear in layers'],
  ['linears', 'bias b on linears', 'bias b on every linear'],
  [
    'and',
    'bias b on layers\n  scale s on layers\n  group g = b and s',
    'bias b on layers\n  scale s on layers\n  group g = b + s',
  ],
  [
    'a list of parts',
    'bias b on layers\n  scale s on layers\n  group g = [b, "s"]',
    'bias b on layers\n  scale s on layers\n  group g = b + s',
  ],
  [
    'parts in braces',
    'bias b on layers\n  scale s on layers\n  group g = {b, s}',
    'bias b on layers\n  scale s on layers\n  group g = b + s',
  ],
  ['train', 'bias b on layers\n  task t on some train b', 'bias b on layers\n  task t on some trains b'],
  [
    'the template in quotes',
    "bias b on layers\n  task t on some trains b { template = 'alpaca' }",
    'bias b on layers\n  task t on some trains b { template = alpaca }',
  ],
  [
    'on for from',
    'encoder e { model = vit(8, 4, 8, 1, 2) }\n  project v on e { length = 4 }',
    'encoder e { model = vit(8, 4, 8, 1, 2) }\n  project v from e { length = 4 }',
  ],
  ['a comment of C', '/* some\n   * words */\n  bias b on layers', '// some\n// words\n  bias b on layers'],
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

type Case = readonly [name: string, bad: string, good: string];

/** Recipes of an adapter that stands before them. */
const recipes = (cases: readonly Case[]): Case[] =>
  cases.map(([name, bad, good]) => [
    `a recipe: ${name}`,
    onLlama('bias b on every linear', bad),
    onLlama('bias b on every linear', good),
  ]);

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
  ['a file without its format', 'data d = "x.jsonl"\n', 'data d = instructions("x.jsonl")\n'],
  ['text', 'data d = "x.txt"\n', 'data d = text("x.txt")\n'],
  ['a name of a param without a digit', 'param a = .5\n', 'param a = 0.5\n'],
  ...recipes([
    ['for', 'recipe r on X { epochs = 1 }', 'recipe r for X { epochs = 1 }'],
    ['no adapter', 'recipe r { epochs = 1 }', 'recipe r for X { epochs = 1 }'],
    [
      'a missing comma',
      'recipe r for X { epochs = 1  optimizer = adamw(lr: 1e-3 weight_decay: 2%) }',
      'recipe r for X { epochs = 1  optimizer = adamw(lr: 1e-3, weight_decay: 2%) }',
    ],
    [
      'another',
      'recipe r for X { epochs = 1  optimizer = adamw(betas: [0.9 0.95]) }',
      'recipe r for X { epochs = 1  optimizer = adamw(betas: [0.9, 0.95]) }',
    ],
    [
      'a comma too many',
      'recipe r for X { epochs = 1  optimizer = adamw(lr: 1e-3,) }',
      'recipe r for X { epochs = 1  optimizer = adamw(lr: 1e-3) }',
    ],
    [
      'a tuple',
      'recipe r for X { epochs = 1  optimizer = adamw(betas: (0.9, 0.95)) }',
      'recipe r for X { epochs = 1  optimizer = adamw(betas: [0.9, 0.95]) }',
    ],
    [
      'iterations',
      'recipe r for X { epochs = 1  schedule = cosine(warmup: 100 iterations) }',
      'recipe r for X { epochs = 1  schedule = cosine(warmup: 100 steps) }',
    ],
    [
      'a share',
      'recipe r for X { epochs = 1  schedule = cosine(warmup: 0.03) }',
      'recipe r for X { epochs = 1  schedule = cosine(warmup: 3%) }',
    ],
    [
      "Hugging Face's share",
      'recipe r for X { epochs = 1  lr_scheduler_type = "cosine"  warmup_ratio = 0.03 }',
      'recipe r for X { epochs = 1  schedule = cosine(warmup: 3%) }',
    ],
    [
      'a rate beside the optimizer',
      'recipe r for X { epochs = 1  optimizer = adamw(eps: 1e-8)  lr = 1e-3 }',
      'recipe r for X { epochs = 1  optimizer = adamw(eps: 1e-8, lr: 1e-3) }',
    ],
    [
      'a rate that is given',
      'recipe r for X { epochs = 1  optimizer = adamw(lr: 1e-3)  lr = 1e-3 }',
      'recipe r for X { epochs = 1  optimizer = adamw(lr: 1e-3) }',
    ],
  ]),
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

t('as a new user would write it', () => {
  const fixed = fix(`base tiny {
  n_layers = 22, hidden_size = 2048, n_heads = 32, kv_heads = 4, ffn = 5632, vocab_size = 32000
}
data d = json(x.json)
adapter my-lora on tiny {
  lora l on layers[-4:].self_attn.{q_proj, v_proj} { r = 16, alpha = 32, dropout = 0.05 }
  lora k on [k_proj, w2] { r = 8 }
  prompt p on layers[0:4] { tokens = 10, gate = "tanh" }
  encoder e { model = "openai/clip-vit-large-patch14" }
  project v from e { type = mlp }
  prompt i on layers[4:6] from v
  task t on d trains l, p
}
recipe r for my-lora { lr = 2e-4, epochs = 3, batch_size = 4, warmup = 100 }
`);
  assert.is(
    fixed.text,
    `base tiny {
  layers = 22 dim = 2048 heads = 32 kv_heads = 4 ffn = 5632 vocab = 32000
}
data d = instructions("x.json")
adapter my_lora on tiny {
  lora l on layers[last 4].attention.{wq, wv} { rank = 16 alpha = 32 }
  lora k on layers.attention.wk + layers.feed_forward.w2 { rank = 8 }
  prompt p on layers[0..3] { length = 10 gate = tanh }
  encoder e { model = clip("openai/clip-vit-large-patch14") }
  project v from e { kind = mlp }
  prompt i on layers[4..5] from v
  task t on d trains l + p
}
recipe r for my_lora { optimizer = adamw(lr: 2e-4) epochs = 3 batch = 4 schedule = cosine(warmup: 100) }
`,
  );
  assert.equal(errors(fixed), []);
});

t('a fix that leaves as many errors is taken back', () => {
  // `wordz` is near to both; what it is taken for is a group, which has no `gate`.
  const spec = onLlama('bias b on every linear\n  group writing = b\n  group other = writin.gate');
  const fixed = fix(spec);
  assert.is(fixed.text, spec);
  assert.is(fixed.applied.length, 0);
  assert.is(fixed.reverted.length, 1);
});

t(
  'specs with words taken out, doubled or swapped: never worse, and the second time nothing is left to do',
  () => {
    const folder = new URL('../../specs/', import.meta.url);
    const texts = readdirSync(folder)
      .filter((file) => file.endsWith('.adapter'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'));
    let seed = 1;
    const below = (n: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    for (let i = 0; i < 120; i++) {
      const words = (texts[i % texts.length] ?? '').split(/(\s+|[{}()[\],.=])/);
      for (let j = 0; j <= i % 3; j++) {
        const [a, b] = [below(words.length), below(words.length)];
        const change = [[], [words[a] ?? '', words[a] ?? ''], [words[b] ?? '']][below(3)] ?? [];
        words.splice(a, 1, ...change);
      }
      const text = words.join('');
      const before = checkSpec('x.adapter', hostOf(text));
      const fixed = fix(text);
      if (fixed.text === text) continue;
      const syntax = (e: readonly string[]): number => e.filter((line) => line < 'A1').length;
      const [was, is] = [errors(before), errors(fixed)];
      assert.ok(is.length < was.length || syntax(is) < syntax(was) || is.length === 0 || hidden(was), text);
      assert.is(fix(fixed.text).text, fixed.text, text);
    }
  },
);

/** Whether there is an error behind which others may come to light. */
const hidden = (found: readonly string[]): boolean =>
  found.some((line) => /^A(0|102|103|107|111|115)/.test(line));

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
