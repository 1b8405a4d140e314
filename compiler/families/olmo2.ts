/** OLMo 2: no norm before attention and the feed-forward network but one behind each, and norms of all queries and of all keys. */
import type { Family } from './family.ts';
import { llama } from './llama.ts';
import { attention, feedForward, normsAfter, queryAndKeyNorms } from './places.ts';

export const olmo2: Family = {
  ...llama,
  name: 'olmo2',
  doc: 'OLMo 2.',
  source: 'OLMo 2, arXiv 2501.00656; `modeling_olmo2.py` of transformers',
  layer: [...attention(null), ...queryAndKeyNorms('heads'), ...feedForward(null), ...normsAfter],
  biases: [
    { linears: ['wq', 'wk', 'wv', 'wo'], key: 'attention_bias' },
    { linears: ['w1', 'w2', 'w3'], key: null },
    { linears: ['output'], key: null },
  ],
  unsaid: { ...llama.unsaid, rms_norm_eps: 1e-5 },
};
