/** Batched products, their epilogue, and their gradients, which are products too. */
import { invariant } from '../../grammar/invariant.ts';
import type { Builder } from '../graph/builder.ts';
import type { Matmul, NodeOf, Tensor, View } from '../graph/graph.ts';
import { ceil4 } from '../model/model.ts';
import { at, need } from './layout.ts';
import type { Op } from './op.ts';

const start = (v: View, outer: number, inner: number) => v.offset + outer * v.outer + inner * v.inner;

/** One entry of the product before the epilogue; `n` may run into C's padding. */
function entry(
  p: Matmul,
  a: Float64Array,
  b: Float64Array,
  outer: number,
  inner: number,
  m: number,
  n: number,
): number {
  let total = 0;
  for (let rep = 0; rep < p.reps; rep++) {
    const ia = start(p.a, outer, inner * p.reps + rep);
    const ib = start(p.b, outer, p.mode === 'tn' ? inner * p.reps + rep : Math.floor(inner / p.share));
    for (let k = 0; k < p.k; k++) {
      const left = p.mode === 'tn' ? at(a, ia + k * p.a.row + m) : at(a, ia + m * p.a.row + k);
      const right =
        p.mode === 'nt' ? at(b, ib + Math.min(n, p.n - 1) * p.b.row + k) : at(b, ib + k * p.b.row + n);
      total += left * right;
    }
  }
  return p.alpha * total;
}

export const matmul: Op<'matmul'> = {
  slots: [6, 2],
  // Two for each multiply-add.
  flops: ({ attrs: { m, n, k, outer, inner, reps } }) => 2 * m * n * k * outer * inner * reps,
  gradient(g, node, [dc], needs) {
    const p = node.attrs;
    invariant(
      node.inputs.slice(2).every((slot) => slot === null),
      'gradients are taken before epilogues are fused',
    );
    const [a, b] = [tensorOf(g, node, 0), tensorOf(g, node, 1)];
    if (!dc) return [null, null];
    const da = needs[0] ? gradientOfA(g, p, dc, a, b) : null;
    const db = needs[1] ? gradientOfB(g, p, dc, a, b) : null;
    return [da, db];
  },
  reference(node, inputs, outputs) {
    const p = node.attrs;
    const [a, b, c] = [need(inputs, 0).values, need(inputs, 1).values, need(outputs, 0).values];
    const [bias, scale, residual, u, saved] = [
      inputs[2]?.values,
      inputs[3]?.values,
      inputs[4]?.values,
      inputs[5]?.values,
      outputs[1]?.values,
    ];
    for (let outer = 0; outer < p.outer; outer++)
      for (let inner = 0; inner < p.inner; inner++)
        for (let m = 0; m < p.m; m++)
          for (let n = 0; n < ceil4(p.n); n++) {
            const i = start(p.c, outer, inner) + m * p.c.row + n;
            let value = entry(p, a, b, outer, inner, m, n);
            if (bias) value += at(bias, n);
            if (saved && p.save === 'biased') saved[i] = value;
            if (scale) value *= at(scale, n);
            if (saved && p.save === 'scaled') saved[i] = value;
            if (u) value *= at(u, i) / (1 + Math.exp(-at(u, i)));
            if (residual) value += at(residual, i);
            c[i] = value;
          }
  },
};

const tensorOf = (g: Builder, node: NodeOf<'matmul'>, slot: number): Tensor => {
  const tensor = g.tensors[node.inputs[slot] ?? -1];
  invariant(tensor, 'matmul without operands');
  return tensor;
};

/** dA has A's view: nt: dC B; nn: dC B^T; tn never stands on a differentiated path. */
function gradientOfA(g: Builder, p: Matmul, dc: Tensor, a: Tensor, b: Tensor): Tensor {
  invariant(p.mode !== 'tn', 'a tn product is not differentiated');
  const product = {
    m: p.m,
    outer: p.outer,
    inner: p.inner,
    share: p.share,
    alpha: p.alpha,
    a: p.c,
    b: p.b,
    c: p.a,
  };
  return p.mode === 'nt'
    ? g.matmul('nn', dc, b, { ...product, n: p.k, k: p.n }, a.rows, a.axis)
    : g.matmul('nt', dc, b, { ...product, n: p.k, k: p.n }, a.rows, a.axis);
}

/** dB has B's view: nt: dC^T A; nn: A^T dC; summed over the query heads that share B. */
function gradientOfB(g: Builder, p: Matmul, dc: Tensor, a: Tensor, b: Tensor): Tensor {
  invariant(p.mode !== 'tn', 'a tn product is not differentiated');
  invariant(
    p.outer === 1 || p.b.outer > 0,
    'a B shared by outer batches has no gradient rule: fold the batch into the rows',
  );
  const product = { outer: p.outer, inner: p.inner / p.share, reps: p.share, alpha: p.alpha, c: p.b };
  return p.mode === 'nt'
    ? g.matmul('tn', dc, a, { ...product, m: p.n, n: p.k, k: p.m, a: p.c, b: p.a }, b.rows, b.axis)
    : g.matmul('tn', a, dc, { ...product, m: p.k, n: p.n, k: p.m, a: p.a, b: p.c }, b.rows, b.axis);
}
