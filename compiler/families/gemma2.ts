/** Gemma 2: four norms a layer, each 1 + w, GELU, embeddings times the root of their width, soft caps, a window in every other layer. */
import type { Family } from './family.ts';
import { attention, embedding, feedForward, norm, normAndHead, normsAfter } from './places.ts';

/** Norms before attention and before the feed-forward network; Gemma's files call the second another name than LLaMA's. */
export const gemmaNorms = [
  norm('attention_norm', 'attentionNorm', 'input_layernorm', 'a'),
  norm('ffn_norm', 'ffnNorm', 'pre_feedforward_layernorm', 'f'),
  ...normsAfter,
];

export const gemma2: Family = {
  name: 'gemma2',
  doc: 'Gemma 2.',
  source: 'Gemma 2, arXiv 2408.00118; `modeling_gemma2.py` of transformers',
  layer: [...attention('attention_norm'), ...feedForward('ffn_norm'), ...gemmaNorms],
  before: embedding,
  after: normAndHead,
  biases: [
    { linears: ['wq', 'wk', 'wv', 'wo'], key: 'attention_bias' },
    { linears: ['w1', 'w2', 'w3'], key: null },
    { linears: ['output'], key: null },
  ],
  activation: 'geluTanh',
  normOffset: 1,
  embeddingFactor: 'root of dim',
  windows: { rule: 'even', unsaid: { sliding_window: 4096 } },
  scores: { query_pre_attn_scalar: 256, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
  unsaid: {
    num_key_value_heads: 4,
    head_dim: 256,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: true,
  },
};
