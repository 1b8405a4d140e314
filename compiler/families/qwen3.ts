/** Qwen3: LLaMA with a norm of each head's queries and keys before they are rotated, and a head width of its own. */
import type { Family } from './family.ts';
import { attention, embedding, feedForward, normAndHead, normsBefore, queryAndKeyNorms } from './places.ts';

export const qwen3: Family = {
  name: 'qwen3',
  doc: 'Qwen3, the dense models.',
  source: 'Qwen3, arXiv 2505.09388; `modeling_qwen3.py` of transformers',
  layer: [
    ...attention('attention_norm'),
    ...queryAndKeyNorms('head'),
    ...feedForward('ffn_norm'),
    ...normsBefore,
  ],
  before: embedding,
  after: normAndHead,
  biases: [
    { linears: ['wq', 'wk', 'wv', 'wo'], key: 'attention_bias' },
    { linears: ['w1', 'w2', 'w3'], key: null },
    { linears: ['output'], key: null },
  ],
  activation: 'silu',
  windows: { rule: 'late', unsaid: { sliding_window: 4096, max_window_layers: 28 } },
  unsaid: {
    num_key_value_heads: 32,
    head_dim: 128,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: false,
  },
};
