/** Our parts as a folder of PEFT: what was imported comes out again. */
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
