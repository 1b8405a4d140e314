/** Our parts as a folder of PEFT: what was imported comes out again, and what has no place is refused by part. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sitesOf } from '../../compiler/families/sites.ts';
import type { Base } from '../../compiler/model/model.ts';
import { exportPeft } from '../../runtime/peft/export/export.ts';
import { modelOf } from '../compiler/subjects.ts';
import { randomValues } from '../compiler/subjects.ts';
import { base, importFrom, lines, loraConfig, low, modelOfParts, places, plain, tensor } from './folder.ts';

const t = suite('peft: export');
const interleaved: Base = { ...base, rope: { style: 'interleaved', theta: 10000 } };
const biased: Base = { ...base, biases: ['wq', 'wk', 'wv', 'wo'] };
const tied: Base = { ...base, tied: true };
/** Heads are together as wide as the model, as PEFT's adaption prompts need. */
const square: Base = { ...base, dim: 24 };
const FRONT = 'base_model.model.';

const norms = (name: string, end = 'weight') =>
  places(base, name).map(({ huggingface }) => tensor(`${FRONT}${huggingface}.${end}`, [10]));
const biases = (name: string, own = '') =>
  places(biased, name).map((site) =>
    tensor(`${FRONT}${site.huggingface}${own}.bias`, [name === 'wq' ? 24 : name === 'wo' ? 10 : 12]),
  );
const lows = (rank: number, ...names: string[]) => places(base, ...names).flatMap((site) => low(site, rank));
const table = tensor(`${FRONT}model.embed_tokens.weight`, [17, 10]);
const factors = (name: string, shape: readonly number[]) =>
  places(base, name).map((site) => tensor(`${FRONT}${site.huggingface}.ia3_l`, shape));

