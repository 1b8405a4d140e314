/** Accumulation: a step on several micro-batches is the step on all of their rows at once, or the mean of their means. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Model } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { Device } from '../../runtime/device/device.ts';
import { IGNORE } from '../../runtime/data/encode.ts';
import { type Copy, readParameter } from '../../runtime/session.ts';
import type { MicroBatch } from '../../runtime/train/batch.ts';
import { gradients, type StepResult, type Trainer, trainStep } from '../../runtime/train/trainer.ts';
import { randomBatch } from '../compiler/oracle.ts';
import { distance, largest, openTrainer, withDevice } from '../compiler/sessions.ts';
import { fromLibrary, modelOf, randomValues, recipeFor } from '../compiler/subjects.ts';

const t = suite('accumulation');
const TOKENS = 6;
const CLIP = 0.05;

type Snapshot = ReadonlyMap<string, Float32Array>;

async function snapshot({ session }: Trainer, copy: Copy): Promise<Snapshot> {
  const all = new Map<string, Float32Array>();
  for (const p of session.manifest.parameters)
    if (p.cell !== null) all.set(p.name, await readParameter(session, p, copy));
  return all;
}

/** AdamW that keeps a step proportional to its gradient, with everything at work that could tell two steps apart. */
const strict: Partial<Recipe> = {
  optimizer: { lr: 0.05, betas: [0.8, 0.9], eps: 0.1, weightDecay: 0.3 },
  clip: CLIP,
};

async function open(
  device: Device,
  model: Model,
  batch: number,
  accumulate: number,
  changes: Partial<Recipe> = {},
  labels?: number,
): Promise<Trainer> {
  const tokens = Object.fromEntries(model.tasks.map((task) => [task.name, TOKENS]));
  const bounds = Object.fromEntries(model.tasks.map((task) => [task.name, labels ?? 0]));
  return openTrainer(device, model, randomValues(model), {
    recipe: recipeFor(model, { ...strict, batch, accumulate, ...changes }),
    training: { batch, tokens, ...(labels === undefined ? {} : { labels: bounds }) },
  });
}

/** A batch of one row with so many labels, from its front. */
function row(model: Model, seed: number, labels: number): MicroBatch {
  const batch = randomBatch(model, 1, TOKENS, seed);
  const own = Uint32Array.from({ length: TOKENS }, (_, i) =>
    i < labels ? (batch.tokens[i + 1] ?? 0) : IGNORE,
  );
  return { ...batch, labels: own, labelled: labels };
}

/** A picture of random patches for each row; where it lies does not change it. */
function withImages(trainer: Trainer, task: string, batch: MicroBatch, seeds: readonly number[]): MicroBatch {
  const program = trainer.session.manifest.programs.find(({ name }) => name === `train:${task}`);
  const input = program?.inputs.find(({ name }) => name.startsWith('image.'));
  if (!program || !input) return batch;
  const size = input.size / 4 / program.batch;
  const image = new Float32Array(size * seeds.length);
  seeds.forEach((seed, b) => {
    for (let i = 0; i < size; i++) image[b * size + i] = Math.sin(seed + 0.37 * i);
  });
  return { ...batch, image };
}

/** Rows as one batch. */
function joined(rows: readonly MicroBatch[]): MicroBatch {
  const all = (of: (row: MicroBatch) => Uint32Array) => Uint32Array.from(rows.flatMap((one) => [...of(one)]));
  return {
    tokens: all(({ tokens }) => tokens),
    labels: all(({ labels }) => labels),
    labelled: rows.reduce((sum, { labelled }) => sum + labelled, 0),
  };
}

const near = (actual: number, expected: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.abs(expected), `${what}: ${actual}, not ${expected}`);

/** Every trained number, and both of its moments. */
async function requireSame(a: Trainer, b: Trainer, what: string): Promise<void> {
  for (const copy of ['parameters', 'first', 'second'] as const) {
    const [one, other] = [await snapshot(a, copy), await snapshot(b, copy)];
    for (const [name, values] of one) {
      const off = distance(values, other.get(name) ?? []);
      assert.ok(off <= 1e-5 * (largest(values) + 1e-3), `${what}: ${copy} of ${name} is off by ${off}`);
    }
  }
}

const two = modelOf(`
  prompt p on layers[all] { length = 3 }
  bias b on every linear in layers { rate = 0.5 }
  lora l on layers.attention.{wq, wv} { rank = 2 }
  unfreeze n on every norm
  task one on some trains p + b { shared = true }
  task two on some trains b + l + n { shared = true }`);

const models: readonly (readonly [string, Model])[] = [
  ['two tasks that share a part', two],
  ['the embedding and the head', modelOf('task train on some trains base')],
  ['images', fromLibrary('llama-adapter-v2-multimodal.adapter')],
];

/** Labels of each of a step's examples: as many, unequal, one masked in the middle, one masked first, and only one left. */
const cases = [
  [3, 3],
  [5, 1],
  [5, 0, 2],
  [0, 4],
  [1, 5, 3],
];

t('the step on all rows at once and the step on one row after the other are the same', () =>
  withDevice(async (device) => {
    for (const [what, model] of models)
      for (const labels of cases.filter((_, i) => model === two || i > 1)) {
        const together = await open(device, model, labels.length, 1);
        const apart = await open(device, model, 1, labels.length);
        // Steps of every task in turn, so that moments, counts and decay are at work.
        for (const [step, task] of [...model.tasks, ...model.tasks].map(({ name }) => name).entries()) {
          const seeds = labels.map((_, i) => 10 * step + i);
          const rows = labels.map((count, i) => row(model, seeds[i] ?? 0, count));
          const whole = withImages(together, task, joined(rows), seeds);
          const parts = rows.map((one, i) => withImages(apart, task, one, [seeds[i] ?? 0]));
          const a = await trainStep(together, task, [whole], 0.05);
          const b = await trainStep(apart, task, parts, 0.05);
          const name = `${what}, labels ${labels.join()}, step ${step} of ${task}`;
          near(b.loss, a.loss, `${name}: loss`);
          near(b.norm, a.norm, `${name}: norm`);
          assert.ok(a.norm > CLIP, `${name}: clipping is at work, the norm is ${a.norm}`);
        }
        assert.equal(apart.counts, together.counts);
        await requireSame(together, apart, `${what}, labels ${labels.join()}`);
      }
  }),
);

