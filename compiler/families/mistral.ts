/** Mistral: LLaMA with a head width that need not be a share of the width, and mostly with a window in every layer. */
import type { Family } from './family.ts';
import { llama } from './llama.ts';

export const mistral: Family = {
  ...llama,
  name: 'mistral',
  doc: 'Mistral 7B and Mistral Nemo.',
  source: 'Mistral 7B, arXiv 2310.06825; `modeling_mistral.py` of transformers',
  biases: [
    { linears: ['wq', 'wk', 'wv', 'wo'], key: null },
    { linears: ['w1', 'w2', 'w3'], key: null },
    { linears: ['output'], key: null },
  ],
  windows: { rule: 'all', unsaid: { sliding_window: 4096 } },
  unsaid: { ...llama.unsaid, num_key_value_heads: 8 },
};
