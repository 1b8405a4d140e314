/** One optimizer step on the device: AdamW by its formula, groups that leave each other alone, clipping, no allocation. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Model } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { type Copy, readParameter } from '../../runtime/session.ts';
import { gradients, type Trainer, trainStep } from '../../runtime/train/trainer.ts';
import { randomBatch } from '../compiler/oracle.ts';
import { distance, largest, openTrainer, withDevice } from '../compiler/sessions.ts';
import { fromLibrary, modelOf, randomValues, recipeFor } from '../compiler/subjects.ts';
import type { Device } from '../../runtime/device/device.ts';

const t = suite('training steps');
const [BATCH, TOKENS] = [2, 5];

type Snapshot = ReadonlyMap<string, Float32Array>;

async function snapshot({ session }: Trainer, copy: Copy): Promise<Snapshot> {
  const all = new Map<string, Float32Array>();
  for (const p of session.manifest.parameters)
    if (p.cell !== null) all.set(p.name, await readParameter(session, p, copy));
  return all;
}

async function openFor(device: Device, model: Model, changes: Partial<Recipe>): Promise<Trainer> {
  const tokens = Object.fromEntries(model.tasks.map((task) => [task.name, TOKENS]));
  return openTrainer(device, model, randomValues(model), {
    recipe: recipeFor(model, changes),
    training: { batch: BATCH, tokens },
  });
}

/** A task on each half of the parts, and one on a part they share. */
const three = modelOf(`
  prompt p on layers[all] { length = 3 }
  bias b on every linear in layers { rate = 0.5 }
  lora l on layers.attention.{wq, wv} { rank = 2 }
  unfreeze n on every norm
  task one on some trains p + b { shared = true }
  task two on some trains b + l + n { shared = true }`);

const squares = (values: Float32Array | undefined): number =>
  values?.reduce((sum, x) => sum + x * x, 0) ?? NaN;

/** AdamW of Loshchilov and Hutter, as torch.optim.AdamW computes it. */
class Adam {
  readonly m: number[];
  readonly v: number[];
  readonly p: number[];
  count = 0;
  constructor(p: Float32Array) {
    this.p = [...p];
    this.m = this.p.map(() => 0);
    this.v = this.p.map(() => 0);
  }
  step(
    gradient: ArrayLike<number>,
    factor: number,
    lr: number,
    decay: number,
    { betas: [b1, b2], eps }: Recipe['optimizer'],
  ): void {
    this.count++;
    this.p.forEach((p, i) => {
      const g = (gradient[i] ?? NaN) * factor;
      const m = (this.m[i] = b1 * (this.m[i] ?? 0) + (1 - b1) * g);
      const v = (this.v[i] = b2 * (this.v[i] ?? 0) + (1 - b2) * g * g);
      this.p[i] =
        p * (1 - lr * decay) -
        (lr * (m / (1 - b1 ** this.count))) / (Math.sqrt(v / (1 - b2 ** this.count)) + eps);
    });
  }
}

t('steps of two tasks that share a part follow AdamW, each with its own count, rate and decay', () =>
  withDevice(async (device) => {
    // A large eps keeps a step proportional to its gradient, so that rounding noise stays small.
    const optimizer = { lr: 0.05, betas: [0.8, 0.9] as const, eps: 0.1, weightDecay: 0.3 };
    const trainer = await openFor(device, three, { optimizer, clip: 0.5 });
    const start = await snapshot(trainer, 'parameters');
    const adams = new Map([...start].map(([name, values]) => [name, new Adam(values)]));
    const byName = new Map(three.parameters.map((p) => [p.name, p]));
    let clipped = 0;
    for (const [step, task] of ['one', 'two', 'one', 'one', 'two'].entries()) {
      const batch = randomBatch(three, BATCH, TOKENS, step);
      await gradients(trainer, task, batch);
      const made = await snapshot(trainer, 'gradients');
      const trains = three.tasks.find(({ name }) => name === task)?.trains ?? [];
      const norm = Math.sqrt(trains.reduce((sum, name) => sum + squares(made.get(name)), 0));
      const factor = Math.min(1, 0.5 / (norm + 1e-6));
      if (factor < 1) clipped++;
      const result = await trainStep(trainer, task, [batch], optimizer.lr);
      assert.ok(
        Math.abs(result.norm - norm) < 1e-4 * norm,
        `the norm is ${norm} before clipping, not ${result.norm}`,
      );
      for (const name of trains) {
        const p = byName.get(name);
        adams
          .get(name)
          ?.step(
            made.get(name) ?? [],
            factor,
            optimizer.lr * (p?.rate ?? 1),
            p?.decay ? optimizer.weightDecay : 0,
            optimizer,
          );
      }
    }
    assert.ok(clipped > 0, 'clipping was at work');
    const [end, first, second] = [
      await snapshot(trainer, 'parameters'),
      await snapshot(trainer, 'first'),
      await snapshot(trainer, 'second'),
    ];
    for (const [name, adam] of adams) {
      assert.ok(
        distance(end.get(name) ?? [], adam.p) < 1e-5 * (1 + largest(adam.p)),
        `${name} is off by ${distance(end.get(name) ?? [], adam.p)}`,
      );
      assert.ok(
        distance(first.get(name) ?? [], adam.m) < 1e-4 * largest(adam.m),
        `the first moment of ${name}`,
      );
      assert.ok(
        distance(second.get(name) ?? [], adam.v) < 2e-4 * largest(adam.v),
        `the second moment of ${name}`,
      );
      assert.ok(distance(end.get(name) ?? [], start.get(name) ?? []) > 0, `${name} moved`);
    }
  }),
);

