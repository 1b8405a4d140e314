/** Models that specs of tests and of the docs may name: the files of their folders, by path. */

/** A tiny Qwen3 as transformers 4 describes one. */
export const qwen3 = {
  model_type: 'qwen3',
  num_hidden_layers: 3,
  hidden_size: 36,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 12,
  intermediate_size: 44,
  vocab_size: 101,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 },
  tie_word_embeddings: true,
};

export const modelFiles: Readonly<Record<string, string>> = {
  'models/qwen3/config.json': JSON.stringify(qwen3),
  'models/bert/config.json': JSON.stringify({ model_type: 'bert', hidden_size: 36 }),
};
