/** What every method of the library can do, one function a column of docs/methods.md: show, build, train, generate. */
import * as assert from 'uvu/assert';
import { compile } from '../../compiler/compile.ts';
import { showsImages } from '../../compiler/compile/tasks.ts';
import type { Model } from '../../compiler/model/model.ts';
import { show } from '../../runtime/cli/show.ts';
import type { Device } from '../../runtime/device/device.ts';
import { endless, generate, makeDecoder, showImages } from '../../runtime/generate.ts';
import { argmax } from '../../runtime/sample.ts';
import { parameterNamed, readParameter, type Session } from '../../runtime/session.ts';
import { trainStep } from '../../runtime/train/trainer.ts';
import { randomBatch } from './oracle.ts';
import { distance, forward, openModel, openTrainer } from './sessions.ts';
import { needsImages, randomValues, recipeFor } from './subjects.ts';

export const SIZES = { batch: 2, tokens: 6 };
export const PROMPTS = [
  [1, 4, 2, 7],
  [3, 5],
];

/** Draws the fusion map, and compiles every program for both classes of device. */
export function showsAndBuilds(model: Model): void {
  assert.match(show(model), new RegExp(`^${model.name} on tiny: 2 layers`));
  const tokens = Object.fromEntries(model.tasks.map((task) => [task.name, 4]));
  const image = needsImages(model);
  for (const device of ['software', 'gpu'] as const) {
    const { manifest } = compile(model, {
      profile: { device, subgroup: null },
      ...(model.tasks.length === 0 ? {} : { recipe: recipeFor(model), training: { batch: 2, tokens } }),
      generation: { batch: 1, tokens: 4, context: 8, image },
    });
    const names = manifest.programs.map((program) => program.name);
    for (const task of model.tasks) assert.ok(names.includes(`train:${task.name}`));
    assert.ok(names.includes('prefill') && names.includes('prefill:image') === image);
  }
}

/** Three steps of each task lower its loss and move what it trains and nothing else. `image`: one for each sequence. */
export async function trainsThreeSteps(device: Device, model: Model, image?: Float32Array): Promise<void> {
  const recipe = recipeFor(model);
  const tokens = Object.fromEntries(model.tasks.map((task) => [task.name, SIZES.tokens]));
  const training = { batch: SIZES.batch, tokens };
  const trainer = await openTrainer(device, model, randomValues(model), { recipe, training });
  const batch = randomBatch(model, SIZES.batch, SIZES.tokens);
  for (const task of model.tasks) {
    const before = await readAll(trainer.session);
    const given = image && showsImages(model, task.name) ? { ...batch, image } : batch;
    const losses: number[] = [];
    for (let step = 0; step < 3; step++)
      losses.push((await trainStep(trainer, task.name, [given], 1e-2)).loss);
    assert.ok(losses.every(Number.isFinite) && losses[2]! < losses[0]!, losses.join(', '));
    const after = await readAll(trainer.session);
    for (const [parameter, numbers] of after)
      assert.is(
        distance(numbers, before.get(parameter) ?? []) > 0,
        task.trains.includes(parameter),
        `${task.name}: ${parameter}`,
      );
  }
}

async function readAll(session: Session): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  for (const p of session.manifest.parameters)
    if (p.cell !== null) all.set(p.name, await readParameter(session, p));
  for (const owner of new Set(session.manifest.parameters.map((p) => p.owner))) {
    // One frozen parameter of each owner stands for all: reading every one takes long.
    const frozen = session.manifest.parameters.find((p) => p.owner === owner && p.cell === null);
    if (frozen) all.set(frozen.name, await readParameter(session, parameterNamed(session, frozen.name)));
  }
  return all;
}

/** Generates from its caches what one pass over the whole text finds likeliest; with each of the images, or null for none. */
export async function answersAsTheWholePass(
  device: Device,
  model: Model,
  images: readonly (Float32Array | null)[],
): Promise<void> {
  const generation = { batch: 2, tokens: 4, context: 10, image: needsImages(model) };
  const session = await openModel(device, model, randomValues(model), { generation });
  for (const image of images) {
    const d = makeDecoder(session, { image: image !== null });
    if (image) showImages(d, image);
    const answers = await generate(d, PROMPTS, { maxTokens: 4, tokenizer: endless, pick: argmax });
    for (const [b, prompt] of PROMPTS.entries()) {
      const text = [...prompt, ...(answers[b] ?? [])];
      assert.is(text.length, prompt.length + 4);
      await checkWhole(device, model, text, answers[b] ?? [], image, b);
    }
  }
}

/** Every token of an answer is the likeliest after the text before it, in one pass over the whole text. */
async function checkWhole(
  device: Device,
  model: Model,
  text: readonly number[],
  answer: readonly number[],
  image: Float32Array | null,
  sequence: number,
): Promise<void> {
  const whole = await openModel(device, model, randomValues(model), {
    forward: { batch: 2, tokens: text.length, image: image !== null },
  });
  const tokens = Uint32Array.from([...text, ...text]);
  const rows = await forward(whole, tokens, image ?? undefined);
  const start = sequence * text.length + text.length - answer.length - 1;
  answer.forEach((id, i) => {
    const row = rows[start + i] ?? new Float32Array();
    assert.ok((row[id] ?? NaN) > Math.max(...row) - 1e-4, `token ${i} of sequence ${sequence}`);
  });
}
