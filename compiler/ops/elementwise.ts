/** Row-vector bias and scale (y = s * (W x + b), LLaMA-Adapter V2 section 4.1), sums of gradients, and SiLU. */
import { padded } from '../model/model.ts';
import type { Tensor } from '../graph/graph.ts';
import { at, need, width } from './layout.ts';
import type { Op } from './op.ts';

const tensor = (g: { readonly tensors: readonly Tensor[] }, id: number | null | undefined): Tensor | null =>
  id === null || id === undefined ? null : (g.tensors[id] ?? null);

export const addBias: Op<'addBias'> = {
  slots: [2, 1],
  gradient: (g, _node, [dy], needs) =>
    dy ? [needs[0] ? dy : null, needs[1] ? g.columnSum(dy) : null] : [null, null],
  reference(_node, inputs, outputs) {
    const [x, v, y] = [need(inputs, 0), need(inputs, 1).values, need(outputs, 0).values];
    const n = width(x);
    for (let i = 0; i < y.length; i++) y[i] = at(x.values, i) + at(v, i % n);
  },
};

export const mulScale: Op<'mulScale'> = {
  slots: [2, 1],
  gradient(g, node, [dy], needs) {
    const [x, v] = [tensor(g, node.inputs[0]), tensor(g, node.inputs[1])];
    if (!dy || !x || !v) return [null, null];
    return [needs[0] ? g.mulScale(dy, v) : null, needs[1] ? g.columnSum(dy, x) : null];
  },
  reference(_node, inputs, outputs) {
    const [x, v, y] = [need(inputs, 0), need(inputs, 1).values, need(outputs, 0).values];
    const n = width(x);
    for (let i = 0; i < y.length; i++) y[i] = at(x.values, i) * at(v, i % n);
  },
};

export const add: Op<'add'> = {
  slots: [2, 1],
  gradient: (_g, _node, [dy], needs) => [needs[0] && dy ? dy : null, needs[1] && dy ? dy : null],
  reference(_node, inputs, outputs) {
    const [a, b, y] = [need(inputs, 0).values, need(inputs, 1).values, need(outputs, 0).values];
    for (let i = 0; i < y.length; i++) y[i] = at(a, i) + at(b, i);
  },
};

export const mul: Op<'mul'> = {
  slots: [2, 1],
  gradient(g, node, [dy], needs) {
    const [a, b] = [tensor(g, node.inputs[0]), tensor(g, node.inputs[1])];
    if (!dy || !a || !b) return [null, null];
    return [needs[0] ? g.mul(dy, b) : null, needs[1] ? g.mul(dy, a) : null];
  },
  reference(_node, inputs, outputs) {
    const [a, b, y] = [need(inputs, 0).values, need(inputs, 1).values, need(outputs, 0).values];
    for (let i = 0; i < y.length; i++) y[i] = at(a, i) * at(b, i);
  },
};

export const copy: Op<'copy'> = {
  slots: [1, 1],
  gradient(g, node, [dy], needs) {
    const x = tensor(g, node.inputs[0]);
    return [dy && x && needs[0] ? g.reshape(dy, x.rows, x.axis) : null];
  },
  reference(_node, inputs, outputs) {
    need(outputs, 0).values.set(need(inputs, 0).values);
  },
};

export const columnSum: Op<'columnSum'> = {
  slots: [3, 1],
  reference(_node, inputs, outputs) {
    const [a, out] = [need(inputs, 0), need(outputs, 0).values];
    const n = padded(a.tensor.axis);
    for (let r = 0; r < a.tensor.rows; r++)
      for (let c = 0; c < n; c++) {
        const other = inputs[1] ? at(inputs[1].values, r * n + c) : 1;
        out[c] = at(out, c) + at(a.values, r * n + c) * other * (inputs[2] ? at(inputs[2].values, r) : 1);
      }
  },
};

export const scaleGrad: Op<'scaleGrad'> = {
  slots: [3, 3],
  optional: [0, 1, 2],
  reference(_node, inputs, outputs) {
    const [dy, s] = [need(inputs, 0), need(inputs, 2).values];
    const [dz, dScale, dBias] = outputs.map((output) => output?.values);
    const n = width(dy);
    dy.values.forEach((d, i) => {
      const c = i % n;
      if (dz) dz[i] = d * at(s, c);
      if (dScale) dScale[c] = at(dScale, c) + d * at(need(inputs, 1).values, i);
      if (dBias) dBias[c] = at(dBias, c) + d * at(s, c);
    });
  },
};

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const siluMul: Op<'siluMul'> = {
  slots: [2, 1],
  gradient(g, node, [dy], needs) {
    const [u, v] = [tensor(g, node.inputs[0]), tensor(g, node.inputs[1])];
    if (!dy || !u || !v) return [null, null];
    const du = needs[0] ? g.tensor(`${g.label}:du`, u.rows, u.axis) : null;
    const dv = needs[1] ? g.tensor(`${g.label}:dv`, v.rows, v.axis) : null;
    g.node('siluMulGrad', [dy, u, v], [du, dv], {});
    return [du, dv];
  },
  reference(_node, inputs, outputs) {
    const [u, v, y] = [need(inputs, 0).values, need(inputs, 1).values, need(outputs, 0).values];
    for (let i = 0; i < y.length; i++) y[i] = at(u, i) * sigmoid(at(u, i)) * at(v, i);
  },
};

export const siluMulGrad: Op<'siluMulGrad'> = {
  slots: [3, 2],
  optional: [0, 1],
  reference(_node, inputs, outputs) {
    const [dy, u, v] = [need(inputs, 0).values, need(inputs, 1).values, need(inputs, 2).values];
    for (let i = 0; i < dy.length; i++) {
      const s = sigmoid(at(u, i));
      if (outputs[0]) outputs[0].values[i] = at(dy, i) * at(v, i) * s * (1 + at(u, i) * (1 - s));
      if (outputs[1]) outputs[1].values[i] = at(dy, i) * at(u, i) * s;
    }
  },
};