t('a step of fewer micro-batches than the recipe accumulates is the mean over those', () =>
  withDevice(async (device) => {
    const [one, four] = [await open(device, two, 1, 1), await open(device, two, 1, 4)];
    for (const step of [0, 1]) {
      const only = row(two, step, 4);
      const [a, b] = [await trainStep(one, 'one', [only], 0.05), await trainStep(four, 'one', [only], 0.05)];
      near(b.loss, a.loss, 'loss');
      near(b.norm, a.norm, 'norm');
      // What a longer step leaves in the sum must not be in the next.
      await trainStep(four, 'two', [row(two, 5, 2), row(two, 6, 3), row(two, 7, 1)], 0);
      await trainStep(one, 'two', [row(two, 5, 2)], 0);
    }
    const [a, b] = [await snapshot(one, 'parameters'), await snapshot(four, 'parameters')];
    // The bias is the other task's too, whose steps were not the same.
    for (const name of [...a.keys()].filter((own) => own.startsWith('p.')))
      assert.ok(distance(a.get(name) ?? [], b.get(name) ?? []) <= 1e-5, name);
  }),
);

t('where the head sees labelled rows only, micro-batches without any leave the others whole', () =>
  withDevice(async (device) => {
    const [free, bounded] = [await open(device, two, 2, 2), await open(device, two, 2, 2, {}, 4)];
    const micro = [joined([row(two, 1, 0), row(two, 2, 0)]), joined([row(two, 3, 1), row(two, 4, 3)])];
    for (const batches of [micro, [...micro].reverse()]) {
      const [a, b] = [
        await trainStep(free, 'two', batches, 0.05),
        await trainStep(bounded, 'two', batches, 0.05),
      ];
      near(b.loss, a.loss, 'loss');
      near(b.norm, a.norm, 'norm');
    }
    await requireSame(free, bounded, 'a bound on labels');
  }),
);

t('a step without any label has no loss, no gradient and no NaN', () =>
  withDevice(async (device) => {
    for (const average of ['labels', 'batches'] as const) {
      const trainer = await open(device, two, 1, 2, { average });
      const before = await snapshot(trainer, 'first');
      const step = await trainStep(trainer, 'one', [row(two, 1, 0), row(two, 2, 0)], 0.05);
      assert.equal(step, { loss: 0, norm: 0, finite: true } satisfies StepResult);
      for (const [name, values] of await snapshot(trainer, 'first'))
        assert.is(distance(values, before.get(name) ?? []), 0, name);
    }
  }),
);

t('`average = batches` is the mean of the means of the micro-batches, one without labels counted as 0', () =>
  withDevice(async (device) => {
    const model = fromLibrary('llama-adapter-v2.adapter');
    const trainer = await open(device, model, 1, 3, { average: 'batches', clip: null });
    const micro = [row(model, 1, 1), row(model, 2, 0), row(model, 3, 5)];
    const sums = new Map<string, Float64Array>();
    let loss = 0;
    for (const batch of micro) {
      loss += (await gradients(trainer, 'instruct', batch)) / 3;
      for (const [name, values] of await snapshot(trainer, 'gradients')) {
        const sum = sums.get(name) ?? new Float64Array(values.length);
        values.forEach((x, i) => (sum[i] = (sum[i] ?? 0) + x / 3));
        sums.set(name, sum);
      }
    }
    // Twice: what the step before left must not be added.
    for (const lr of [0, 0]) {
      const result = await trainStep(trainer, 'instruct', micro, lr);
      assert.ok(Math.abs(result.loss - loss) < 1e-5, `${result.loss}, not ${loss}`);
      for (const [name, values] of await snapshot(trainer, 'accumulated')) {
        const off = distance(values, sums.get(name) ?? []);
        assert.ok(off < 1e-5 * (1e-3 + largest(values)), `${name} is off by ${off}`);
      }
    }
    assert.equal(trainer.counts, [2], 'one step of the optimizer for all micro-batches');
    const labels = await open(device, model, 1, 3, { clip: null });
    const other = await trainStep(labels, 'instruct', micro, 0);
    assert.ok(Math.abs(other.loss - loss) > 0.1, 'the mean over labels is another');
  }),
);

t('an accumulated step with a NaN in one micro-batch changes nothing, and the next one is clean', () =>
  withDevice(async (device) => {
    const model = fromLibrary('llama-adapter-v2-multimodal.adapter');
    const task = 'caption';
    const trainer = await open(device, model, 1, 2);
    const good = [1, 2].map((seed) => withImages(trainer, task, row(model, seed, 3), [seed]));
    const before = await snapshot(trainer, 'parameters');
    const image = good[0]?.image?.map(() => NaN);
    const bad = await trainStep(
      trainer,
      task,
      [{ ...good[0]!, ...(image ? { image } : {}) }, good[1]!],
      0.05,
    );
    assert.not(bad.finite);
    for (const [name, values] of await snapshot(trainer, 'parameters'))
      assert.is(distance(values, before.get(name) ?? []), 0, name);
    const next = await trainStep(trainer, task, good, 0.05);
    assert.ok(next.finite && next.loss > 0);
  }),
);

t.run();
