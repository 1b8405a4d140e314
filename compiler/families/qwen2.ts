/** Qwen2 and Qwen2.5: LLaMA with biases on queries, keys and values, which no key of config.json announces. */
import type { Family } from './family.ts';
import { llama } from './llama.ts';

export const qwen2: Family = {
  ...llama,
  name: 'qwen2',
  doc: 'Qwen2 and Qwen2.5, the dense models.',
  source: 'Qwen2, arXiv 2407.10671; `modeling_qwen2.py` of transformers',
  biases: [
    { linears: ['wq', 'wk', 'wv'], key: 'always' },
    { linears: ['wo'], key: null },
    { linears: ['w1', 'w2', 'w3'], key: null },
    { linears: ['output'], key: null },
  ],
  windows: { rule: 'late', unsaid: { sliding_window: 4096, max_window_layers: 28 } },
  unsaid: { ...llama.unsaid, num_key_value_heads: 32 },
};
