/** Phi-3: LLaMA whose files hold queries, keys and values in one tensor and both inner linears in another; heads may turn in part. */
import type { Family } from './family.ts';
import { llama } from './llama.ts';

/** Hugging Face's tensors that several of our linears share, in the order of the places. */
const shared: Readonly<Record<string, string>> = {
  'attention.wq': 'self_attn.qkv_proj',
  'attention.wk': 'self_attn.qkv_proj',
  'attention.wv': 'self_attn.qkv_proj',
  'feed_forward.w1': 'mlp.gate_up_proj',
  'feed_forward.w3': 'mlp.gate_up_proj',
};

export const phi3: Family = {
  ...llama,
  name: 'phi3',
  doc: 'Phi-3 and Phi-3.5, the dense models.',
  source: 'Phi-3, arXiv 2404.14219; `modeling_phi3.py` of transformers',
  layer: llama.layer.map((place) => ({ ...place, huggingface: shared[place.name] ?? place.huggingface })),
  // Whoever adds a bias to one of those that share a tensor adds it to all of them.
  biases: [
    { linears: ['wq', 'wk', 'wv'], key: null },
    { linears: ['wo'], key: null },
    { linears: ['w1', 'w3'], key: null },
    { linears: ['w2'], key: null },
    { linears: ['output'], key: null },
  ],
  windows: { rule: 'all', unsaid: { sliding_window: null } },
  partial: true,
  unsaid: { ...llama.unsaid, rms_norm_eps: 1e-5 },
};
