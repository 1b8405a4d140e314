/**
 * The names tensors of a LLaMA go by in files. Ours are Meta's: `layers.3.attention.wq.weight`.
 */
import type { RopeStyle } from './rope.ts';

/** Meta's name within a layer -> Hugging Face's. */
const layerNames: Readonly<Record<string, string>> = {
  'attention.wq': 'self_attn.q_proj',
  'attention.wk': 'self_attn.k_proj',
  'attention.wv': 'self_attn.v_proj',
  'attention.wo': 'self_attn.o_proj',
  'feed_forward.w1': 'mlp.gate_proj',
  'feed_forward.w2': 'mlp.down_proj',
  'feed_forward.w3': 'mlp.up_proj',
  attention_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
};
const otherNames: Readonly<Record<string, string>> = {
  tok_embeddings: 'model.embed_tokens',
  norm: 'model.norm',
  output: 'lm_head',
};
const reverse = (names: Readonly<Record<string, string>>): Map<string, string> =>
  new Map(Object.entries(names).map(([ours, theirs]) => [theirs, ours]));
const metaLayerNames = reverse(layerNames);
const metaOtherNames = reverse(otherNames);

/** Hugging Face's name of a base tensor: `layers.3.attention.wq.weight` -> `model.layers.3.self_attn.q_proj.weight`. */
export function huggingfaceName(meta: string): string | null {
  const { stem, suffix } = split(meta);
  const layer = /^layers\.(\d+)\.(.+)$/.exec(stem);
  const name = layer ? layerNames[layer[2]!] : otherNames[stem];
  if (name === undefined) return null;
  return `${layer ? `model.layers.${layer[1]}.` : ''}${name}.${suffix}`;
}

/** The reverse: Meta's name, or null when it is no name of Hugging Face's LLaMA. */
export function metaName(huggingface: string): string | null {
  const { stem, suffix } = split(huggingface);
  const layer = /^model\.layers\.(\d+)\.(.+)$/.exec(stem);
  const name = layer ? metaLayerNames.get(layer[2]!) : metaOtherNames.get(stem);
  if (name === undefined) return null;
  return `${layer ? `layers.${layer[1]}.` : ''}${name}.${suffix}`;
}

/** What a tensor is called in a file of this naming, also one that the file does not have yet: a merged bias. */
export function nameIn(naming: Naming, ours: string): string {
  const known = naming.names.get(ours);
  if (known !== undefined) return known;
  if (naming.style === 'huggingface') return huggingfaceName(ours) ?? ours;
  const embedding = naming.names.get(EMBEDDING) ?? EMBEDDING;
  return embedding.slice(0, -EMBEDDING.length) + ours;
}

const EMBEDDING = 'tok_embeddings.weight';

function split(name: string): { stem: string; suffix: string } {
  const dot = name.lastIndexOf('.');
  return { stem: name.slice(0, dot), suffix: name.slice(dot + 1) };
}

/** How a file names its tensors, and what goes with it. */
export interface Naming {
  readonly style: 'meta' | 'huggingface';
  /** Order of the rows of wq and wk. */
  readonly rope: RopeStyle;
  /** Our name -> the file's, for every tensor whose name is known. */
  readonly names: ReadonlyMap<string, string>;
  /** Tensors of the file that are not part of a LLaMA by their names. */
  readonly others: readonly string[];
}

/** Tables that can be computed: nothing is lost by not reading them. */
const ignored = /(^|\.)(rope\.freqs|rotary_emb\.inv_freq|freqs_cis)$/;

/**
 * Recognises the names of a file: Meta's, Meta's behind `llama.` (the released multi-modal V2; older files misspell
 * it `llma.`), or Hugging Face's. A file Graft wrote states its row order in the metadata entry `rope`.
 */
export function recogniseNames(
  files: Iterable<string>,
  metadata: Readonly<Record<string, string>> = {},
): Naming {
  const names = new Map<string, string>();
  const others: string[] = [];
  let huggingface = 0;
  for (const file of files) {
    if (ignored.test(file)) continue;
    const fromHuggingface = metaName(file);
    if (fromHuggingface !== null) huggingface++;
    const meta = fromHuggingface ?? file.replace(/^(llama|llma)\./, '');
    if (huggingfaceName(meta) !== null) names.set(meta, file);
    else others.push(file);
  }
  const style = huggingface > 0 ? 'huggingface' : 'meta';
  const stated = metadata['rope'];
  const rope =
    stated === 'half' || stated === 'interleaved' ? stated : style === 'meta' ? 'interleaved' : 'half';
  return { style, rope, names, others };
}
