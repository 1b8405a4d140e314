/** Builds a graph node by node; every method computes the shape of the tensor that it returns. */
import { invariant } from '../../grammar/invariant.ts';
import { type Axis, axis, logical, padded } from '../model/model.ts';
import type { Gate, Graph, Home, Matmul, OpName, Ops, Prepend, Segment, Tensor, View } from './graph.ts';
import { describe, extent, Tape } from './tape.ts';

/** Strides of a tensor seen as (outer, inner) batches of matrices; unset strides are zero. */
export const view = (row: number, outer = 0, inner = 0, offset = 0): View => ({ offset, row, outer, inner });

/** How a product is batched and placed; omitted fields take the values of a plain two-dimensional product. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: View;
  readonly b: View;
  readonly c: View;
  readonly outer?: number;
  readonly inner?: number;
  readonly share?: number;
  readonly reps?: number;
  readonly alpha?: number;
}

export class Builder extends Tape {
  /** One output of the same shape as `like`. */
  #same<K extends OpName>(op: K, inputs: readonly (Tensor | null)[], attrs: Ops[K], like: Tensor): Tensor {
    const out = this.tensor(`${this.label}:${op}`, like.rows, like.axis);
    this.node(op, inputs, [out], attrs);
    return out;
  }

  /** alpha times x [rows, in] times the transpose of w [out, in]: [rows, out]. */
  linear(x: Tensor, w: Tensor, out: Axis, alpha = 1): Tensor {
    invariant(
      padded(x.axis) === padded(w.axis) && w.rows === padded(out),
      `${this.label}: ${describe(x)} does not fit ${describe(w)}`,
    );
    const k = padded(x.axis);
    const n = padded(out);
    return this.matmul(
      'nt',
      x,
      w,
      { m: x.rows, n, k, alpha, a: view(k), b: view(k), c: view(n) },
      x.rows,
      out,
    );
  }

  matmul(mode: Matmul['mode'], a: Tensor, b: Tensor, p: Product, rows: number, ax: Axis): Tensor {
    const c = this.tensor(`${this.label}:matmul`, rows, ax);
    const { m, n, k, outer = 1, inner = 1, share = 1, reps = 1, alpha = 1 } = p;
    const attrs: Matmul = {
      mode,
      m,
      n,
      k,
      outer,
      inner,
      share,
      reps,
      alpha,
      a: p.a,
      b: p.b,
      c: p.c,
      save: 'none',
    };
    this.node('matmul', [a, b, null, null, null, null], [c, null], attrs);
    return c;
  }

  addBias = (x: Tensor, v: Tensor): Tensor => this.#same('addBias', [x, v], {}, x);
  mulScale = (x: Tensor, v: Tensor): Tensor => this.#same('mulScale', [x, v], {}, x);
  add = (a: Tensor, b: Tensor): Tensor => this.#same('add', [a, b], {}, a);
  mul = (a: Tensor, b: Tensor): Tensor => this.#same('mul', [a, b], {}, a);
  softCap = (x: Tensor, attrs: Ops['softCap']): Tensor => this.#same('softCap', [x], attrs, x);
  siluMul = (u: Tensor, v: Tensor): Tensor => this.#same('siluMul', [u, v], {}, u);
  activate = (x: Tensor, attrs: Ops['activate']): Tensor => this.#same('activate', [x], attrs, x);
  unitRows = (x: Tensor, attrs: Ops['unitRows']): Tensor => this.#same('unitRows', [x], attrs, x);
  gateAdd = (x: Tensor, y: Tensor, gate: Tensor | null, attrs: Gate): Tensor =>
    this.#same('gateAdd', [x, y, gate], attrs, x);
  gateMul = (x: Tensor, gate: Tensor | null, attrs: Gate): Tensor =>
    this.#same('gateMul', [x, gate], attrs, x);
  /** 1 / norms of the rows of w + scale * b a, as a vector over `out`: what leaves w. */
  inverseNorms(w: Tensor, b: Tensor, a: Tensor, out: Axis, attrs: Ops['inverseNorms']): Tensor {
    const fits = w.rows === padded(out) && b.rows === w.rows && a.rows === padded(b.axis);
    invariant(
      fits && padded(a.axis) === padded(w.axis),
      `${this.label}: ${describe(b)} times ${describe(a)} is no update of ${describe(w)}`,
    );
    const y = this.tensor(`${this.label}:inverseNorms`, 1, out);
    this.node('inverseNorms', [w, b, a], [y], attrs);
    return y;
  }

  rope = (x: Tensor, positions: Tensor, table: Tensor, attrs: Ops['rope']): Tensor =>
    this.#same('rope', [x, positions, table], attrs, x);

  columnSum(a: Tensor, b: Tensor | null = null, rowScale: Tensor | null = null): Tensor {
    const out = this.tensor(`${this.label}:columnSum`, 1, a.axis);
    this.node('columnSum', [a, b, rowScale], [out], {});
    return out;
  }

  rmsnorm(x: Tensor, w: Tensor, eps: number): Tensor {
    const y = this.tensor(`${this.label}:rmsnorm`, x.rows, x.axis);
    const inverse = this.tensor(`${this.label}:inverse`, 1, axis(x.rows));
    this.node('rmsnorm', [x, w], [y, inverse], { eps });
    return y;
  }

  layernorm(x: Tensor, w: Tensor, b: Tensor, eps: number): Tensor {
    const y = this.tensor(`${this.label}:layernorm`, x.rows, x.axis);
    const xhat = this.tensor(`${this.label}:xhat`, x.rows, x.axis);
    const inverse = this.tensor(`${this.label}:inverse`, 1, axis(x.rows));
    this.node('layernorm', [x, w, b], [y, xhat, inverse], { eps });
    return y;
  }

  /** Returns [p, prefixP]. */
  softmax(
    scores: Tensor,
    positions: Tensor | null,
    prefix: Tensor | null,
    attrs: Ops['softmax'],
  ): [Tensor, Tensor | null] {
    const p = this.tensor(`${this.label}:softmax`, scores.rows, scores.axis);
    const q = prefix ? this.tensor(`${this.label}:softmaxPrefix`, prefix.rows, prefix.axis) : null;
    this.node('softmax', [scores, positions, prefix], [p, q], attrs);
    return [p, q];
  }

  /** Rows of `table` picked by `ids` [1, rows]. */
  embed(table: Tensor, ids: Tensor): Tensor {
    const y = this.tensor(`${this.label}:embed`, logical(ids.axis), table.axis);
    this.node('embed', [table, ids], [y], {});
    return y;
  }

  /** Like `prepend` with vectors of each sequence's own: [batch x length, axis]. */
  join(prefix: Tensor, words: Tensor, { batch, length, tokens }: Prepend): Tensor {
    const all = length + tokens;
    const front = this.#place(prefix, { batch, tokens: all, from: 0, length });
    return this.add(front, this.#place(words, { batch, tokens: all, from: length, length: tokens }));
  }

  /** Puts matrices of one axis side by side: each is [rows, size], the result [rows, parts x size]. */
  beside(parts: readonly Tensor[]): Tensor {
    const [first] = parts;
    invariant(first?.axis.groups === 1, `${this.label}: nothing to put side by side`);
    if (parts.length === 1) return first;
    // Interleaved rows [rows x parts, size] and rows side by side [rows, parts x size] are the same numbers in
    // memory.
    const turns = parts.map((x, from) =>
      this.#place(x, { batch: first.rows, tokens: parts.length, from, length: 1 }),
    );
    const all = turns.reduce((sum, x) => this.add(x, sum));
    return this.reshape(all, first.rows, axis(first.axis.size, parts.length));
  }

  /** Puts the rows of every sequence into a longer sequence of zeros, at their places there. */
  #place(x: Tensor, attrs: Segment): Tensor {
    const y = this.tensor(`${this.label}:place`, attrs.batch * attrs.tokens, x.axis);
    this.node('segmentGrad', [x], [y], attrs);
    return y;
  }

  prepend(prefix: Tensor, words: Tensor, attrs: Prepend): Tensor {
    const y = this.tensor(`${this.label}:prepend`, attrs.batch * (attrs.length + attrs.tokens), words.axis);
    this.node('prepend', [prefix, words], [y], attrs);
    return y;
  }

  /** Adds the first `rows` rows of `table` to each sequence of `rows` rows; by default all rows of the table. */
  addTable(x: Tensor, table: Tensor, attrs: Ops['addTable'] = { rows: table.rows }): Tensor {
    const { rows } = attrs;
    const fits = rows > 0 && rows <= table.rows && x.rows % rows === 0;
    invariant(
      fits && padded(x.axis) === padded(table.axis),
      `${this.label}: ${rows} rows of ${describe(table)} on ${describe(x)}`,
    );
    return this.#same('addTable', [x, table], attrs, x);
  }

  /** Some consecutive rows of every sequence. */
  segment(x: Tensor, attrs: Segment): Tensor {
    const { batch, tokens, from, length } = attrs;
    invariant(
      x.rows === batch * tokens && from >= 0 && length > 0 && from + length <= tokens,
      `${this.label}: rows ${from} to ${from + length} of ${tokens} in ${describe(x)}`,
    );
    const y = this.tensor(`${this.label}:segment`, batch * length, x.axis);
    this.node('segment', [x], [y], attrs);
    return y;
  }

  /** Each row `times` times, one after the other. */
  repeat(x: Tensor, attrs: Ops['repeat']): Tensor {
    const y = this.tensor(`${this.label}:repeat`, x.rows * attrs.times, x.axis);
    this.node('repeat', [x], [y], attrs);
    return y;
  }

  cacheWrite(x: Tensor, positions: Tensor, cache: Tensor, attrs: Ops['cacheWrite']): void {
    this.node('cacheWrite', [x, positions], [cache], attrs);
  }

  /** The same numbers in the same places as another matrix. */
  reshape(x: Tensor, rows: number, ax: Axis): Tensor {
    const y = this.tensor(`${this.label}:reshape`, rows, ax);
    invariant(extent(x) === extent(y), `${this.label}: ${describe(x)} is no ${describe(y)}`);
    this.node('copy', [x], [y], {});
    return y;
  }

  copy(x: Tensor, home: Home, name: string): Tensor {
    const y = this.tensor(name, x.rows, x.axis, home, x.dtype);
    this.node('copy', [x], [y], {});
    return y;
  }
}

/** A builder that starts from a copy of a graph, so that a pass can append nodes. The graph itself is not changed. */
export function extend(graph: Graph): Builder {
  const g = new Builder(graph.purpose, graph.batch, graph.tokens);
  g.prepended = graph.prepended;
  for (const tensor of graph.tensors) g.tensors.push(tensor);
  for (const node of graph.nodes) g.nodes.push(node);
  for (const output of graph.outputs) g.outputs.push(output);
  return g;
}