type Json = Readonly<Record<string, unknown>>;
/** A configuration, its tensors, the base, and the keys that the exported one states otherwise: in our words. */
const cases: readonly [string, Json, Parameters<typeof importFrom>[1], Base?, Json?][] = [
  ['LORA', { ...loraConfig, lora_dropout: 0 }, lows(2, 'wq', 'wv')],
  ['LORA on a base in the order of Meta', loraConfig, lows(2, 'wq', 'wv'), interleaved, { lora_dropout: 0 }],
  [
    'LORA in some layers, with rsLoRA',
    { ...loraConfig, layers_to_transform: [0, 2], use_rslora: true },
    [0, 2].flatMap((layer) => lows(2, `${layer}.attention.wq`, `${layer}.attention.wv`)),
    base,
    { lora_dropout: 0 },
  ],
  [
    'LORA on the head too, in some layers',
    { ...loraConfig, target_modules: ['q_proj', 'lm_head'], layers_to_transform: [1] },
    [...lows(2, '1.attention.wq'), ...lows(2, 'output')],
    base,
    { lora_dropout: 0 },
  ],
  [
    'LORA on places that no words and layers say: one by one',
    { ...loraConfig, target_modules: '.*(0\\.self_attn\\.q|1\\.self_attn\\.v)_proj' },
    [...lows(2, '0.attention.wq'), ...lows(2, '1.attention.wv')],
    base,
    {
      lora_dropout: 0,
      target_modules: ['model.layers.0.self_attn.q_proj', 'model.layers.1.self_attn.v_proj'],
    },
  ],
  [
    'LORA with lengths of rows: DoRA',
    { ...loraConfig, use_dora: true },
    [
      ...lows(2, 'wq', 'wv'),
      ...places(base, 'wq', 'wv').map((site) =>
        tensor(`${FRONT}${site.huggingface}.lora_magnitude_vector`, [site.output.groups * site.output.size]),
      ),
    ],
    interleaved,
    { lora_dropout: 0 },
  ],
  [
    'LORA with patterns',
    {
      ...loraConfig,
      rank_pattern: { 'layers.1.self_attn.q_proj': 3, v_proj: 1 },
      alpha_pattern: { v_proj: 0.5 },
    },
    [...lows(1, 'wv'), ...lows(2, '0.attention.wq', '2.attention.wq'), ...lows(3, '1.attention.wq')],
    base,
    // The rank of most is the usual one.
    {
      lora_dropout: 0,
      r: 1,
      rank_pattern: {
        'layers.0.self_attn.q_proj': 2,
        'layers.1.self_attn.q_proj': 3,
        'layers.2.self_attn.q_proj': 2,
      },
    },
  ],
  [
    'LORA with all biases',
    { ...loraConfig, target_modules: ['q_proj', 'v_proj'], bias: 'all' },
    [
      ...lows(2, 'wq', 'wv'),
      ...biases('wq', '.base_layer'),
      ...biases('wv', '.base_layer'),
      ...biases('wk'),
      ...biases('wo'),
    ],
    biased,
    { lora_dropout: 0 },
  ],
  [
    'LORA with its own biases',
    { ...loraConfig, bias: 'lora_only' },
    [...lows(2, 'wq', 'wv'), ...biases('wq', '.base_layer'), ...biases('wv', '.base_layer')],
    biased,
    { lora_dropout: 0 },
  ],
  [
    'LORA with norms, the head and the embedding',
    { ...loraConfig, modules_to_save: ['input_layernorm', 'model.norm', 'embed_tokens', 'lm_head'] },
    [
      ...lows(2, 'wq', 'wv'),
      ...norms('attention_norm'),
      ...norms('norm'),
      table,
      tensor(`${FRONT}lm_head.weight`, [17, 10]),
    ],
    base,
    { lora_dropout: 0 },
  ],
  [
    'LORA with the table of a tied base',
    { ...loraConfig, modules_to_save: ['embed_tokens'], ensure_weight_tying: true },
    [...lows(2, 'wq', 'wv'), table, { ...table, name: `${FRONT}lm_head.weight` }],
    tied,
    { lora_dropout: 0 },
  ],
  [
    'IA3',
    {
      peft_type: 'IA3',
      target_modules: ['k_proj', 'up_proj', 'down_proj'],
      feedforward_modules: ['up_proj', 'down_proj'],
      modules_to_save: ['input_layernorm'],
    },
    [
      ...factors('wk', [12, 1]),
      ...factors('w3', [1, 10]),
      ...factors('w2', [1, 14]),
      ...norms('attention_norm'),
    ],
    interleaved,
  ],
  [
    'IA3 in one layer',
    {
      peft_type: 'IA3',
      target_modules: ['model.layers.1.self_attn.k_proj', 'model.layers.1.mlp.down_proj'],
      feedforward_modules: ['model.layers.1.mlp.down_proj'],
    },
    [...factors('1.attention.wk', [12, 1]), ...factors('1.feed_forward.w2', [1, 14])],
  ],
  [
    'PROMPT_TUNING',
    {
      peft_type: 'PROMPT_TUNING',
      num_virtual_tokens: 3,
      token_dim: 10,
      num_layers: 3,
      num_attention_heads: 4,
    },
    [tensor('prompt_embeddings', [3, 10])],
  ],
  [
    'PREFIX_TUNING',
    {
      peft_type: 'PREFIX_TUNING',
      num_virtual_tokens: 3,
      token_dim: 12,
      num_layers: 3,
      num_attention_heads: 2,
    },
    [tensor('prompt_embeddings', [3, 72])],
    interleaved,
  ],
  [
    'ADAPTION_PROMPT',
    { peft_type: 'ADAPTION_PROMPT', adapter_len: 4, adapter_layers: 2, target_modules: 'self_attn' },
    [1, 2].flatMap((layer) => [
      tensor(`${FRONT}model.layers.${layer}.self_attn.adaption_prompt`, [1, 4, 24]),
      tensor(`${FRONT}model.layers.${layer}.self_attn.adaption_gate`, [1]),
    ]),
    square,
  ],
  [
    'LN_TUNING',
    { peft_type: 'LN_TUNING', target_modules: ['input_layernorm', 'norm'] },
    [...norms('attention_norm', 'ln_tuning_layers.weight'), ...norms('norm', 'ln_tuning_layers.weight')],
  ],
];

