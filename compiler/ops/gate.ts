/** Zero-initialised attention's gate (LLaMA-Adapter V1 section 3.2): x + f(g) y, one g a head or a layer. */
import { invariant } from '../../grammar/invariant.ts';
import type { Gate } from '../graph/graph.ts';
import { ceil4 } from '../model/model.ts';
import { at, need, width } from './layout.ts';
import type { Op, Operand } from './op.ts';

const value = (gate: Gate, g: number) => (gate.function === 'tanh' ? Math.tanh(g) : g);

/** The factor on column `c` of a row of heads. */
function factor(attrs: Gate, gate: Operand | null | undefined, c: number, heads: Operand): number {
  if (!gate) return attrs.constant;
  const head = attrs.per === 'head' ? Math.floor(c / ceil4(heads.tensor.axis.size)) : 0;
  return value(attrs, at(gate.values, head));
}

export const gateAdd: Op<'gateAdd'> = {
  slots: [3, 1],
  gradient(g, node, [dz], needs) {
    const [y, gate] = [g.tensors[node.inputs[1] ?? -1], g.tensors[node.inputs[2] ?? -1] ?? null];
    invariant(y, 'gateAdd without operands');
    if (!dz) return [null, null, null];
    const dy = needs[1] ? g.gateMul(dz, gate, node.attrs) : null;
    if (!needs[2] || !gate) return [needs[0] ? dz : null, dy, null];
    const sums = g.columnSum(dz, y);
    const dGate = g.tensor(`${g.label}:dGate`, 1, gate.axis);
    g.node('gateGrad', [sums, gate], [dGate], node.attrs);
    return [needs[0] ? dz : null, dy, dGate];
  },
  reference(node, inputs, outputs) {
    const [x, y, z] = [need(inputs, 0), need(inputs, 1), need(outputs, 0).values];
    const n = width(x);
    for (let i = 0; i < z.length; i++)
      z[i] = at(x.values, i) + factor(node.attrs, inputs[2], i % n, x) * at(y.values, i);
  },
};

export const gateMul: Op<'gateMul'> = {
  slots: [2, 1],
  gradient(g, node, [dy], needs) {
    const [x, gate] = [g.tensors[node.inputs[0] ?? -1], g.tensors[node.inputs[1] ?? -1] ?? null];
    invariant(x, 'gateMul without operands');
    if (!dy) return [null, null];
    const dx = needs[0] ? g.gateMul(dy, gate, node.attrs) : null;
    if (!needs[1] || !gate) return [dx, null];
    const dGate = g.tensor(`${g.label}:dGate`, 1, gate.axis);
    g.node('gateGrad', [g.columnSum(dy, x), gate], [dGate], node.attrs);
    return [dx, dGate];
  },
  reference(node, inputs, outputs) {
    const [dz, dy] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(dz);
    for (let i = 0; i < dy.length; i++) dy[i] = factor(node.attrs, inputs[1], i % n, dz) * at(dz.values, i);
  },
};

export const gateGrad: Op<'gateGrad'> = {
  slots: [2, 1],
  reference(node, inputs, outputs) {
    const [sums, gate, d] = [need(inputs, 0), need(inputs, 1), need(outputs, 0).values];
    const { groups, size } = sums.tensor.axis;
    for (let h = 0; h < groups; h++) {
      const i = node.attrs.per === 'head' ? h : 0;
      const g = at(gate.values, i);
      const slope = node.attrs.function === 'tanh' ? 1 - Math.tanh(g) ** 2 : 1;
      for (let c = 0; c < size; c++) d[i] = at(d, i) + slope * at(sums.values, h * ceil4(size) + c);
    }
  },
};
