/** Causal softmax over the words, jointly with a prefix when there is one (prefix tuning), and its gradient. */
import { invariant } from '../../grammar/invariant.ts';
import { at, need, width } from './layout.ts';
import type { Op, Operand } from './op.ts';

export const softmax: Op<'softmax'> = {
  slots: [3, 2],
  gradient(g, node, [dp, dPrefix], needs) {
    const [p, q] = [g.tensors[node.outputs[0] ?? -1], g.tensors[node.outputs[1] ?? -1] ?? null];
    invariant(p, 'softmax without an output');
    if (!dp || !(needs[0] || needs[2])) return [null, null, null];
    invariant(!q || dPrefix, 'joint softmax needs both gradients');
    const ds = g.tensor(`${g.label}:ds`, p.rows, p.axis);
    const dsPrefix = q ? g.tensor(`${g.label}:dsPrefix`, q.rows, q.axis) : null;
    g.node('softmaxGrad', [dp, p, dPrefix ?? null, q], [ds, dsPrefix], {
      keys: node.attrs.keys,
      prefix: node.attrs.prefix,
    });
    return [ds, null, dsPrefix];
  },
  reference(node, inputs, outputs) {
    const { heads, queries, keys, prefix, window = Infinity } = node.attrs;
    const [s, p] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(s);
    for (let r = 0; r < s.tensor.rows; r++) {
      const [batch, query] = [Math.floor(r / (heads * queries)), r % queries];
      const last = inputs[1] ? at(inputs[1].values, batch * queries + query) : keys - 1;
      const seen = (i: number, o: Operand | null | undefined, w: number, count: number) =>
        Array.from({ length: count }, (_, j) =>
          o && (i === 1 || (j <= last && j > last - window)) ? at(o.values, r * w + j) : -Infinity,
        );
      const words = seen(0, s, n, keys);
      const front = seen(1, inputs[2], inputs[2] ? width(inputs[2]) : 0, prefix);
      const max = Math.max(...words, ...front);
      const total = [...words, ...front].reduce((sum, x) => sum + Math.exp(x - max), 0);
      words.forEach((x, j) => (p[r * n + j] = Math.exp(x - max) / total));
      const q = outputs[1];
      if (q) front.forEach((x, j) => (q.values[r * width(q) + j] = Math.exp(x - max) / total));
    }
  },
};

export const softmaxGrad: Op<'softmaxGrad'> = {
  slots: [4, 2],
  reference(node, inputs, outputs) {
    const { keys, prefix } = node.attrs;
    const [dp, p, ds] = [need(inputs, 0), need(inputs, 1), need(outputs, 0)];
    const [dq, q, dsq] = [inputs[2], inputs[3], outputs[1]];
    const n = width(p);
    for (let r = 0; r < p.tensor.rows; r++) {
      let dot = 0;
      for (let j = 0; j < keys; j++) dot += at(dp.values, r * n + j) * at(p.values, r * n + j);
      if (dq && q)
        for (let j = 0; j < prefix; j++)
          dot += at(dq.values, r * width(q) + j) * at(q.values, r * width(q) + j);
      for (let j = 0; j < keys; j++)
        ds.values[r * n + j] = at(p.values, r * n + j) * (at(dp.values, r * n + j) - dot);
      if (dq && q && dsq)
        for (let j = 0; j < prefix; j++) {
          const i = r * width(q) + j;
          dsq.values[i] = at(q.values, i) * (at(dq.values, i) - dot);
        }
    }
  },
};
