/** Our graphs of the measured operations. */
import { attend } from '../../compiler/build/attention.ts';
import { Builder } from '../../compiler/graph/builder.ts';
import type { ParameterTable } from '../../compiler/graph/tape.ts';
import type { Tensor } from '../../compiler/graph/graph.ts';
import { hooksOf } from '../../compiler/kinds/index.ts';
import { axis, type Axis, type Model } from '../../compiler/model/model.ts';
import { differentiate } from '../../compiler/passes/autodiff.ts';
import { NORM_EPS, trainedOf, type Operation } from './ops.ts';

export type Block = Extract<Operation, { kind: 'block' }>;

/** A forward pass whose result is `out`, or a forward and backward pass whose result is `loss`. */
export interface Built {
  readonly g: Builder;
  /** Parameters whose gradients it computes. */
  readonly reached: ReadonlySet<string>;
}

/** The axes of an operation's parameters, as they lie on the device: linears are [out, in]. */
export function parameterAxes(op: Operation): Record<string, readonly Axis[]> {
  switch (op.kind) {
    case 'matmul':
      return { b: [axis(op.n), axis(op.k)] };
    case 'softmax':
      return {};
    case 'rmsnorm':
      return { g: [axis(op.columns)] };
    case 'block':
      return blockAxes(op);
  }
}

function blockAxes(op: Block): Record<string, readonly Axis[]> {
  const [dim, ffn, heads] = [axis(op.dim), axis(op.ffn), axis(op.dim / op.heads, op.heads)];
  const linears: Record<string, readonly [Axis, Axis]> = {
    ...{ wq: [heads, dim], wk: [heads, dim], wv: [heads, dim], wo: [dim, heads] },
    ...{ w1: [ffn, dim], w3: [ffn, dim], w2: [dim, ffn] },
  };
  const vectors = Object.entries(linears).flatMap(([name, [out]]) => [
    [`b_${name}`, [out]] as const,
    [`s_${name}`, [out]] as const,
  ]);
  return { g1: [dim], g2: [dim], ...linears, ...(op.trains === 'peft' ? Object.fromEntries(vectors) : {}) };
}

export function buildGraph(op: Operation, model: Model, table: ParameterTable): Built {
  const rows = op.kind === 'matmul' ? op.m : op.kind === 'block' ? op.tokens : op.rows;
  const g = new Builder({ kind: 'forward', image: false }, 1, rows, table);
  g.at(op.name);
  switch (op.kind) {
    case 'matmul': {
      const a = g.tensor('a', op.m, axis(op.k), 'inputs');
      g.output('out', g.linear(a, g.parameter('b'), axis(op.n)));
      return { g, reached: new Set() };
    }
    case 'softmax': {
      const x = g.tensor('x', op.rows, axis(op.columns), 'inputs');
      const shape = { batch: 1, heads: 1, queries: op.rows, keys: op.columns, prefix: 0 };
      g.output('out', g.softmax(x, null, null, shape)[0]);
      return { g, reached: new Set() };
    }
    case 'rmsnorm': {
      const x = g.tensor('x', op.rows, axis(op.columns), 'inputs');
      g.output('out', g.rmsnorm(x, g.parameter('g'), NORM_EPS));
      return { g, reached: new Set() };
    }
    case 'block':
      return buildStep(g, op, model);
  }
}

/** Names of the inputs that `buildStep` adds to x: -y, and a vector of the loss's derivative for a difference of 1. */
export const STEP_INPUTS = { minusY: 'minusY', slope: 'slope' } as const;

/** Mean squared error between the block's output and y, and its gradient. */
function buildStep(g: Builder, op: Block, model: Model): Built {
  const dim = axis(op.dim);
  const out = buildBlock(g, op, model, g.tensor('x', op.tokens, dim, 'inputs'));
  g.at('loss');
  const difference = g.add(out, g.tensor(STEP_INPUTS.minusY, op.tokens, dim, 'inputs'));
  // 2 (out - y) / count: the gradient, and half of it times the difference adds up to the loss.
  const gradient = g.mulScale(difference, g.tensor(STEP_INPUTS.slope, 1, dim, 'inputs'));
  g.node('sum', [g.columnSum(difference, gradient)], [g.tensor('twiceLoss', 1, axis(1), 'results')], {});
  return { g, reached: differentiate(g, out, gradient, new Set(trainedOf(op))) };
}

/** RMSNorm, causal attention, RMSNorm, SwiGLU, with residuals. */
function buildBlock(g: Builder, op: Block, model: Model, x: Tensor): Tensor {
  const [dim, ffn, heads] = [axis(op.dim), axis(op.ffn), axis(op.dim / op.heads, op.heads)];
  const linear = (name: string, value: Tensor, out: Axis): Tensor => {
    g.at(name);
    const y = g.linear(value, g.parameter(name), out);
    return op.trains === 'full'
      ? y
      : g.mulScale(g.addBias(y, g.parameter(`b_${name}`)), g.parameter(`s_${name}`));
  };
  const norm = (name: string, value: Tensor): Tensor => {
    g.at(name);
    return g.rmsnorm(value, g.parameter(name), NORM_EPS);
  };
  const n1 = norm('g1', x);
  const [q, k, v] = [linear('wq', n1, heads), linear('wk', n1, heads), linear('wv', n1, heads)];
  const shape = {
    purpose: g.purpose,
    mode: 'full',
    batch: 1,
    tokens: op.tokens,
    context: op.tokens,
    keys: op.tokens,
    image: false,
  } as const;
  const source = { model, trainable: new Set<string>(), hooksOf };
  const none = { sites: new Map(), parts: new Map(), visual: new Map(), tap: () => {} };
  const context = { g, source, model, hooksOf, shape, ...none };
  const positions = g.tensor('positions', 1, axis(op.tokens), 'inputs', 'u32');
  const o = attend(context, 0, q, { key: k, value: v, keys: op.tokens, stride: op.tokens }, [], positions);
  const attended = linear('wo', o, dim);
  g.at('residual');
  const h = g.add(attended, x);
  const n2 = norm('g2', h);
  const [u, w] = [linear('w1', n2, ffn), linear('w3', n2, ffn)];
  g.at('silu');
  const f = linear('w2', g.siluMul(u, w), dim);
  g.at('residual');
  return g.add(f, h);
}
