/** Gemma 3, its text models: Gemma 2 with norms of queries and keys in place of caps, and two rotary bases. */
import type { Family } from './family.ts';
import { gemma2, gemmaNorms } from './gemma2.ts';
import { attention, feedForward, queryAndKeyNorms } from './places.ts';

export const gemma3: Family = {
  ...gemma2,
  name: 'gemma3_text',
  doc: 'Gemma 3, the text models and the text part of the others.',
  source: 'Gemma 3, arXiv 2503.19786; `modeling_gemma3.py` of transformers',
  layer: [
    ...attention('attention_norm'),
    ...queryAndKeyNorms('head'),
    ...feedForward('ffn_norm'),
    ...gemmaNorms,
  ],
  windows: { rule: 'pattern', unsaid: { sliding_window: 4096, sliding_window_pattern: 6 } },
  scores: { query_pre_attn_scalar: 256, attn_logit_softcapping: null, final_logit_softcapping: null },
  localTheta: 10000,
  unsaid: { ...gemma2.unsaid, rope_theta: 1e6 },
};
