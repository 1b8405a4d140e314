/** Gradients of whole programs against finite differences of their losses, in float64. */
import * as assert from 'uvu/assert';
import { buildEvaluation } from '../../compiler/build/programs.ts';
import type { Model, Parameter, Task } from '../../compiler/model/model.ts';
import { reachedBy } from '../../compiler/passes/autodiff.ts';
import { createRandom } from '../../runtime/random.ts';
import { pack } from '../../runtime/weights/pack.ts';
import { gradientsOf, lossOf, type Numbers, packAll, randomBatch, runBatch } from './oracle.ts';
import { randomValues, sourceOf, trainingGraph } from './subjects.ts';

const [BATCH, TOKENS] = [2, 5];
/** Half a step: the quotient then errs by about 1e-10 of curvature and 1e-11 of rounding. */
const STEP = 1e-5;

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** A random direction of length one that leaves the padding alone. */
function directionFor(p: Parameter): Float64Array {
  const random = createRandom('direction', p.name);
  const raw = Float32Array.from({ length: p.shape.reduce((a, b) => a * b, 1) }, () => random.normal());
  const packed = Float64Array.from(pack(raw, p.shape, p.axes));
  const length = Math.sqrt(dot(packed, packed));
  return packed.map((x) => x / length);
}

/** Compares every trained parameter's gradient with the difference quotient of the loss; returns how many there were. */
export function checkTask(
  model: Model,
  task: Task,
  { labels, image = false }: { readonly labels?: number; readonly image?: boolean } = {},
): number {
  const trainable = new Set(model.tasks.flatMap((other) => other.trains));
  const bound = labels === undefined ? {} : { labels };
  const graph = trainingGraph(model, task, { batch: BATCH, tokens: TOKENS, image, ...bound }, trainable);
  const reached = reachedBy([graph], model).get(task.name) ?? [];
  const evaluation = buildEvaluation(sourceOf(model, trainable), task, {
    batch: BATCH,
    tokens: TOKENS,
    image,
  }).graph();
  const batch = randomBatch(model, BATCH, TOKENS);
  const values: Numbers = packAll(model, randomValues(model));
  const lossAt = (p: Parameter, direction: Float64Array, by: number) => {
    const moved = values.get(p.name)?.map((x, i) => x + by * (direction[i] ?? 0)) ?? new Float64Array();
    return lossOf(evaluation, runBatch(model, evaluation, new Map([...values, [p.name, moved]]), batch));
  };
  const made = gradientsOf(graph, runBatch(model, graph, values, batch));
  assert.equal(
    [...made.keys()].sort(),
    [...task.trains].sort(),
    'a gradient for each trained parameter, and no other',
  );
  assert.equal([...reached].sort(), [...task.trains].sort());
  // The same holds in a layer without rotary positions, where a bias of the keys is one vector for all of them.
  const unrotated = new Set(
    model.parts
      .filter(({ kind }) => kind === 'bias')
      .flatMap(({ name }) =>
        (model.base.unrotated ?? []).map((layer) => `${name}.layers.${layer}.attention.wk`),
      ),
  );
  for (const p of model.parameters) {
    const gradient = made.get(p.name);
    if (!gradient) continue;
    const direction = directionFor(p);
    const expected = (lossAt(p, direction, STEP) - lossAt(p, direction, -STEP)) / (2 * STEP);
    const length = Math.sqrt(dot(gradient, gradient));
    const actual = dot(gradient.subarray(0, direction.length), direction);
    // A softmax does not see what is added to all of its scores, so a bias of the keys has no gradient.
    const still = p.name.endsWith('.attn.k.bias') || unrotated.has(p.name);
    assert.is(length > 1e-6, !still, `${model.name}.${task.name}: the gradient of ${p.name} is ${length}`);
    assert.ok(
      Math.abs(actual - expected) < 1e-8 + 1e-6 * length,
      `${model.name}.${task.name}: ${p.name}: ${actual}, finite differences give ${expected}`,
    );
  }
  return made.size;
}
