/** SmolLM3: LLaMA whose every fourth layer has no rotary positions. */
import type { Family } from './family.ts';
import { llama } from './llama.ts';

export const smollm3: Family = {
  ...llama,
  name: 'smollm3',
  doc: 'SmolLM3.',
  source: '`modeling_smollm3.py` of transformers',
  unrotated: true,
  unsaid: {
    ...llama.unsaid,
    num_key_value_heads: 4,
    rope_theta: 2e6,
    tie_word_embeddings: true,
    no_rope_layer_interval: 4,
  },
};
