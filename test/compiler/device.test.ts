/** The compiled training programs of every spec on the device, under each class of kernels, against float64. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { showsImages } from '../../compiler/compile/tasks.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { type Device } from '../../runtime/device/device.ts';
import { parameterNamed, readParameter } from '../../runtime/session.ts';
import { evaluate, gradients } from '../../runtime/train/trainer.ts';
import { unpack } from '../../runtime/weights/pack.ts';
import { gradientsOf, imageFor, lossOf, packAll, randomBatch, runBatch } from './oracle.ts';
import { distance, largest, openTrainer, withDevice } from './sessions.ts';
import { imageLibrary, library, modelOf, odd, randomValues, trainingGraph } from './subjects.ts';

const t = suite('programs on the device');
const [BATCH, TOKENS] = [2, 5];
const LOSS = 1e-5;
/** Of a gradient's largest number: what single precision leaves after a backward pass. */
const GRADIENT = 1e-4;

/** Null: the device's own class. */
const profiles: readonly (Profile | null)[] = [
  null,
  { device: 'software', subgroup: null },
  { device: 'gpu', subgroup: null },
];

async function checkModel(
  device: Device,
  model: Model,
  profile: Profile | null,
  labels?: number,
): Promise<void> {
  const values = randomValues(model);
  const tokens = Object.fromEntries(model.tasks.map((task) => [task.name, TOKENS]));
  const bound =
    labels === undefined
      ? {}
      : { labels: Object.fromEntries(model.tasks.map((task) => [task.name, labels])) };
  const sizes = { batch: BATCH, tokens, ...bound };
  const trainer = await openTrainer(device, model, values, {
    ...(profile ? { profile } : {}),
    training: sizes,
    evaluation: sizes,
  });
  const trainable = new Set(model.tasks.flatMap((task) => task.trains));
  const words = randomBatch(model, BATCH, TOKENS);
  for (const task of model.tasks) {
    const image = showsImages(model, task.name);
    const graph = trainingGraph(model, task, { batch: BATCH, tokens: TOKENS, image }, trainable);
    const wanted = runBatch(model, graph, packAll(model, values), words);
    const shown = graph.tensors.find((tensor) => tensor.image !== undefined);
    const batch = shown ? { ...words, image: Float32Array.from(imageFor(shown)) } : words;
    const loss = await gradients(trainer, task.name, batch);
    const expected = lossOf(graph, wanted);
    assert.ok(
      Math.abs(loss - expected) < LOSS * (1 + expected),
      `${task.name}: loss ${loss}, in float64 ${expected}`,
    );
    for (const [name, packed] of gradientsOf(graph, wanted)) {
      const p = parameterNamed(trainer.session, name);
      const actual = await readParameter(trainer.session, p, 'gradients');
      // A list of vectors has no rows of padding in the graph, but it has in memory.
      const whole = new Float32Array(p.slice.size / 4);
      whole.set(packed);
      const reference = unpack(whole, p.shape, p.axes);
      // A softmax does not see what is added to all of its scores, so a bias of the keys has no gradient.
      const off = distance(actual, reference) / (name.endsWith('.attn.k.bias') ? 1 : largest(reference));
      assert.ok(off < GRADIENT, `${task.name}: the gradient of ${name} is off by ${off.toExponential(1)}`);
    }
    // Not to the bit: training may save a value between the fused steps of a product, evaluation need not.
    const alone = await evaluate(trainer, task.name, batch);
    assert.ok(
      Math.abs(alone - expected) < LOSS * (1 + expected),
      `${task.name}: the loss alone is ${alone}, in float64 ${expected}`,
    );
  }
}

for (const profile of profiles) {
  const title = profile ? `${profile.device} without subgroups` : "the device's own profile";
  for (const { name, model } of [...library(), ...imageLibrary()])
    if (model.tasks.length > 0)
      t(`${name}, ${title}`, () => withDevice((device) => checkModel(device, model, profile)));
  t(`everything is trained, tied head, half-split rotation, odd width, ${title}`, () =>
    withDevice((device) => {
      const base = { ...odd, tied: true, rope: { style: 'half', theta: 100 } } as const;
      const items =
        'prompt w on layers[all] { length = 1 }\nprompt u on input { length = 3 }\nprefix v on layers[last 1] { length = 2 }\ntask train on some trains base + w + u + v';
      return checkModel(device, modelOf(items, base), profile);
    }),
  );
  t(`the head runs on labelled rows only, ${title}`, () =>
    withDevice((device) =>
      checkModel(
        device,
        modelOf('prompt w on input { length = 3 }\ntask train on some trains base + w'),
        profile,
        8,
      ),
    ),
  );
}

t.run();
