/**
 * Functions of one number and their slopes, four numbers at a time. All are x times something bounded, so NaN stays NaN
 * though the clamps inside would hide it.
 */
import type { Activation } from '../../graph/graph.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapItems } from '../frames.ts';
import { slot } from '../text.ts';

/** c[0] + c[1] v + c[2] v^2 + ..., by Horner's rule. */
const polynomial = (coefficients: readonly number[], v: string): string =>
  coefficients.reduceRight((text, c) => (text ? `(${text}) * ${v} + ${c}` : `${c}`), '');

/**
 * The normal distribution function, bell(x) = (1 + erf(x / sqrt 2)) / 2, in two pieces that need no exp (the device's is
 * good to 4e-6 only): 1/2 + x P(x^2) near zero, and for the tails Q(|x|)^-8, a form of Abramowitz and Stegun 7.1.28. The
 * coefficients were fitted for this file: least squares on Chebyshev nodes, reweighted towards the minimax fit (Lawson),
 * of the absolute error of bell and of x bell. In f32 bell is off by at most 1e-7, erf by 1.5e-7. Past 12 the tail is 0
 * in effect; the bound keeps Q^8 inside f32.
 */
const CENTRE = [0.398942114, -0.0664882633, 0.00996583574, -0.00117515675, 0.000105934463, -0.00000571564925];
const TAIL = [
  1.08334564, 0.133349343, 0.0127693985, 0.0388047386, -0.0134833908, 0.00456107147, -0.00070359443,
  0.0000616250561,
];
const BELL = `
let a = min(abs(v), vec4f(12.0));
let square = v * v;
let root = ${polynomial(TAIL, 'a')};
let root2 = root * root;
let root4 = root2 * root2;
let tail = 1.0 / (root4 * root4);
let centre = 0.5 + v * (${polynomial(CENTRE, 'square')});
let bell = select(select(tail, 1.0 - tail, v > vec4f()), centre, a < vec4f(1.5));`;

/** Beyond 10 the tangent is 1 in f32; SwiftShader gives NaN for arguments past 89. */
const BENT = `
let a = clamp(v, vec4f(-10.0), vec4f(10.0));
let bent = tanh(clamp(${Math.sqrt(2 / Math.PI)} * (a + 0.044715 * a * a * a), vec4f(-15.0), vec4f(15.0)));`;

interface Curve {
  /** Statements both expressions build on; the argument is `v`. */
  readonly before: string;
  readonly value: string;
  readonly slope: string;
}

const gated = (rate: number): Curve => ({
  before: `let s = sigmoid(${rate.toFixed(4)} * v);`,
  value: 'v * s',
  slope: `s * (1.0 + ${rate.toFixed(4)} * v * (1.0 - s))`,
});

const CURVES: Readonly<Record<Activation, Curve>> = {
  gelu: {
    before: BELL,
    value: 'v * bell',
    slope: `bell + v * ${1 / Math.sqrt(2 * Math.PI)} * decay(-0.5 * square)`,
  },
  geluTanh: {
    before: BENT,
    value: '0.5 * v * (1.0 + bent)',
    slope: `0.5 * (1.0 + bent) + 0.5 * v * (1.0 - bent) * (1.0 + bent) * ${Math.sqrt(2 / Math.PI)} * (1.0 + 0.134145 * a * a)`,
  },
  quickGelu: gated(1.702),
  silu: gated(1),
  relu: {
    before: '',
    // A select and not a max, which would turn NaN into 0.
    value: 'select(v, vec4f(), v < vec4f())',
    slope: 'select(vec4f(), vec4f(1.0), v > vec4f())',
  },
};

export const emitActivate: Emitter<'activate'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const { before, value } = CURVES[node.attrs.function];
  const body = {
    name: `activate_${node.attrs.function}`,
    slots: [slot('x', 'vec4f', node.inputs[0]), slot('y', 'vec4f', node.outputs[0])],
    code: `let v = x[i];\n${before.trim()}\ny[i] = ${value};`,
  };
  return [mapItems(body, out.rows * quads(out), profile)];
};

export const emitActivateGrad: Emitter<'activateGrad'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const [dy, x] = node.inputs;
  const { before, slope } = CURVES[node.attrs.function];
  const body = {
    name: `activateGrad_${node.attrs.function}`,
    slots: [slot('dy', 'vec4f', dy), slot('x', 'vec4f', x), slot('dx', 'vec4f', node.outputs[0])],
    code: `let v = x[i];\n${before.trim()}\ndx[i] = dy[i] * (${slope});`,
  };
  return [mapItems(body, out.rows * quads(out), profile)];
};
