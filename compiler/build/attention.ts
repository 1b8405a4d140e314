/**
 * Attention of one layer: causal over the words, with whatever keys and values the parts add.
 *
 * The batch is folded into the rows wherever keys are shared by all sequences, so a static prompt costs one product a
 * head instead of one a head and sequence, and its gradient needs no sum over the batch. Scores are laid out
 * [heads, batch x queries, keys] for both, which lets a joint softmax walk them side by side.
 */
import { invariant } from '../../grammar/invariant.ts';
import { axis, ceil4, padded, type Part } from '../model/model.ts';
import { view } from '../graph/builder.ts';
import type { Ops, Tensor } from '../graph/graph.ts';
import { atPart, type Context } from './context.ts';
import type { AttentionSource } from './hooks.ts';

/** Keys and values with the part that adds them. */
export type PartSource = AttentionSource & { readonly part: Part };

/** Keys and values of the words: `stride` rows a sequence, of which the first `keys` may be looked at. */
export interface Words {
  readonly key: Tensor;
  readonly value: Tensor;
  readonly keys: number;
  readonly stride: number;
}

export function attend(
  c: Context,
  layer: number,
  q: Tensor,
  words: Words,
  sources: readonly PartSource[],
  positions: Tensor,
): Tensor {
  const g = c.g;
  g.at(`layers.${layer}.attention`, { layer });
  const joint = sources.filter((source) => source.softmax === 'joint');
  invariant(joint.length <= 1, 'at most one joint prefix a layer');
  const scores = scoresOf(c, q, words.key, words.keys, words.stride);
  const [prefix] = joint;
  const prefixScores = prefix
    ? scoresOf(c, q, prefix.key, prefix.length, prefix.batched ? prefix.length : 0)
    : null;
  const [p, prefixP] = g.softmax(scores, positions, prefixScores, {
    ...softmaxShape(c, q, words.keys, prefix?.length ?? 0),
    ...windowOf(c, layer),
  });
  let o = valuesOf(c, p, words.value, words.keys, words.stride, q);
  if (prefix && prefixP)
    o = g.add(valuesOf(c, prefixP, prefix.value, prefix.length, prefix.batched ? prefix.length : 0, q), o);
  for (const source of sources)
    if (source.softmax === 'separate') {
      atPart(c, `layers.${layer}.attention`, layer, source.part);
      o = addGated(c, o, q, source);
    }
  return o;
}

/** o + f(gate) * softmax(q k^T / sqrt(h)) v, with a softmax of its own (LLaMA-Adapter V1, equations 5 to 8). */
function addGated(c: Context, o: Tensor, q: Tensor, source: AttentionSource): Tensor {
  const stride = source.batched ? source.length : 0;
  const scores = scoresOf(c, q, source.key, source.length, stride);
  const [p] = c.g.softmax(scores, null, null, softmaxShape(c, q, source.length, 0));
  const y = valuesOf(c, p, source.value, source.length, stride, q);
  invariant(source.gate, 'a separate softmax has a gate');
  const { parameter, ...attrs } = source.gate;
  const scaled = source.factor
    ? c.g.gateMul(y, source.factor, { function: 'raw', per: 'layer', constant: 1 })
    : y;
  return c.g.gateAdd(o, scaled, parameter, attrs);
}

const windowOf = ({ model: { base } }: Context, layer: number): Pick<Ops['softmax'], 'window'> =>
  base.window?.layers.includes(layer) === true ? { window: base.window.tokens } : {};

const softmaxShape = (c: Context, q: Tensor, keys: number, prefix: number): Ops['softmax'] =>
  // The rows are (head, batch x query): to the operation that is one batch of many queries.
  ({ batch: 1, heads: c.model.base.heads, queries: q.rows, keys, prefix });

/** Outer batches and the rows of each: folded into one when every sequence has the same keys (`stride` 0). */
const fold = (c: Context, q: Tensor, stride: number) => {
  const outer = stride === 0 ? 1 : c.shape.batch;
  return { outer, rows: q.rows / outer };
};

/** q k^T / sqrt(head dim), capped where the base caps its scores: [heads, batch x queries, keys]. */
function scoresOf(c: Context, q: Tensor, key: Tensor, keys: number, stride: number): Tensor {
  const { heads, kvHeads, headDim, scoreDim = headDim, scoreCap } = c.model.base;
  const { outer, rows } = fold(c, q, stride);
  const [size, across, of, s] = [ceil4(headDim), padded(q.axis), padded(key.axis), ceil4(keys)];
  const scores = c.g.matmul(
    'nt',
    q,
    key,
    {
      m: rows,
      n: keys,
      k: size,
      outer,
      inner: heads,
      share: heads / kvHeads,
      alpha: 1 / Math.sqrt(scoreDim),
      a: view(across, rows * across, size),
      b: view(of, stride * of, size),
      c: view(s, rows * s, q.rows * s),
    },
    heads * q.rows,
    axis(keys),
  );
  return scoreCap === undefined ? scores : c.g.softCap(scores, { cap: scoreCap });
}

/** p v, heads side by side: [batch x queries, heads x head dim]. */
function valuesOf(c: Context, p: Tensor, value: Tensor, keys: number, stride: number, q: Tensor): Tensor {
  const { heads, kvHeads, headDim } = c.model.base;
  const { outer, rows } = fold(c, q, stride);
  const [size, across, of, s] = [ceil4(headDim), padded(q.axis), padded(value.axis), ceil4(keys)];
  return c.g.matmul(
    'nn',
    p,
    value,
    {
      m: rows,
      n: size,
      k: keys,
      outer,
      inner: heads,
      share: heads / kvHeads,
      a: view(s, rows * s, q.rows * s),
      b: view(of, stride * of, size),
      c: view(across, rows * across, size),
    },
    q.rows,
    q.axis,
  );
}
