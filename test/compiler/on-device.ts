/** Training programs on the device against float64: losses, and the gradient of every trained parameter. */
import * as assert from 'uvu/assert';
import { showsImages } from '../../compiler/compile/tasks.ts';
import { type Model, padded } from '../../compiler/model/model.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { decodeRows, encodeRows, formats, storageIn } from '../../compiler/storage/index.ts';
import type { Device } from '../../runtime/device/device.ts';
import { parameterNamed, readParameter } from '../../runtime/session.ts';
import { evaluate, gradients } from '../../runtime/train/trainer.ts';
import { unpack } from '../../runtime/weights/pack.ts';
import { gradientsOf, imageFor, lossOf, type Numbers, packAll, randomBatch, runBatch } from './oracle.ts';
import { distance, largest, openTrainer } from './sessions.ts';
import { randomValues, trainingGraph } from './subjects.ts';

const [BATCH, TOKENS] = [2, 5];
const LOSS = 1e-5;
/** Of a gradient's largest number: what single precision leaves after a backward pass. */
const GRADIENT = 1e-4;

/** Parameters as graphs hold them, rounded as the model's base stores them. */
export function storedNumbers(model: Model, values: ReadonlyMap<string, Float32Array>): Numbers {
  const storageOf = storageIn(model);
  const all = packAll(model, values);
  for (const p of model.parameters) {
    const [format, width] = [formats[storageOf(p)], padded(p.axes.at(-1)!)];
    const words = encodeRows(format, Float32Array.from(all.get(p.name) ?? []), width);
    all.set(p.name, Float64Array.from(decodeRows(format, words, width)));
  }
  return all;
}

export async function checkModel(
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
    const wanted = runBatch(model, graph, storedNumbers(model, values), words);
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
