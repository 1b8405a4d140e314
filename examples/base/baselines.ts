/** What counting words can do: unigram and bigram models of the token stream, which a base has to beat. */

/** Pseudo-counts: each token once for the unigram, each pair a twentieth of once for the bigram. */
const smoothing = { unigram: 1, bigram: 0.05 } as const;

/** -ln p(token | token before), in nats. */
export type Cost = (before: number, token: number) => number;

/** p(b) = (count(b) + k) / (tokens + k V). */
export function unigram(stream: Uint16Array, vocab: number, k: number = smoothing.unigram): Cost {
  const counts = new Float64Array(vocab);
  for (const id of stream) counts[id]!++;
  const total = Math.log(stream.length + k * vocab);
  return (_, token) => total - Math.log(counts[token]! + k);
}

/** p(b | a) = (count(a b) + k) / (count(a) + k V). */
export function bigram(stream: Uint16Array, vocab: number, k: number = smoothing.bigram): Cost {
  const pairs = new Uint32Array(vocab * vocab);
  const firsts = new Float64Array(vocab);
  for (let i = 0; i + 1 < stream.length; i++) {
    pairs[stream[i]! * vocab + stream[i + 1]!]!++;
    firsts[stream[i]!]!++;
  }
  return (before, token) =>
    Math.log(firsts[before]! + k * vocab) - Math.log(pairs[before * vocab + token]! + k);
}

/** Mean cost of a row's tokens from `from` on, over all rows. */
export function meanCost(
  rows: readonly { readonly tokens: ArrayLike<number>; readonly from: number }[],
  cost: Cost,
): number {
  let sum = 0;
  let count = 0;
  for (const { tokens, from } of rows) {
    for (let i = from; i < tokens.length; i++) sum += cost(tokens[i - 1]!, tokens[i]!);
    count += tokens.length - from;
  }
  return sum / count;
}
