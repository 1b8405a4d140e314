/**
 * GGUF's names of tensors as Hugging Face's, and what llama.cpp's converter changed in their numbers.
 *
 * Source: llama.cpp's `gguf-py/gguf/tensor_mapping.py` and `convert_hf_to_gguf.py`.
 */

/** Models outside the layers. */
const outside: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
  'output.bias': 'lm_head.bias',
};

/** Within a layer, by the part of the name between `blk.N.` and `.weight` or `.bias`. */
const inside: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_qkv: 'self_attn.qkv_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  post_attention_norm: 'post_attention_layernorm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
  post_ffw_norm: 'post_feedforward_layernorm',
};

/** Where an architecture gives a name another meaning. */
const particular: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gemma2: { ffn_norm: 'pre_feedforward_layernorm' },
  gemma3: { ffn_norm: 'pre_feedforward_layernorm' },
  phi3: { ffn_up: 'mlp.gate_up_proj' },
};

/** Architectures whose rows of queries and keys the converter put into Meta's order of neighbouring pairs. */
const pairsOfNeighbours = new Set(['llama', 'smollm3']);

/** Architectures whose norms are stored as 1 + w. */
const normsPlusOne = new Set(['gemma2', 'gemma3']);

/** Tensors that hold factors of rotary frequencies and belong to the configuration. */
export const ROTARY_FACTORS = {
  frequencies: 'rope_freqs.weight',
  long: 'rope_factors_long.weight',
  short: 'rope_factors_short.weight',
} as const;

const configuration = new Set<string>(Object.values(ROTARY_FACTORS));

/**
 * Hugging Face's name, or null for a tensor that belongs to the configuration. A name that is not known keeps its
 * layer, so that whoever checks a layer for tensors without a place sees it.
 */
export function huggingfaceName(architecture: string, name: string): string | null {
  if (configuration.has(name)) return null;
  const known = outside[name];
  if (known !== undefined) return known;
  const found = /^blk\.(\d+)\.(.+?)(\.weight|\.bias|)$/.exec(name);
  if (!found) return name;
  const [, layer = '', site = '', end = ''] = found;
  return `model.layers.${layer}.${particular[architecture]?.[site] ?? inside[site] ?? site}${end}`;
}

/** How a tensor's numbers differ from Hugging Face's. */
export type Change =
  | { readonly kind: 'none' }
  /** Rows of each head as neighbouring pairs; `heads` heads. */
  | { readonly kind: 'pairs'; readonly heads: number }
  /** Each number is 1 more. */
  | { readonly kind: 'plusOne' };

export function changeOf(
  architecture: string,
  name: string,
  heads: { readonly query: number; readonly key: number },
): Change {
  const site = /^blk\.\d+\.(attn_q|attn_k)\.(?:weight|bias)$/.exec(name)?.[1];
  if (site !== undefined && pairsOfNeighbours.has(architecture))
    return { kind: 'pairs', heads: site === 'attn_q' ? heads.query : heads.key };
  if (normsPlusOne.has(architecture) && name.endsWith('norm.weight')) return { kind: 'plusOne' };
  return { kind: 'none' };
}

/** Undoes the change in place or in a copy: `values` has `rows` rows. */
export function undo(change: Change, values: Float32Array, rows: number): Float32Array {
  switch (change.kind) {
    case 'none':
      return values;
    case 'plusOne':
      return values.map((value) => value - 1);
    case 'pairs':
      return halves(values, rows, change.heads);
  }
}

/** Rows of each head from neighbouring pairs (0, 1), (2, 3), ... to a first and a second half. */
function halves(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows;
  const size = rows / heads;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const within = row % size;
    const to = row - within + (within % 2) * (size / 2) + (within >> 1);
    out.set(values.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}
