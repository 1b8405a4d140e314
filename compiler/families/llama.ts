/** LLaMA: a norm before attention and one before a gated feed-forward network, rotary positions, grouped queries. */
import { noWindows } from './config-windows.ts';
import type { Family } from './family.ts';
import { attention, embedding, feedForward, normAndHead, normsBefore } from './places.ts';

export const llama: Family = {
  name: 'llama',
  doc: 'LLaMA 1 to 3, and what has its network under another name (TinyLlama, SmolLM2).',
  source: 'LLaMA, arXiv 2302.13971; `modeling_llama.py` of transformers',
  layer: [...attention('attention_norm'), ...feedForward('ffn_norm'), ...normsBefore],
  before: embedding,
  after: normAndHead,
  biases: [
    { linears: ['wq', 'wk', 'wv', 'wo'], key: 'attention_bias' },
    { linears: ['w1', 'w2', 'w3'], key: 'mlp_bias' },
    { linears: ['output'], key: null },
  ],
  activation: 'silu',
  windows: noWindows,
  unsaid: {
    num_key_value_heads: null,
    head_dim: null,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: false,
  },
};
