/** Gradients of a graph against central finite differences, in float64 through the references of its operations. */
import * as assert from 'uvu/assert';
import { Builder } from '../../compiler/graph/builder.ts';
import type { OpName, Tensor } from '../../compiler/graph/graph.ts';
import { extent } from '../../compiler/graph/tape.ts';
import { type Axis, axis, ceil4, padded } from '../../compiler/model/model.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { differentiate } from '../../compiler/passes/autodiff.ts';
import { randomValues } from '../wgsl/harness.ts';

/** Half a step; the difference quotient then errs by about 1e-10, plus 1e-16 / STEP of rounding. */
const STEP = 1e-5;
export const CLOSE = 1e-7;

/** A graph under construction with the values of its leaves. */
export interface Trial {
  readonly g: Builder;
  readonly values: Map<number, Float64Array>;
  /** A matrix that is trained, or (`row`) a vector. */
  readonly matrix: (name: string, rows: number, ax: Axis) => Tensor;
  readonly row: (name: string, ax: Axis) => Tensor;
  /** What the host writes: random numbers, or the given whole numbers. */
  readonly input: (name: string, rows: number, ax: Axis) => Tensor;
  readonly words: (name: string, values: readonly number[]) => Tensor;
}

/** Operations that a checked graph has. */
export const checked = new Set<OpName>();
let seed = 1;

/** Columns that are not padding. */
const isLogical = (tensor: Tensor, i: number) =>
  (i % padded(tensor.axis)) % ceil4(tensor.axis.size) < tensor.axis.size;
const randomFor = (tensor: Tensor) =>
  randomValues(extent(tensor), seed++).map((x, i) => (isLogical(tensor, i) ? x : 0));

export function makeTrial(): Trial {
  const g = new Builder({ kind: 'forward', image: false }, 1, 1);
  const values = new Map<number, Float64Array>();
  const keep = (tensor: Tensor, numbers = randomFor(tensor)) => {
    values.set(tensor.id, numbers);
    return tensor;
  };
  return {
    g,
    values,
    matrix: (name, rows, ax) => keep(g.tensor(name, rows, ax, 'parameters', 'f32', { parameter: name })),
    row: (name, ax) => keep(g.tensor(name, 1, ax, 'parameters', 'f32', { parameter: name })),
    input: (name, rows, ax) => keep(g.tensor(name, rows, ax, 'inputs')),
    words: (name, list) => {
      const tensor = g.tensor(name, 1, axis(list.length), 'inputs', 'u32');
      return keep(
        tensor,
        Float64Array.from({ length: extent(tensor) }, (_, i) => list[i] ?? 0),
      );
    },
  };
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** The difference quotients of sum(weights * y) along every logical number of a parameter. */
export function quotients(trial: Trial, parameter: Tensor, loss: () => number): Float64Array {
  const values = trial.values.get(parameter.id) ?? new Float64Array();
  return values.map((former, i) => {
    if (!isLogical(parameter, i)) return 0;
    const [high, low] = [1, -1].map((sign) => {
      values[i] = former + sign * STEP;
      return loss();
    }) as [number, number];
    values[i] = former;
    return (high - low) / (2 * STEP);
  });
}

/**
 * Builds y, differentiates sum(weights * y) towards all parameters together and towards each alone, and compares. The
 * gradient's padding must be zero, except for the left side of `nn` products: those are probabilities, and the gradient of
 * a softmax masks its padding.
 */
export function checkGradients(build: (trial: Trial) => Tensor, padding: 'zero' | 'any'): void {
  const everything = makeTrial();
  const start = seed;
  build(everything);
  const names = everything.g.tensors
    .filter((tensor) => tensor.home === 'parameters')
    .map((tensor) => tensor.name);
  for (const trained of [names, ...(names.length > 1 ? names.map((one) => [one]) : [])]) {
    seed = start;
    compare(build, trained, padding);
  }
}

function compare(build: (trial: Trial) => Tensor, trained: readonly string[], padding: 'zero' | 'any'): void {
  const trial = makeTrial();
  const { g, values } = trial;
  const y = build(trial);
  const forward = { tensors: g.tensors, nodes: [...g.nodes] };
  for (const node of forward.nodes) checked.add(node.op);
  const weights = trial.input('weights', y.rows, y.axis);
  const weightValues = values.get(weights.id) ?? new Float64Array();
  // What no gradient flows through stays what it was at first.
  const fixed = forward.nodes.filter(({ op }) => op === 'inverseNorms').flatMap(({ outputs }) => outputs);
  const first = interpret(forward, values);
  const held = new Map(fixed.map((id) => [id ?? -1, first.get(id ?? -1) ?? new Float64Array()]));
  const moving = { ...forward, nodes: forward.nodes.filter(({ op }) => op !== 'inverseNorms') };
  const loss = () =>
    dot(interpret(moving, new Map([...values, ...held])).get(y.id) ?? new Float64Array(), weightValues);
  differentiate(g, y, weights, new Set(trained));
  const results = interpret(g, values);
  for (const name of trained) {
    const parameter = g.tensors.find((tensor) => tensor.home === 'parameters' && tensor.name === name);
    const gradient = g.tensors.find((tensor) => tensor.home === 'gradients' && tensor.parameter === name);
    assert.ok(parameter && gradient, `${name} has no gradient`);
    const [got, wanted] = [results.get(gradient.id) ?? new Float64Array(), quotients(trial, parameter, loss)];
    assert.is(got.length, wanted.length);
    got.forEach((x, i) => {
      if (padding === 'any' && !isLogical(parameter, i)) return;
      const other = wanted[i] ?? NaN;
      assert.ok(
        Math.abs(x - other) <= CLOSE * (1 + Math.abs(other)),
        `d ${name}[${i}] is ${x}, by differences ${other}`,
      );
    });
  }
}
