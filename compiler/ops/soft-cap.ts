/** Numbers bounded softly, cap * tanh(x / cap): attention scores and logits of Gemma 2 (arXiv 2408.00118, section 2). */
import { invariant } from '../../grammar/invariant.ts';
import { at, need } from './layout.ts';
import type { Op } from './op.ts';

export const softCap: Op<'softCap'> = {
  slots: [1, 1],
  gradient(g, node, [dy], needs) {
    const y = g.tensors[node.outputs[0] ?? -1];
    invariant(y, 'softCap without an output');
    if (!dy || !needs[0]) return [null];
    const dx = g.tensor(`${g.label}:dx`, y.rows, y.axis);
    g.node('softCapGrad', [dy, y], [dx], node.attrs);
    return [dx];
  },
  reference({ attrs: { cap } }, inputs, outputs) {
    const [x, y] = [need(inputs, 0).values, need(outputs, 0).values];
    for (let i = 0; i < y.length; i++) y[i] = cap * Math.tanh(at(x, i) / cap);
  },
};

export const softCapGrad: Op<'softCapGrad'> = {
  slots: [2, 1],
  reference({ attrs: { cap } }, inputs, outputs) {
    const [dy, y, dx] = [need(inputs, 0).values, need(inputs, 1).values, need(outputs, 0).values];
    for (let i = 0; i < dx.length; i++) dx[i] = at(dy, i) * (1 - (at(y, i) / cap) ** 2);
  },
};
