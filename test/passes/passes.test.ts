/** What every pass must leave behind, on every spec: valid graphs, no work for frozen weights, the same values. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Graph, labelOf, type Node } from '../../compiler/graph/graph.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { buildEvaluation, buildForward, buildGeneration } from '../../compiler/build/programs.ts';
import { tensorAt, used } from '../../compiler/graph/slots.ts';
import { verify } from '../../compiler/ops/verify.ts';
import type { Model, Task } from '../../compiler/model/model.ts';
import { fuseScale } from '../../compiler/passes/fuse-scale.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { layOut } from '../../compiler/passes/layout.ts';
import { prune } from '../../compiler/passes/prune.ts';
import { givenFor, inputsOf, type Numbers, packAll, randomBatch } from '../compiler/oracle.ts';
import {
  fromLibrary,
  library,
  modelOf,
  randomValues,
  tiny,
  sourceOf,
  trainingGraph,
} from '../compiler/subjects.ts';

const t = suite('passes');
const SIZES = { batch: 2, tokens: 5 };
const CONTEXT = 12;
const subjects = library();
const trainableOf = (model: Model) => new Set(model.tasks.flatMap((task) => task.trains));

/** Every program of a model, before any pass but autodiff. */
function programsOf(model: Model): Graph[] {
  const trainable = trainableOf(model);
  const others = [
    ...model.tasks.map((task) => buildEvaluation(sourceOf(model, trainable), task, { ...SIZES, labels: 8 })),
    buildForward(sourceOf(model, trainable), SIZES),
    ...buildGeneration(sourceOf(model, trainable), {
      ...SIZES,
      context: CONTEXT,
      keys: [CONTEXT],
      image: false,
      extend: true,
    }),
  ];
  const trainings = model.tasks.map((task) => trainingGraph(model, task, SIZES, trainable));
  return [...trainings, ...others.map((g) => g.graph())];
}

/** Reads that nothing answers: activations no node wrote before. Independent of `verify`, which is tested below too. */
function checkOrder(graph: Graph): void {
  const written = new Set<number>();
  for (const node of graph.nodes) {
    for (const id of used(node.inputs))
      assert.ok(
        written.has(id) || tensorAt(graph, id).home !== 'activations',
        `${graph.name}: ${node.op} ${labelOf(node.origin)}`,
      );
    for (const id of used(node.outputs)) written.add(id);
  }
  for (const { tensor } of graph.outputs)
    assert.ok(written.has(tensor), `${graph.name} gives what it never writes`);
}

/** Nodes whose every output is read by nobody. */
function dead(graph: Graph): Node[] {
  const read = new Set([
    ...graph.nodes.flatMap((node) => used(node.inputs)),
    ...graph.outputs.map(({ tensor }) => tensor),
  ]);
  return graph.nodes.filter((node) =>
    used(node.outputs).every((id) => !read.has(id) && tensorAt(graph, id).home === 'activations'),
  );
}

for (const { name, model } of subjects)
  t(`every pass leaves valid graphs: ${name}`, () => {
    for (const program of programsOf(model)) {
      const built = verify(program);
      const pruned = verify(prune(built));
      const scaled = verify(fuseScale(pruned));
      const fused = verify(fuse(scaled));
      for (const graph of [built, pruned, scaled, fused]) checkOrder(graph);
      assert.equal(
        dead(pruned).map((node) => `${node.op} ${labelOf(node.origin)}`),
        [],
        program.name,
      );
      assert.equal(
        dead(fused).map((node) => `${node.op} ${labelOf(node.origin)}`),
        [],
        program.name,
      );
      assert.equal(prune(pruned).nodes, pruned.nodes, 'pruning twice changes nothing');
      assert.equal(prune(fused).nodes, fused.nodes, 'fused nodes write what is read and no more');
    }
  });

t('verify refuses a graph that reads what comes later, and a node short of a slot', () => {
  const [subject] = subjects;
  const graph = buildForward(sourceOf(subject?.model as Model), SIZES).graph();
  assert.throws(() => verify({ ...graph, nodes: [...graph.nodes].reverse() }), /before it is written/);
  assert.throws(
    () =>
      verify({
        ...graph,
        nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.slice(1) })),
      }),
    /inputs/,
  );
  assert.throws(() => verify({ ...graph, nodes: [...graph.nodes, ...graph.nodes] }), /again/);
});

