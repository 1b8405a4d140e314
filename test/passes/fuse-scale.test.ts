/** The gradients of a bias and a scale as one node: where it takes over, what it writes, and that no value changes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../compiler/graph/builder.ts';
import type { Graph, NodeOf, Tensor } from '../../compiler/graph/graph.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { verify } from '../../compiler/ops/verify.ts';
import { axis } from '../../compiler/model/model.ts';
import { differentiate } from '../../compiler/passes/autodiff.ts';
import { fuseScale } from '../../compiler/passes/fuse-scale.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { prune } from '../../compiler/passes/prune.ts';

const t = suite('gradients of bias and scale');
const [ROWS, AXIS] = [3, axis(8)];
const LOWER = ['lower.b', 'lower.s'];

/** Two linears y = s * (W x + b) with an activation after each, differentiated towards some of their vectors. */
function stack(trained: readonly string[], between: 'activation' | 'nothing' = 'activation'): Graph {
  const g = new Builder({ kind: 'forward', image: false }, 1, ROWS);
  const leaf = (name: string, rows: number): Tensor =>
    g.tensor(name, rows, AXIS, 'parameters', 'f32', { parameter: name });
  let x = g.tensor('x', ROWS, AXIS, 'inputs');
  for (const site of ['lower', 'upper']) {
    g.at(site);
    const biased = g.addBias(g.linear(x, leaf(`${site}.w`, 8), AXIS), leaf(`${site}.b`, 1));
    const y = g.mulScale(biased, leaf(`${site}.s`, 1));
    x = between === 'nothing' ? y : g.activate(y, { function: 'gelu' });
  }
  differentiate(g, x, g.tensor('seed', ROWS, AXIS, 'inputs'), new Set(trained));
  return verify(prune(g.graph()));
}

const scaleGrads = (graph: Graph): NodeOf<'scaleGrad'>[] =>
  graph.nodes.filter((node) => node.op === 'scaleGrad');
/** Which outputs each of them writes, by site: dz, dScale, dBias. */
const writes = (graph: Graph): string[] =>
  scaleGrads(graph).map(
    ({ origin, inputs, outputs }) =>
      `${origin.site}${inputs[1] === null ? '' : ' reads z'}: ${['dz', 'scale', 'bias'].filter((_, i) => outputs[i] !== null).join(' ')}`,
  );

/** The gradients a graph gives, by parameter. */
function gradients(graph: Graph): Map<string, Float64Array> {
  const given = new Map<number, Float64Array>();
  for (const tensor of graph.tensors)
    if (['parameters', 'inputs'].includes(tensor.home))
      given.set(
        tensor.id,
        Float64Array.from({ length: tensor.rows * 8 }, (_, i) => Math.sin(1 + i * 1.7 + tensor.id)),
      );
  const values = interpret(graph, given);
  const found = graph.tensors.filter((tensor) => tensor.home === 'gradients' && values.has(tensor.id));
  return new Map(
    found.map((tensor) => [tensor.parameter ?? '', values.get(tensor.id) ?? new Float64Array()]),
  );
}

function fused(before: Graph, trained: readonly string[]): Graph {
  const after = verify(fuse(verify(fuseScale(before))));
  const [plain, merged] = [gradients(before), gradients(after)];
  assert.equal([...merged.keys()].sort(), [...trained].sort());
  for (const [name, values] of merged)
    values.forEach((value, i) => assert.ok(Math.abs(value - (plain.get(name)?.[i] ?? NaN)) <= 1e-12, name));
  return after;
}

t('bias and scale: one node a linear, and the lowest writes no gradient of its product', () => {
  const trained = ['upper.b', 'upper.s', ...LOWER];
  const graph = fused(stack(trained), trained);
  assert.equal(writes(graph), ['upper reads z: dz scale bias', 'lower reads z: scale bias']);
  assert.not.ok(graph.nodes.some(({ op }) => op === 'columnSum'));
});

t('the scale alone: it needs a pass of its own where nothing goes further down', () => {
  const trained = ['upper.s', 'lower.s'];
  const graph = fused(stack(trained), trained);
  assert.equal(writes(graph), ['upper reads z: dz scale']);
  assert.equal(graph.nodes.filter(({ op }) => op === 'columnSum').length, 1);
});

t('the bias alone, under a frozen scale', () => {
  const trained = ['upper.b', 'lower.b'];
  const graph = fused(stack(trained), trained);
  assert.equal(writes(graph), ['upper: dz bias', 'lower: bias']);
});

t('a product scales its own result, unless the scale is trained as well', () => {
  const [bias, both] = [['lower.b'], LOWER];
  assert.equal(writes(fused(stack(bias, 'nothing'), bias)), []);
  assert.equal(writes(fused(stack(both, 'nothing'), both)), ['lower reads z: scale bias']);
});

t('a scaled tensor that nobody sums, or that its own sum multiplies, stays as it is', () => {
  const g = new Builder({ kind: 'forward', image: false }, 1, ROWS);
  const x = g.tensor('x', ROWS, AXIS, 'inputs');
  const scaled = g.mulScale(x, g.tensor('s', 1, AXIS, 'inputs'));
  g.output('product', g.columnSum(x, scaled));
  g.output('weighted', g.columnSum(scaled, null, g.tensor('weights', 1, axis(ROWS), 'inputs')));
  const graph = verify(g.graph());
  assert.equal(fuseScale(graph), graph);
});

t('a result that the host reads is written', () => {
  const g = new Builder({ kind: 'forward', image: false }, 1, ROWS);
  const scaled = g.mulScale(g.tensor('x', ROWS, AXIS, 'inputs'), g.tensor('s', 1, AXIS, 'inputs'));
  g.output('sum', g.columnSum(scaled));
  g.output('scaled', scaled);
  assert.equal(writes(verify(fuseScale(g.graph()))), [': dz bias']);
});

t('a sum that was taken before stays where it is', () => {
  const g = new Builder({ kind: 'forward', image: false }, 1, ROWS);
  const leaf = (name: string, rows: number) => g.tensor(name, rows, AXIS, 'inputs');
  const x = leaf('x', ROWS);
  const sum = g.columnSum(x, leaf('z', ROWS));
  g.output('scaled', g.mulScale(x, sum));
  const graph = verify(g.graph());
  assert.equal(fuseScale(graph), graph);
});

t.run();
