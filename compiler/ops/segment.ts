/** Tables added to every sequence (position embeddings, static prompts), stretches cut out of it, rows repeated in it. */
import { invariant } from '../../grammar/invariant.ts';
import { at, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const addTable: Op<'addTable'> = {
  slots: [2, 1],
  /**
   * The table's gradient is that of vectors standing in front of sequences of no tokens: a sum over the batch. A table
   * with more rows than are used gets zeros in the others, as the inverse of cutting the used ones out.
   */
  gradient(g, node, [dy], needs) {
    const [x, table] = [g.tensors[node.inputs[0] ?? -1], g.tensors[node.inputs[1] ?? -1]];
    invariant(x && table, 'addTable without operands');
    if (!dy) return [null, null];
    if (!needs[1]) return [dy, null];
    const { rows } = node.attrs;
    const used = g.tensor(`${g.label}:dTable`, rows, table.axis);
    g.node('prependGrad', [dy], [used, null], { batch: x.rows / rows, length: rows, tokens: 0 });
    if (rows === table.rows) return [needs[0] ? dy : null, used];
    const whole = g.tensor(`${g.label}:dTable`, table.rows, table.axis);
    g.node('segmentGrad', [used], [whole], { batch: 1, tokens: table.rows, from: 0, length: rows });
    return [needs[0] ? dy : null, whole];
  },
  reference(node, inputs, outputs) {
    const [x, table, y] = [need(inputs, 0), need(inputs, 1).values, need(outputs, 0).values];
    const numbers = node.attrs.rows * width(x);
    for (let i = 0; i < y.length; i++) y[i] = at(x.values, i) + at(table, i % numbers);
  },
};

export const segment: Op<'segment'> = {
  slots: [1, 1],
  gradient(g, node, [dy], needs) {
    const x = g.tensors[node.inputs[0] ?? -1];
    invariant(x, 'segment without an operand');
    if (!dy || !needs[0]) return [null];
    const dx = g.tensor(`${g.label}:dx`, x.rows, x.axis);
    g.node('segmentGrad', [dy], [dx], node.attrs);
    return [dx];
  },
  reference(node, inputs, outputs) {
    const { batch, tokens, from, length } = node.attrs;
    const [x, y] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(x);
    for (let b = 0; b < batch; b++) {
      const start = b * tokens + from;
      y.set(x.values.subarray(start * n, (start + length) * n), b * length * n);
    }
  },
};

export const segmentGrad: Op<'segmentGrad'> = {
  slots: [1, 1],
  gradient(g, node, [dx], needs) {
    return [dx && needs[0] ? g.segment(dx, node.attrs) : null];
  },
  reference(node, inputs, outputs) {
    const { batch, tokens, from, length } = node.attrs;
    const [dy, dx] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(dy);
    for (let b = 0; b < batch; b++)
      dx.set(dy.values.subarray(b * length * n, (b + 1) * length * n), (b * tokens + from) * n);
  },
};

export const repeat: Op<'repeat'> = {
  slots: [1, 1],
  gradient(g, node, [dy], needs) {
    const x = g.tensors[node.inputs[0] ?? -1];
    invariant(x, 'repeat without an operand');
    if (!dy || !needs[0]) return [null];
    const dx = g.tensor(`${g.label}:dx`, x.rows, x.axis);
    g.node('repeatGrad', [dy], [dx], node.attrs);
    return [dx];
  },
  reference(node, inputs, outputs) {
    const [x, y] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(x);
    for (let i = 0; i < y.length; i++)
      y[i] = at(x.values, Math.floor(i / (n * node.attrs.times)) * n + (i % n));
  },
};

export const repeatGrad: Op<'repeatGrad'> = {
  slots: [1, 1],
  gradient(g, node, [dx], needs) {
    return [dx && needs[0] ? g.repeat(dx, node.attrs) : null];
  },
  reference(node, inputs, outputs) {
    const [dy, dx] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(dy);
    dy.values.forEach((d, i) => {
      const to = Math.floor(i / (n * node.attrs.times)) * n + (i % n);
      dx[to] = at(dx, to) + d;
    });
  },
};
