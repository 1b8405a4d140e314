/** What people write wrong, and what `check --fix` makes of it. */

export type Case = readonly [name: string, bad: string, good: string];

/** An adapter with these items; `rest` stands behind it. */
export const onLlama = (items: string, rest = ''): string =>
  `import "bases.adapter"\ndata some = alpaca("some.json")\nadapter X on llama7b {\n  ${items}\n}\n${rest}`;

/** Items of an adapter, wrong and right; `rest` stands behind the adapter. */
export const items: readonly Case[] = [
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

/** Recipes of an adapter that stands before them. */
const recipes = (cases: readonly Case[]): Case[] =>
  cases.map(([name, bad, good]) => [
    `a recipe: ${name}`,
    onLlama('bias b on every linear', bad),
    onLlama('bias b on every linear', good),
  ]);

/** Whole specs. */
export const specs: readonly Case[] = [
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
