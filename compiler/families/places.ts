/** The places that most families have, under the names of Meta's checkpoints. */
import type { Role } from '../model/model.ts';
import type { Place, Width } from './family.ts';

const place = (
  kind: Place['kind'],
  name: string,
  role: Role,
  [input, output]: readonly [Width, Width],
  huggingface: string,
  more: Pick<Place, 'letter' | 'reads'> = {},
): Place => ({ name, role, kind, input, output, huggingface, ...more });

/** The norm that a linear reads; null: it reads the hidden state as it is. */
const after = (reads: string | null): Pick<Place, 'reads'> => (reads === null ? {} : { reads });

/** The four linears of attention; `reads` is the norm before them, null where none is. */
export const attention = (reads: string | null): readonly Place[] => [
  place('linear', 'attention.wq', 'query', ['dim', 'queries'], 'self_attn.q_proj', {
    letter: 'q',
    ...after(reads),
  }),
  place('linear', 'attention.wk', 'key', ['dim', 'keys'], 'self_attn.k_proj', {
    letter: 'k',
    ...after(reads),
  }),
  place('linear', 'attention.wv', 'value', ['dim', 'keys'], 'self_attn.v_proj', {
    letter: 'v',
    ...after(reads),
  }),
  place('linear', 'attention.wo', 'attentionOutput', ['queries', 'dim'], 'self_attn.o_proj', { letter: 'o' }),
];

/** Norms of the queries and of the keys before they are rotated: of each head by itself, or over all heads. */
export const queryAndKeyNorms = (over: 'head' | 'heads'): readonly Place[] => {
  const [queries, keys]: readonly [Width, Width] = over === 'head' ? ['head', 'head'] : ['queries', 'keys'];
  return [
    place('norm', 'attention.q_norm', 'queryNorm', [queries, queries], 'self_attn.q_norm', { letter: 'Q' }),
    place('norm', 'attention.k_norm', 'keyNorm', [keys, keys], 'self_attn.k_norm', { letter: 'K' }),
  ];
};

/** The gated feed-forward network: w2 (f(w1 x) * w3 x); `reads` as for `attention`. */
export const feedForward = (reads: string | null): readonly Place[] => [
  place('linear', 'feed_forward.w1', 'gate', ['dim', 'ffn'], 'mlp.gate_proj', {
    letter: '1',
    ...after(reads),
  }),
  place('linear', 'feed_forward.w2', 'down', ['ffn', 'dim'], 'mlp.down_proj', { letter: '2' }),
  place('linear', 'feed_forward.w3', 'up', ['dim', 'ffn'], 'mlp.up_proj', { letter: '3', ...after(reads) }),
];

/** A norm over the width of the hidden state. */
export const norm = (name: string, role: Role, huggingface: string, letter?: string): Place =>
  place('norm', name, role, ['dim', 'dim'], huggingface, letter === undefined ? {} : { letter });

/** Norms before attention and before the feed-forward network, as LLaMA has them. */
export const normsBefore: readonly Place[] = [
  norm('attention_norm', 'attentionNorm', 'input_layernorm', 'a'),
  norm('ffn_norm', 'ffnNorm', 'post_attention_layernorm', 'f'),
];

/** Norms of what attention and the feed-forward network add to the hidden state. */
export const normsAfter: readonly Place[] = [
  norm('post_attention_norm', 'attentionOutputNorm', 'post_attention_layernorm', 'A'),
  norm('post_ffn_norm', 'ffnOutputNorm', 'post_feedforward_layernorm', 'F'),
];

/** The embedding, in front of the layers. */
export const embedding: readonly Place[] = [
  place('embedding', 'tok_embeddings', 'embedding', ['vocab', 'dim'], 'model.embed_tokens'),
];

/** The last norm and the output head, behind the layers. */
export const normAndHead: readonly Place[] = [
  norm('norm', 'finalNorm', 'model.norm'),
  place('linear', 'output', 'head', ['dim', 'vocab'], 'lm_head', { reads: 'norm' }),
];
