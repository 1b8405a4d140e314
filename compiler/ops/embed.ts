/** Token embeddings, vectors put in front of them, and rows written to a cache. */
import { invariant } from '../../grammar/invariant.ts';
import { axis, logical } from '../model/model.ts';
import { at, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const embed: Op<'embed'> = {
  slots: [2, 1],
  /** The host sorts the ids (`ORDER`, `STARTS` of the same input), so that the sum needs no atomics and has one order. */
  gradient(g, node, [dy], needs) {
    const [table, ids] = [g.tensors[node.inputs[0] ?? -1], g.tensors[node.inputs[1] ?? -1]];
    invariant(table && ids, 'embed without operands');
    if (!dy || !needs[0]) return [null, null];
    const order = g.tensor(`${ids.name}.order`, 1, axis(logical(ids.axis)), 'inputs', 'u32');
    const starts = g.tensor(`${ids.name}.starts`, 1, axis(table.rows + 1), 'inputs', 'u32');
    const d = g.tensor(`${g.label}:dTable`, table.rows, table.axis);
    g.node('embedGrad', [dy, order, starts], [d], {});
    return [d, null];
  },
  reference(_node, inputs, outputs) {
    const [table, ids, y] = [need(inputs, 0), need(inputs, 1), need(outputs, 0)];
    const n = width(table);
    for (let r = 0; r < y.tensor.rows; r++)
      y.values.set(table.values.subarray(at(ids.values, r) * n, (at(ids.values, r) + 1) * n), r * n);
  },
};

export const embedGrad: Op<'embedGrad'> = {
  slots: [3, 1],
  reference(_node, inputs, outputs) {
    const [dy, order, starts, d] = [
      need(inputs, 0),
      need(inputs, 1).values,
      need(inputs, 2).values,
      need(outputs, 0),
    ];
    const n = width(dy);
    for (let v = 0; v < d.tensor.rows; v++)
      for (let i = at(starts, v); i < at(starts, v + 1); i++)
        for (let c = 0; c < n; c++)
          d.values[v * n + c] = at(d.values, v * n + c) + at(dy.values, at(order, i) * n + c);
  },
};

export const prepend: Op<'prepend'> = {
  slots: [2, 1],
  gradient(g, node, [dy], needs) {
    const [prefix, words] = [g.tensors[node.inputs[0] ?? -1], g.tensors[node.inputs[1] ?? -1]];
    invariant(prefix && words, 'prepend without operands');
    if (!dy) return [null, null];
    const dPrefix = needs[0] ? g.tensor(`${g.label}:dPrefix`, prefix.rows, prefix.axis) : null;
    const dWords = needs[1] ? g.tensor(`${g.label}:dWords`, words.rows, words.axis) : null;
    g.node('prependGrad', [dy], [dPrefix, dWords], node.attrs);
    return [dPrefix, dWords];
  },
  reference(node, inputs, outputs) {
    const { batch, length, tokens } = node.attrs;
    const [prefix, words, y] = [need(inputs, 0), need(inputs, 1).values, need(outputs, 0).values];
    const n = width(prefix);
    for (let b = 0; b < batch; b++) {
      y.set(prefix.values.subarray(0, length * n), b * (length + tokens) * n);
      y.set(words.subarray(b * tokens * n, (b + 1) * tokens * n), (b * (length + tokens) + length) * n);
    }
  },
};

export const prependGrad: Op<'prependGrad'> = {
  slots: [1, 2],
  optional: [0, 1],
  reference(node, inputs, outputs) {
    const { batch, length, tokens } = node.attrs;
    const d = need(inputs, 0);
    const n = width(d);
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < length + tokens; t++)
        for (let c = 0; c < n; c++) {
          const from = at(d.values, (b * (length + tokens) + t) * n + c);
          const out = t < length ? outputs[0] : outputs[1];
          if (!out) continue;
          const i = (t < length ? t : b * tokens + t - length) * n + c;
          out.values[i] = at(out.values, i) + from;
        }
  },
};

export const cacheWrite: Op<'cacheWrite'> = {
  slots: [2, 1],
  reference(node, inputs, outputs) {
    const { batch, tokens, context } = node.attrs;
    const [x, positions, cache] = [need(inputs, 0), need(inputs, 1).values, need(outputs, 0).values];
    const n = width(x);
    for (let r = 0; r < batch * tokens; r++) {
      const row = Math.floor(r / tokens) * context + at(positions, r);
      cache.set(x.values.subarray(r * n, (r + 1) * n), row * n);
    }
  },
};
