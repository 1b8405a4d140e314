/** config.json of transformers 4 and 5: what is read, what is refused by name, and what contradicts a base. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { contradictions } from '../../compiler/families/agrees.ts';
import type { Config } from '../../compiler/families/config-reader.ts';
import { type ConfigBase, readConfig } from '../../compiler/families/config.ts';

const t = suite('config.json');

const llama: Config = {
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
};

function baseOf(more: Config): ConfigBase {
  const { base, problems } = readConfig({ ...llama, ...more });
  assert.equal(problems, []);
  return base!;
}
const refused = (more: Config): string =>
  readConfig({ ...llama, ...more })
    .problems.map(({ message }) => message)
    .join('; ');

t('sizes, and what a key means that is not there', () => {
  const base = baseOf({});
  assert.equal(
    [base.layers, base.dim, base.heads, base.kvHeads, base.headDim, base.ffn],
    [3, 64, 8, 4, 8, 96],
  );
  assert.equal(
    [base.normEps, base.tied, base.biases, base.rope],
    [1e-5, false, undefined, { style: 'half', theta: 10000 }],
  );
  assert.is(baseOf({ num_key_value_heads: undefined }).kvHeads, 8);
  assert.is(baseOf({ rms_norm_eps: undefined }).normEps, 1e-6);
  assert.is(baseOf({ head_dim: 16 }).headDim, 16);
  assert.is(baseOf({ hidden_size: '64', rms_norm_eps: '1e-05' }).dim, 64);
});

t('a switch that is neither on nor off is refused by name; null turns it off', () => {
  assert.match(
    refused({ attention_bias: 'true' }),
    /^has "true" for `attention_bias`, which is true or false$/,
  );
  assert.match(refused({ model_type: 'qwen2', use_sliding_window: 1 }), /`use_sliding_window`/);
  assert.match(refused({ tie_word_embeddings: 'false' }), /`tie_word_embeddings`/);
  assert.is(baseOf({ tie_word_embeddings: null }).tied, false);
});

t('a cap or a factor that is no number is refused, not left out', () => {
  assert.match(
    refused({ model_type: 'gemma2', attn_logit_softcapping: 'x' }),
    /no number in `attn_logit_soft/,
  );
  const rope_scaling = { rope_type: 'yarn', factor: 2, attention_factor: 'x' };
  assert.match(refused({ rope_scaling }), /has no number `attention_factor` in `rope_scaling`/);
});

t('more layers than can be built are refused before a list of them is made', () => {
  for (const model_type of ['llama', 'mistral', 'gemma2', 'smollm3'])
    assert.match(
      refused({ model_type, num_hidden_layers: 1e9 }),
      /^comes to 1000000000 for `num_hidden_layers`/,
    );
});

t('key heads that are null are as many as query heads, also where a family has a number of its own', () => {
  for (const model_type of ['qwen2', 'mistral', 'llama'])
    assert.is(baseOf({ model_type, num_key_value_heads: null }).kvHeads, 8, model_type);
});

t('biases by their switches', () => {
  assert.equal(baseOf({ attention_bias: true }).biases, ['wq', 'wk', 'wv', 'wo']);
  assert.equal(baseOf({ mlp_bias: true }).biases, ['w1', 'w2', 'w3']);
});

t('rotary positions in the keys of transformers 4 and of 5', () => {
  const theta = (more: Config) => baseOf(more).rope.theta;
  assert.is(theta({ rope_theta: 5e5 }), 5e5);
  assert.is(theta({ rope_theta: '500000' }), 5e5);
  assert.is(theta({ rope_parameters: { rope_type: 'default', rope_theta: 1e5 } }), 1e5);
  assert.is(theta({ rope_scaling: { type: 'default' }, rope_theta: 1e5 }), 1e5);
  assert.is(theta({ rope_scaling: null, rope_theta: 1e5 }), 1e5);
  const scaled = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
  const expected = {
    style: 'half',
    theta: 5e5,
    scaling: { kind: 'llama3', factor: 8, low: 1, high: 4, original: 64 },
  };
  for (const more of [
    { rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...scaled } },
    { rope_theta: 5e5, rope_scaling: { type: 'llama3', ...scaled, factor: '8.0' } },
    { rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...scaled } },
  ])
    assert.equal(baseOf(more).rope, expected);
  assert.equal(baseOf({ rope_scaling: { type: 'linear', factor: 2 } }).rope.scaling, {
    kind: 'linear',
    factor: 2,
  });
  assert.equal(baseOf({ rope_scaling: { type: 'yarn', factor: 4 } }).rope.scaling, {
    kind: 'yarn',
    factor: 4,
    original: 256,
    fast: 32,
    slow: 1,
    attention: null,
    truncate: true,
  });
});

const refusals: readonly (readonly [Config, RegExp])[] = [
  [{ model_type: 'mixtral' }, /of a model of type `mixtral`/],
  [{ hidden_size: undefined }, /no number `hidden_size`/],
  [{ hidden_size: 60 }, /comes to 7\.5 for `head_dim`/],
  [{ hidden_act: 'gelu' }, /`hidden_act` = `gelu`/],
  [{ partial_rotary_factor: 0.5 }, /`partial_rotary_factor` = `0\.5`/],
  [{ quantization_config: { quant_method: 'gptq', bits: 4 } }, /`quantization_config` = `gptq`/],
  [{ sliding_window: 128 }, /a window of `128` tokens/],
  [{ layer_types: ['full_attention', 'sliding_attention'] }, /`sliding_attention`/],
  [{ num_local_experts: 8 }, /`num_local_experts` = `8`/],
  [{ final_logit_softcapping: 30 }, /`final_logit_softcapping`/],
  [{ no_rope_layers: [1, 0, 1] }, /without rotary positions/],
  [{ rope_scaling: { type: 'mrope', factor: 2 } }, /by `mrope` \(`rope_type` in `rope_scaling`\)/],
  [
    { rope_scaling: { rope_type: 'frequency_factors', frequency_factors: [1, 2] } },
    /2 factors of frequencies for 4 pairs/,
  ],
  [{ rope_scaling: { rope_type: 'frequency_factors' } }, /no list of numbers above 0 in `frequency_factors`/],
  [{ rope_scaling: { rope_type: 'linear' } }, /no number `factor` in `rope_scaling`/],
  [{ rope_scaling: { rope_type: 'yarn', factor: 4, mscale: 0.7 } }, /`mscale` = `0\.7`/],
  [{ rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.25 } }, /`partial_rotary_factor`/],
  [{ rope_parameters: { full_attention: { rope_type: 'default', rope_theta: 1e6 } } }, /each type of layer/],
  [{ rope_theta: 1e6, rope_parameters: { rope_type: 'default', rope_theta: 1e4 } }, /1000000 and 10000/],
];
for (const [more, pattern] of refusals)
  t(`refused: ${JSON.stringify(more)}`, () => assert.match(refused(more), pattern));

t('what changes nothing is no reason to refuse', () => {
  const quiet: Config = {
    ...{ quantization_config: null, attention_bias: false, sliding_window: null, rope_interleaved: false },
    ...{
      attention_dropout: 0.1,
      pretraining_tp: 2,
      use_cache: true,
      torch_dtype: 'bfloat16',
      bos_token_id: 1,
    },
    ...{ layer_types: ['full_attention', 'full_attention', 'full_attention'], partial_rotary_factor: 1 },
    ...{ sliding_window: 128, use_sliding_window: false, _name_or_path: 'somewhere' },
  };
  assert.is(refused(quiet), '');
});

t('a base is told what its config.json says otherwise', () => {
  const base = { name: 'b', ...baseOf({}) };
  assert.equal(contradictions(base, llama), []);
  const other = (more: Config): string => contradictions(base, { ...llama, ...more }).join('; ');
  assert.is(
    other({ rope_theta: 5e5 }),
    '`rope` is half(theta: 500000) there, half(theta: 10000) in the base',
  );
  assert.match(other({ rms_norm_eps: 1e-6 }), /`norm_eps` is 0\.000001 there/);
  assert.is(other({ rms_norm_eps: 9.999999747378752e-6 }), '');
  assert.match(other({ attention_bias: true }), /`biases` is \[wq, wk, wv, wo\] there, none in the base/);
  assert.match(other({ num_hidden_layers: 4 }), /`layers` is 4 there, 3 in the base/);
  assert.match(other({ model_type: 'ernie4_5' }), /of a model of type `ernie4_5`/);
  assert.is(other({ max_position_embeddings: 4096 }), '');
  assert.is(other({ tie_word_embeddings: true }), '`tied` is true there, false in the base');
  assert.equal(contradictions({ ...base, tied: true }, llama), []);
  assert.equal(contradictions({ ...base, rope: { style: 'interleaved', theta: 10000 } }, llama), []);
});

t.run();
