/**
 * Whole programs differentiated: the loss of every spec, on bases of odd sizes, against finite differences in a random
 * direction of every parameter its tasks train.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildEvaluation, buildTraining } from '../../compiler/graph/programs.ts';
import type { Model, Parameter, Task } from '../../compiler/model/model.ts';
import { createRandom } from '../../runtime/random.ts';
import { pack } from '../../runtime/weights/pack.ts';
import { gradientsOf, lossOf, type Numbers, packAll, randomBatch, runBatch } from '../compiler/oracle.ts';
import { library, modelOf, odd, randomValues, tiny } from '../compiler/subjects.ts';

const t = suite('gradients of whole programs');
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
function checkTask(model: Model, task: Task, labels?: number): number {
  const trainable = new Set(model.tasks.flatMap((other) => other.trains));
  const { g, reached } = buildTraining(model, trainable, task, {
    batch: BATCH,
    tokens: TOKENS,
    ...(labels === undefined ? {} : { labels }),
  });
  const evaluation = buildEvaluation(model, trainable, task.name, { batch: BATCH, tokens: TOKENS }).graph();
  const batch = randomBatch(model, BATCH, TOKENS);
  const values: Numbers = packAll(model, randomValues(model));
  const lossAt = (p: Parameter, direction: Float64Array, by: number) => {
    const moved = values.get(p.name)?.map((x, i) => x + by * (direction[i] ?? 0)) ?? new Float64Array();
    return lossOf(evaluation, runBatch(model, evaluation, new Map([...values, [p.name, moved]]), batch));
  };
  const graph = g.graph();
  const made = gradientsOf(graph, runBatch(model, graph, values, batch));
  assert.equal(
    [...made.keys()].sort(),
    [...task.trains].sort(),
    'a gradient for each trained parameter, and no other',
  );
  assert.equal([...reached].sort(), [...task.trains].sort());
  for (const p of model.parameters) {
    const gradient = made.get(p.name);
    if (!gradient) continue;
    const direction = directionFor(p);
    const expected = (lossAt(p, direction, STEP) - lossAt(p, direction, -STEP)) / (2 * STEP);
    const length = Math.sqrt(dot(gradient, gradient));
    const actual = dot(gradient.subarray(0, direction.length), direction);
    assert.ok(length > 1e-6, `${model.name}.${task.name}: the gradient of ${p.name} is zero`);
    assert.ok(
      Math.abs(actual - expected) < 1e-8 + 1e-6 * length,
      `${model.name}.${task.name}: ${p.name}: ${actual}, finite differences give ${expected}`,
    );
  }
  return made.size;
}

for (const { name, model } of library())
  for (const task of model.tasks)
    t(`${name} ${task.name}`, () => {
      assert.ok(checkTask(model, task) > 0);
    });

// Things no spec of the library has, each where a rule could forget a case.
const variants: Readonly<Record<string, string>> = {
  'raw gate a layer, one prompt token':
    'prompt w on layers[0..1] { length = 1  gate = raw(init: 0, per: layer) }',
  'tanh gate a layer': 'prompt w on layers[last 1] { length = 3  gate = tanh(init: 0, per: layer) }',
  'constant gate': 'prompt w on layers[last 1] { length = 3  gate = tanh(init: 0.7, per: const) }',
  'no gate': 'prompt w on layers[last 1] { length = 3  gate = none }',
  'two prompts in one layer':
    'prompt w on layers[last 1] { length = 3 }\nprompt v on layers[all] { length = 2  gate = raw(init: 0, per: head) }',
  'prefix and prompt': 'prefix w on layers[all] { length = 3 }\nprompt v on layers[all] { length = 2 }',
  'two soft prompts and a prompt':
    'prompt w on input { length = 3 }\nprompt u on input { length = 2 }\nprompt v on layers[all] { length = 2 }',
  'parts on the head, the embedding and norms':
    'bias w on every norm + output\nscale v on every norm + output',
  'scale, then bias, then scale, then lora':
    'scale w on every linear in layers { side = input }\nbias v on every linear in layers\nscale u on every linear in layers\nlora x on every linear in layers { rank = 3 }',
  'lora on prompts':
    'lora w on layers.attention.{wk, wv} { rank = 2  alpha = 3  on_prompts = true }\nprompt v on layers[all] { length = 3 }',
};
for (const [name, items] of Object.entries(variants))
  for (const base of [tiny, odd])
    t(`${name} on ${base.name}`, () => {
      const parts = [...items.matchAll(/^(?:prompt|prefix|scale|bias|lora) (\w+)/gm)].map(
        (found) => found[1],
      );
      const model = modelOf(`${items}\ntask train on some trains ${parts.join(' + ')}`, base);
      checkTask(model, model.tasks[0] as Task);
    });

t('the head runs on labelled rows only', () => {
  const model = modelOf(
    'prompt w on input { length = 3 }\nprompt v on layers[all] { length = 2 }\ntask train on some trains base + w + v',
  );
  checkTask(model, model.tasks[0] as Task, 9);
});

t('everything is trained at once, with a tied head and half-split rotation', () => {
  const base = { ...odd, tied: true, rope: { style: 'half', theta: 100 } } as const;
  const model = modelOf('prompt w on layers[all] { length = 2 }\ntask train on some trains base + w', base);
  checkTask(model, model.tasks[0] as Task);
});

t.run();