const gemma: Base = { ...base, family: 'gemma2', tied: true };
const headNorms: Base = { ...base, family: 'qwen3', rope: { style: 'interleaved', theta: 10000 } };

t('norms of Gemma are 1 + w here and w in the folder', async () => {
  for (const config of [
    { peft_type: 'LN_TUNING', target_modules: ['input_layernorm'] },
    { ...loraConfig, modules_to_save: ['input_layernorm'] },
  ]) {
    const end = config.peft_type === 'LN_TUNING' ? 'ln_tuning_layers.weight' : 'weight';
    // Of few bits, so that adding 1 rounds nothing away.
    const tensors = norms('attention_norm', end).map((one) => ({
      ...one,
      values: new Float32Array(10).fill(0.25),
    }));
    const low = config.peft_type === 'LORA' ? lows(2, 'wq', 'wv') : [];
    const { model, values } = modelOfParts(await importFrom(config, [...low, ...tensors], gemma), gemma);
    assert.equal([...new Set(values.get('layers.0.attention_norm.weight'))], [1.25]);
    assert.equal(plain(exportPeft(model, values, null).tensors), plain([...low, ...tensors]));
  }
});

t('norms of heads follow the order of the rows that are rotated', async () => {
  const tensors = [0, 1, 2].map((layer) =>
    tensor(`${FRONT}model.layers.${layer}.self_attn.q_norm.ln_tuning_layers.weight`, [6]),
  );
  const config = { peft_type: 'LN_TUNING', target_modules: ['q_norm'] };
  const { model, values } = modelOfParts(await importFrom(config, tensors, headNorms), headNorms);
  const theirs = tensors[0]!.values as Float32Array;
  assert.equal(
    [...values.get('layers.0.attention.q_norm.weight')!],
    [0, 3, 1, 4, 2, 5].map((i) => theirs[i]),
  );
  assert.equal(plain(exportPeft(model, values, null).tensors), plain(tensors));
});

t('linears that share a module are refused: Phi-3 has queries, keys and values in one', async () => {
  const phi3: Base = { ...base, family: 'phi3' };
  const model = modelOf('lora low on layers.attention.wq { rank = 2 }', phi3);
  assert.throws(
    () => exportPeft(model, randomValues(model), null),
    /`low` \(lora\) has no place.*`layers\.0\.attention\.wq` is only some rows of `model\.layers\.0\.self_attn\.qkv_proj`/,
  );
  const key = `${FRONT}model.layers.0.self_attn.qkv_proj`;
  const fused = [tensor(`${key}.lora_A.weight`, [2, 10]), tensor(`${key}.lora_B.weight`, [48, 2])];
  await importFrom({ ...loraConfig, target_modules: ['qkv_proj'] }, fused, phi3).then(
    () => assert.unreachable(),
    ({ message }: Error) =>
      assert.match(
        message,
        /numbers for `model\.layers\.0\.self_attn\.qkv_proj`, which is one module of PEFT's for `layers\.0\.attention\.wq`, `layers\.0\.attention\.wk`, `layers\.0\.attention\.wv`:/,
      ),
  );
});

for (const [name, config, tensors, of = base, otherwise = {}] of cases)
  t(`${name} comes out as it went in`, async () => {
    const parts = await importFrom(config, tensors, of);
    const { model, values } = modelOfParts(parts, of);
    const out = exportPeft(model, values, 'org/model');
    assert.equal(plain(out.tensors), plain(tensors));
    for (const [key, value] of Object.entries({ ...config, ...otherwise }))
      assert.equal(sorted(out.config[key]), sorted(value), key);
    assert.is(out.config['base_model_name_or_path'], 'org/model');
    // What it says is what it said.
    assert.equal(lines(await importFrom(out.config, out.tensors, of)), lines(parts));
  });

/** A list of names says the same in any order. */
const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(String).sort((a, b) => (a < b ? -1 : 1)) : value;

t('alpha = none multiplies by 1', () => {
  for (const [attributes, alpha] of [
    ['rank = 4', 4],
    ['rank = 4  rslora = true', 2],
  ] as const) {
    const model = modelOf(`lora low on layers.attention.wq { ${attributes} }`, base);
    assert.is(exportPeft(model, randomValues(model), null).config['lora_alpha'], alpha);
  }
});