t('matrices decay, and neither vectors nor gates nor what is called bias', () => {
  const model = modelOf(`prompt p on layers[all] { length = 3 }
    prompt q on layers[all] { length = 3  gate = raw(init: 0, per: layer) }
    bias b on every linear in layers
    scale s on every linear in layers
    lora l on layers.attention.wq
    prefix f on layers[all] { length = 2 }
    task train on some trains base + p + q + b + s + l + f`);
  for (const { name, decay } of model.parameters) {
    // The official rule (misc.add_weight_decay): one dimension, or a name that ends in `.bias`. V1's gate has four.
    const vector = /norm\.weight$|^[bs]\.|^q\..*gate$/.test(name);
    assert.is(decay, !vector, name);
  }
});

t('a step of one task leaves the parameters, moments and counts of the others as they are, to the bit', () =>
  withDevice(async (device) => {
    for (const model of [three, fromLibrary('v2-released.adapter')]) {
      const [one, two] = model.tasks.map((task) => task.name) as [string, string];
      const trainer = await openFor(device, model, {
        optimizer: { lr: 0.01, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.1 },
      });
      // Moments that are not zero would decay, and parameters with moments would go on moving.
      await trainStep(trainer, one, [randomBatch(model, BATCH, TOKENS, 1)], 0.01);
      await trainStep(trainer, two, [randomBatch(model, BATCH, TOKENS, 2)], 0.01);
      const copies = ['parameters', 'first', 'second'] as const;
      for (const active of [one, two, one]) {
        const before = await Promise.all(copies.map((copy) => snapshot(trainer, copy)));
        const counts = [...trainer.counts];
        await trainStep(trainer, active, [randomBatch(model, BATCH, TOKENS, 3)], 0.01);
        const after = await Promise.all(copies.map((copy) => snapshot(trainer, copy)));
        const trains = new Set(model.tasks.find(({ name }) => name === active)?.trains);
        copies.forEach((copy, i) => {
          for (const [name, values] of before[i] ?? []) {
            const same = distance(values, after[i]?.get(name) ?? []) === 0;
            assert.is(same, !trains.has(name), `${copy} of ${name} in a step of ${active}`);
          }
        });
        trainer.session.manifest.cells.forEach((cell, i) =>
          assert.is(trainer.counts[i], (counts[i] ?? 0) + (cell.tasks.includes(active) ? 1 : 0)),
        );
      }
    }
  }),
);

/** Counts calls of a method while `run` runs. */
async function counting(
  targets: readonly (readonly [object, string])[],
  run: () => Promise<void>,
): Promise<number[]> {
  const counts = targets.map(() => 0);
  const restore = targets.map(([target, name], i) => {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
    Object.defineProperty(target, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        counts[i] = (counts[i] ?? 0) + 1;
        return original.apply(target, args);
      },
    });
    return () => (own ? Object.defineProperty(target, name, own) : Reflect.deleteProperty(target, name));
  });
  try {
    await run();
  } finally {
    restore.forEach((undo) => undo());
  }
  return counts;
}

t('twenty steps create no buffer and no bind group, and submit once each', () =>
  withDevice(async (device) => {
    for (const accumulate of [1, 2]) {
      const trainer = await openFor(device, three, { accumulate });
      const steps = async (count: number) => {
        const pending: Promise<unknown>[] = [];
        for (let i = 0; i < count; i++) {
          const batches = Array.from({ length: accumulate }, (_, micro) =>
            randomBatch(three, BATCH, TOKENS, i + micro),
          );
          pending.push(trainStep(trainer, i % 2 ? 'one' : 'two', batches, 1e-3));
          if (pending.length > 3) await pending.shift();
        }
        await Promise.all(pending);
      };
      await steps(6);
      const gpu = device.device;
      const watched = [
        [gpu, 'createBuffer'],
        [gpu, 'createBindGroup'],
        [gpu, 'createComputePipeline'],
        [gpu, 'createShaderModule'],
        [gpu.queue, 'submit'],
      ] as const;
      assert.equal(await counting(watched, () => steps(20)), [0, 0, 0, 0, 20 * accumulate]);
      const made = await counting(watched, async () =>
        gpu.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }).destroy(),
      );
      assert.equal(made, [1, 0, 0, 0, 0], 'the count counts');
    }
  }),
);

t.run();