t('verify refuses stored numbers where only f32 is read', () => {
  const [subject] = subjects;
  const graph = buildForward(sourceOf(subject?.model as Model), SIZES).graph();
  const stored = (parameter: string) => ({
    ...graph,
    tensors: graph.tensors.map((t) => (t.parameter === parameter ? { ...t, storage: 'q8' as const } : t)),
  });
  verify(stored('layers.0.attention.wq.weight'));
  verify(stored('tok_embeddings.weight'));
  assert.throws(() => verify(stored('layers.0.attention_norm.weight')), /cannot read numbers stored as q8/);
});

t('pruning removes what nobody reads, however long the chain, and outputs that are optional', () => {
  const model = fromLibrary('llama-adapter-v2.adapter');
  const graph = buildForward(sourceOf(model), SIZES).graph();
  assert.equal(prune({ ...graph, outputs: [] }).nodes, [], 'all of it led to the logits');
  const first = graph.nodes.findIndex((node) => node.origin.layer === 1);
  const [middle] = graph.nodes[first - 1]?.outputs ?? [];
  const half = prune({ ...graph, outputs: [{ name: 'middle', tensor: middle ?? -1 }] });
  assert.not(half.nodes.some((node) => node.origin.layer === 1 || node.origin.site === 'output'));
  assert.ok(half.nodes.length > 10);
  // Only a backward pass reads the inverse roots that a norm can give.
  const norms = prune(graph).nodes.filter((node) => node.op === 'rmsnorm');
  assert.ok(norms.length === 5 && norms.every((node) => node.outputs[1] === null));
});

t('a prefix moves the words by its length, and nothing else does', () => {
  for (const { name, model } of subjects)
    for (const program of programsOf(model))
      for (const node of program.nodes)
        if (node.op === 'rope' && !node.attrs.inverse)
          assert.is(node.attrs.shift, model.name === 'Prefix' ? 3 : 0, `${name} ${program.name}`);
});

/** Backward nodes of a task's training program, after pruning. */
function backward(model: Model, task: Task): { readonly graph: Graph; readonly nodes: readonly Node[] } {
  const trainable = trainableOf(model);
  const forward = prune(buildEvaluation(sourceOf(model, trainable), task, SIZES).graph()).nodes.length;
  const graph = prune(trainingGraph(model, task, SIZES, trainable));
  return { graph, nodes: graph.nodes.slice(forward) };
}

for (const { name, model } of subjects)
  for (const task of model.tasks)
    t(`no gradient of a frozen weight: ${name} ${task.name}`, () => {
      const { graph, nodes } = backward(model, task);
      const written = nodes.flatMap((node) => used(node.outputs)).map((id) => tensorAt(graph, id));
      for (const tensor of written) {
        if (tensor.home !== 'gradients') continue;
        assert.ok(task.trains.includes(tensor.parameter ?? ''), `a gradient of ${tensor.parameter}`);
      }
      // A weight's gradient is the only product over rows outside of attention.
      const trained = new Set(
        model.sites.filter((site) => task.trains.includes(site.parameter)).map((site) => site.name),
      );
      for (const node of nodes) {
        if (node.op !== 'matmul' || node.attrs.mode !== 'tn') continue;
        const { site, layer, part } = node.origin;
        const allowed = site === `layers.${layer}.attention` || trained.has(site) || part !== null;
        assert.ok(allowed, `a product over rows for ${labelOf(node.origin)}`);
      }
    });

t('nothing below the lowest trained leaf is differentiated', () => {
  for (const late of [1, 2, 3]) {
    const model = fromLibrary('llama-adapter-v1.adapter', {
      base: { ...tiny, layers: 4 },
      params: { late: `last ${late}` },
    });
    const { nodes } = backward(model, model.tasks[0] as Task);
    const layers = new Set(nodes.flatMap((node) => node.origin.layer ?? []));
    assert.equal(
      [...layers].sort((a, b) => a - b),
      Array.from({ length: late }, (_, i) => 4 - late + i),
    );
  }
});

t('a hundred tasks, each with parameters of its own, have a cell each', () => {
  const items = Array.from(
    { length: 100 },
    (_, i) => `prompt p${i} on layers[0] { length = 1 }\ntask t${i} on some trains p${i}`,
  );
  const model = modelOf(items.join('\n'));
  const reached = new Map(model.tasks.map(({ name, trains }) => [name, new Set(trains)]));
  const { cells } = layOut(model, reached);
  assert.equal(
    cells.map(({ tasks }) => tasks),
    model.tasks.map(({ name }) => [name]),
  );
});