const refused: readonly [string, string, RegExp, Base?][] = [
  [
    'two methods',
    'lora low on layers.attention.wq\nprompt words on layers[last 1] { length = 2 }',
    /`words` \(prompt\) has no place in PEFT's LORA: the folder holds `low`/,
  ],
  [
    'a part that PEFT has no method for',
    'bias b on layers.attention.wq',
    /`X` has no part that PEFT has a method for/,
  ],
  [
    'two updates of one linear',
    'lora one on layers.attention.wq\nlora two on layers[0].attention.wq',
    /`two` \(lora\) .*`layers\.0\.attention\.wq` has the update of `one` already/,
  ],
  [
    'rsLoRA in one of two',
    'lora one on layers.attention.wq\nlora two on layers.attention.wv { rslora = true }',
    /`two` \(lora\) .*`use_rslora` is one setting/,
  ],
  [
    'DoRA in one of two',
    'lora one on layers.attention.wq { dora = true }\nlora two on layers.attention.wv',
    /`two` \(lora\) .*`use_dora` is one setting/,
  ],
  [
    'biases of some',
    'lora low on layers.attention.wq\nunfreeze b on layers.attention.wk { of = biases }',
    /`b` \(unfreeze\) .*`bias` is of every linear/,
    biased,
  ],
  [
    'a weight without its bias',
    'lora low on layers.attention.wq\nunfreeze w on layers.attention.wk { of = weights }',
    /`w` \(unfreeze\) .*a module is saved with its bias/,
    biased,
  ],
  [
    'a module with an update',
    'lora low on layers.attention.wq\nunfreeze w on layers.attention.wq',
    /`w` \(unfreeze\) .*either saved as a whole or has the method/,
  ],
  [
    'factors of norms',
    'scale s on layers.attention_norm',
    /`s` \(scale\) .*`layers\.0\.attention_norm` is no linear/,
  ],
  ['prefixes in some layers', 'prefix p on layers[0..1] { length = 2 }', /`p` \(prefix\) .*in every layer/],
  [
    'a gate of each head',
    'prompt p on layers[last 2] { length = 2 }',
    /`p` \(prompt\) .*its gate is `raw\(per: layer\)`/,
  ],
  [
    'prompts in the first layers',
    'prompt p on layers[first 2] { length = 2  gate = raw(init: 1, per: layer) }',
    /`p` \(prompt\) .*in the last layers/,
  ],
  [
    'prompts where heads are narrower than the model',
    'prompt p on layers[last 2] { length = 2  gate = raw(init: 1, per: layer) }',
    /`p` \(prompt\) .*not 4 x 6/,
  ],
  [
    'two prompts',
    'prompt p on input { length = 2 }\nprompt q on input { length = 2 }',
    /`q` \(prompt\) .*`p` is all/,
  ],
  [
    'a linear beside norms',
    'unfreeze n on layers.attention_norm\nunfreeze w on layers.attention.wq',
    /`w` \(unfreeze\)/,
  ],
];
for (const [what, items, message, of = base] of refused)
  t(`${what}: refused by part`, () => {
    const model = modelOf(items, of);
    assert.throws(
      () => exportPeft(model, randomValues(model), null),
      (error: Error) => message.test(error.message) || assert.unreachable(error.message),
    );
  });

t('numbers that the file does not have', () => {
  const model = modelOf('lora low on layers.attention.wq', base);
  assert.throws(
    () => exportPeft(model, new Map(), null),
    /no numbers for `low\.layers\.0\.attention\.wq\.a`/,
  );
});

t('every place is named as Hugging Face names it', () => {
  const model = modelOf('lora low on every linear { rank = 2 }', base);
  const { config } = exportPeft(model, randomValues(model), null);
  assert.is(
    (config['target_modules'] as string[]).length,
    new Set(
      sitesOf(base)
        .filter(({ kind }) => kind === 'linear')
        .map(({ role }) => role),
    ).size,
  );
});

t.run();
