/** Functions of one number: the GELUs of image encoders, SiLU and ReLU, and their slopes. */
import { invariant } from '../../grammar/invariant.ts';
import type { Activation } from '../graph/graph.ts';
import { at, need } from './layout.ts';
import type { Op } from './op.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/**
 * The error function to about 1e-15: 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)) (Abramowitz and
 * Stegun 7.1.6). All terms have one sign, so nothing cancels. From 6 on the rest, 2e-17, is below what a double next to
 * 1 holds.
 */
export function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

interface Curve {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

/** x * sigmoid(rate x). */
const gated = (rate: number): Curve => ({
  value: (x) => x * sigmoid(rate * x),
  slope: (x) => sigmoid(rate * x) * (1 + rate * x * (1 - sigmoid(rate * x))),
});

const bell = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));
const bent = (x: number) => Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));

const CURVES: Readonly<Record<Activation, Curve>> = {
  gelu: {
    value: (x) => x * bell(x),
    slope: (x) => bell(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  },
  geluTanh: {
    value: (x) => 0.5 * x * (1 + bent(x)),
    slope: (x) =>
      0.5 * (1 + bent(x)) +
      0.5 * x * (1 - bent(x) ** 2) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x),
  },
  quickGelu: gated(1.702),
  silu: gated(1),
  relu: { value: (x) => (x < 0 ? 0 : x), slope: (x) => (x > 0 ? 1 : 0) },
};

export const activate: Op<'activate'> = {
  slots: [1, 1],
  gradient(g, node, [dy], needs) {
    const x = g.tensors[node.inputs[0] ?? -1];
    invariant(x, 'activate without an operand');
    if (!dy || !needs[0]) return [null];
    const dx = g.tensor(`${g.label}:dx`, x.rows, x.axis);
    g.node('activateGrad', [dy, x], [dx], node.attrs);
    return [dx];
  },
  reference(node, inputs, outputs) {
    const [x, y] = [need(inputs, 0).values, need(outputs, 0).values];
    const { value } = CURVES[node.attrs.function];
    for (let i = 0; i < y.length; i++) y[i] = value(at(x, i));
  },
};

export const activateGrad: Op<'activateGrad'> = {
  slots: [2, 1],
  reference(node, inputs, outputs) {
    const [dy, x, dx] = [need(inputs, 0).values, need(inputs, 1).values, need(outputs, 0).values];
    const { slope } = CURVES[node.attrs.function];
    for (let i = 0; i < dx.length; i++) dx[i] = at(dy, i) * slope(at(x, i));
  },
};