t('the backward pass of one prompted layer has the nodes it needs and no other', () => {
  const model = fromLibrary('llama-adapter-v1.adapter', { base: { ...tiny, layers: 3 } });
  const { nodes } = backward(model, model.tasks[0] as Task);
  const counts: Record<string, number> = {};
  for (const node of nodes) {
    const op = node.op === 'matmul' ? `${node.op} ${node.attrs.mode}` : node.op;
    counts[op] = (counts[op] ?? 0) + 1;
  }
  assert.equal(counts, {
    // output, w2, w1, w3, wo, and the prompt through wk and wv: products with frozen weights.
    'matmul nn': 7,
    // Towards the prompt's values and keys; from the values to the probabilities.
    'matmul tn': 2,
    'matmul nt': 1,
    rmsnormGrad: 2,
    siluMulGrad: 1,
    softmaxGrad: 1,
    gateMul: 1,
    gateGrad: 1,
    columnSum: 1,
    // Two branches meet: w1 with w3, the residual stream around the feed-forward network, wk with wv.
    add: 3,
  });
});

t('training nothing below the head costs one product', () => {
  const model = modelOf('bias w on output\ntask train on some trains w');
  const { nodes } = backward(model, model.tasks[0] as Task);
  assert.equal(
    nodes.map((node) => node.op),
    ['columnSum'],
  );
});

/** What the host or a later program sees of a graph, by tensor. */
function effects(graph: Graph): readonly number[] {
  const seen = graph.tensors
    .filter((tensor) => ['gradients', 'results', 'state'].includes(tensor.home))
    .map((tensor) => tensor.id);
  const written = new Set(graph.nodes.flatMap((node) => used(node.outputs)));
  return [...new Set([...seen, ...graph.outputs.map(({ tensor }) => tensor)])].filter((id) =>
    written.has(id),
  );
}

function compareFused(model: Model, built: Graph, parameters: Numbers): number {
  const batch = randomBatch(model, SIZES.batch, built.tokens);
  const pruned = prune(built);
  const fused = fuse(fuseScale(pruned));
  const inputs = new Map([...inputsOf(model, built, batch), ['last', Float64Array.of(3, 1)]]);
  if (built.name === 'extend')
    inputs.set(
      'positions',
      Float64Array.from({ length: 2 * built.tokens }, (_, i) => (i < built.tokens ? i + 4 : i - 3)),
    );
  if (built.name.startsWith('decode')) inputs.set('positions', Float64Array.of(4, 2));
  const given = givenFor(model, built, parameters, inputs, 1 / batch.labelled);
  // Caches and prompts as some earlier program left them.
  for (const tensor of built.tensors)
    if (tensor.home === 'state')
      given.set(
        tensor.id,
        Float64Array.from(
          { length: tensor.rows * Math.ceil(tensor.axis.size / 4) * 4 * tensor.axis.groups },
          (_, i) => Math.sin(i + tensor.id),
        ),
      );
  const [plain, merged] = [interpret(built, given), interpret(fused, given)];
  for (const id of effects(fused))
    plain
      .get(id)
      ?.forEach((value, i) =>
        assert.ok(
          Math.abs(value - (merged.get(id)?.[i] ?? NaN)) <= 1e-12 * (1 + Math.abs(value)),
          `${built.name}: ${tensorAt(built, id).name} [${i}]: ${merged.get(id)?.[i]}, unfused ${value}`,
        ),
      );
  assert.equal(effects(fused), effects(built), 'nothing is lost');
  return pruned.nodes.length - fused.nodes.length;
}

for (const { name, model } of subjects)
  t(`fusing changes no value: ${name}`, () => {
    const parameters = packAll(model, randomValues(model));
    const saved = programsOf(model).map((graph) => compareFused(model, graph, parameters));
    assert.ok(
      saved[0] && saved[0] >= 3 * model.base.layers,
      `at least SiLU and two residual sums a layer are taken in, not ${saved[0]} in all`,
    );
  });

t('every bias, scale and residual sum of the forward pass goes into a product', () => {
  const model = fromLibrary('llama-adapter-v2.adapter');
  const graph = fuse(prune(buildForward(sourceOf(model, trainableOf(model)), SIZES).graph()));
  const left = graph.nodes.filter((node) => ['addBias', 'mulScale', 'siluMul', 'add'].includes(node.op));
  assert.equal(
    left.map((node) => `${node.op} ${labelOf(node.origin)}`),
    [],
  );
});

t.run();
