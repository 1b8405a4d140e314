/** What the passes make of LayerNorm: only what is read is written, and residual sums go into the gradient. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../compiler/graph/builder.ts';
import type { Graph, Tensor } from '../../compiler/graph/graph.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { verify } from '../../compiler/ops/verify.ts';
import { axis } from '../../compiler/model/model.ts';
import { differentiate } from '../../compiler/passes/autodiff.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { prune } from '../../compiler/passes/prune.ts';

const t = suite('passes on norms');
const [ROWS, AXIS] = [3, axis(8)];

/** A residual block, x + norm(x) W with the product left out or in, differentiated towards some of its parameters. */
function block(trained: readonly string[], linear: boolean): Graph {
  const g = new Builder({ kind: 'forward', image: false }, 1, ROWS);
  g.at('block');
  const leaf = (name: string, rows: number): Tensor =>
    g.tensor(name, rows, AXIS, 'parameters', 'f32', { parameter: name });
  const x = leaf('x', ROWS);
  const normed = g.layernorm(x, leaf('w', 1), leaf('b', 1), 1e-5);
  const y = g.add(x, linear ? g.linear(normed, leaf('linear', 8), AXIS) : normed);
  const seed = g.tensor('seed', ROWS, AXIS, 'inputs');
  if (trained.length > 0) differentiate(g, y, seed, new Set(trained));
  else g.output('y', y);
  return g.graph();
}

const opsOf = (graph: Graph): string[] => graph.nodes.map((node) => node.op);

/** The gradients a graph gives, by parameter. */
function gradients(graph: Graph): Map<string, Float64Array> {
  const given = new Map<number, Float64Array>();
  for (const tensor of graph.tensors)
    if (['parameters', 'inputs'].includes(tensor.home))
      given.set(
        tensor.id,
        Float64Array.from({ length: tensor.rows * 8 }, (_, i) => Math.sin(1 + i * 1.7 + tensor.name.length)),
      );
  const values = interpret(graph, given);
  const found = graph.tensors.filter((tensor) => tensor.home === 'gradients' && values.has(tensor.id));
  return new Map(
    found.map((tensor) => [tensor.parameter ?? '', values.get(tensor.id) ?? new Float64Array()]),
  );
}

t('a forward pass writes neither the normalised rows nor their scale', () => {
  const graph = verify(prune(block([], true)));
  const norm = graph.nodes.find((node) => node.op === 'layernorm');
  assert.equal(norm?.outputs.slice(1), [null, null]);
});

t('the gradient of the weight alone reads the normalised rows and nothing else', () => {
  const graph = verify(prune(block(['w'], true)));
  const norm = graph.nodes.find((node) => node.op === 'layernorm');
  assert.ok(typeof norm?.outputs[1] === 'number' && norm.outputs[2] === null);
  assert.not.ok(opsOf(graph).includes('layernormGrad'));
});

t('the sum round a norm goes into its gradient, which changes no value', () => {
  const pruned = verify(prune(block(['x', 'w', 'b'], true)));
  const fused = verify(fuse(pruned));
  assert.ok(opsOf(pruned).includes('add'));
  assert.not.ok(opsOf(fused).includes('add'));
  const grad = fused.nodes.find((node) => node.op === 'layernormGrad');
  assert.type(grad?.inputs[4], 'number');
  const [plain, merged] = [gradients(pruned), gradients(fused)];
  assert.equal([...merged.keys()].sort(), ['b', 'w', 'x']);
  for (const [name, values] of merged)
    values.forEach((value, i) => assert.ok(Math.abs(value - (plain.get(name)?.[i] ?? NaN)) <= 1e-12));
});

t('a sum with what the gradient reads already stays a node of its own', () => {
  const pruned = verify(prune(block(['x'], false)));
  const fused = verify(fuse(pruned));
  assert.ok(opsOf(fused).includes('add'));
});

t.run();
