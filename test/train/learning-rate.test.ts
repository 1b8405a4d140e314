/** Learning rates and turns of tasks as functions of the step. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Duration, Recipe } from '../../compiler/model/recipe.ts';
import type { Batches } from '../../runtime/data/batches.ts';
import { createRandom } from '../../runtime/random.ts';
import { stepsOfTask, turns } from '../../runtime/train/mix.ts';
import {
  endsInWarmup,
  essenceOf,
  horizonOf,
  learningRate,
  stepsPerEpoch,
} from '../../runtime/train/learning-rate.ts';
import { fromLibrary, recipeFor } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';

const t = suite('schedules');
const plain = recipeFor(fromLibrary('lora.adapter'));
const LR = 2e-3;

const recipe = (
  kind: Recipe['schedule']['kind'],
  value: number,
  unit: Duration['unit'],
  floor = 0,
): Recipe => ({
  ...plain,
  optimizer: { ...plain.optimizer, lr: LR },
  schedule: { kind, warmup: { value, unit }, floor },
});
const close = (actual: number, expected: number, what = '') =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${what}: ${actual}, not ${expected}`);

t('a warm-up of steps rises in equal parts and never wastes a step', () => {
  const rates = [0, 1, 2, 3, 4].map((step) =>
    learningRate(recipe('constant', 4, 'steps'), { perEpoch: 10, total: 20 }, step),
  );
  [0.25, 0.5, 0.75, 1, 1].forEach((share, i) => close(rates[i] ?? NaN, share * LR, `step ${i}`));
});

t('half a cosine from the rate to its floor, a share of the rate', () => {
  const r = recipe('cosine', 10, 'steps', 0.1);
  const horizon = { perEpoch: 10, total: 110 };
  close(learningRate(r, horizon, 10), LR);
  close(learningRate(r, horizon, 60), 0.55 * LR, 'half-way');
  close(learningRate(r, horizon, 35), LR * (0.1 + 0.9 * (0.5 + Math.SQRT1_2 / 2)), 'a quarter');
  assert.ok(learningRate(r, horizon, 109) >= 0.1 * LR && learningRate(r, horizon, 109) < 0.101 * LR);
  for (let step = 11; step < 110; step++)
    assert.ok(learningRate(r, horizon, step) < learningRate(r, horizon, step - 1));
});

t('a straight line to the floor', () => {
  const r = recipe('linear', 0, 'steps', 0.2);
  const horizon = { perEpoch: 10, total: 100 };
  [
    [0, 1],
    [25, 0.8],
    [50, 0.6],
    [100, 0.2],
  ].forEach(([step, share]) => close(learningRate(r, horizon, step ?? 0), (share ?? 0) * LR));
});

t('no rate is negative, above the rate or not a number', () => {
  for (const kind of ['cosine', 'linear', 'constant'] as const)
    for (const warmup of [0, 3, 50])
      for (const total of [1, 2, 10]) {
        const r = recipe(kind, warmup, 'steps');
        for (let step = 0; step < total; step++) {
          const rate = learningRate(r, { perEpoch: 2, total }, step);
          assert.ok(rate >= 0 && rate <= LR, `${kind}, warm-up ${warmup}, step ${step} of ${total}: ${rate}`);
        }
      }
});

interface Official {
  readonly lr: number;
  readonly min_lr: number;
  readonly warmup_epochs: number;
  readonly epochs: number;
  readonly epoch: number;
  readonly value: number;
}

withShared(t, 'the official schedule by fractions of an epoch', (folder) => {
  const rows = JSON.parse(readFileSync(join(folder, 'golden/lr_sched.json'), 'utf8')) as Official[];
  assert.ok(rows.length > 10);
  const perEpoch = 1000;
  for (const { lr, min_lr, warmup_epochs, epochs, epoch, value } of rows) {
    const r: Recipe = {
      ...recipe('cosine', warmup_epochs, 'epochs', min_lr / lr),
      optimizer: { ...plain.optimizer, lr },
    };
    close(
      learningRate(r, { perEpoch, total: epochs * perEpoch }, epoch * perEpoch),
      value,
      JSON.stringify({ epoch, warmup_epochs }),
    );
  }
});

type Mix = Recipe['mix'];
const mix = (kind: Mix['kind'], counts: Readonly<Record<string, number>>): Pick<Recipe, 'mix'> => ({
  mix: { kind, parts: Object.entries(counts).map(([task, count]) => ({ task, count })) },
});

function take(r: Pick<Recipe, 'mix'>, count: number, seed = 0): { task: string; index: number }[] {
  const all = turns(r, count, (step) => createRandom(seed, 'mix', step).uniform());
  return Array.from({ length: count }, () => all.next().value);
}
const order = (r: Pick<Recipe, 'mix'>, count: number): string =>
  take(r, count)
    .map(({ task }) => task)
    .join('');

t('tasks alternate', () => {
  assert.is(order(mix('alternate', { a: 1, b: 1 }), 5), 'ababa');
  assert.is(order(mix('alternate', { a: 2, b: 3 }), 11), 'aabbbaabbba');
  assert.is(order(mix('alternate', { a: 1, b: 0, c: 1 }), 4), 'acac');
});

t('tasks follow each other, each for its share of the run', () => {
  assert.is(order(mix('staged', { a: 1, b: 2 }), 9), 'aaabbbbbb');
  assert.is(order(mix('staged', { a: 400, b: 600 }), 10), 'aaaabbbbbb');
  assert.is(order(mix('staged', { a: 1, b: 1 }), 5), 'aaabb');
});

t('tasks are drawn in a ratio, the same ones for the same seed', () => {
  const draws = take(mix('proportional', { a: 1, b: 3 }), 2000, 4);
  assert.equal(draws, take(mix('proportional', { a: 1, b: 3 }), 2000, 4));
  assert.not.equal(draws, take(mix('proportional', { a: 1, b: 3 }), 2000, 5));
  const share = draws.filter(({ task }) => task === 'b').length / draws.length;
  assert.ok(Math.abs(share - 0.75) < 0.04, `b has ${share}`);
});

t('every task counts its own batches', () => {
  for (const kind of ['alternate', 'proportional', 'staged'] as const) {
    const seen: Record<string, number> = {};
    for (const { task, index } of take(mix(kind, { a: 2, b: 1 }), 30)) {
      assert.is(index, seen[task] ?? 0);
      seen[task] = index + 1;
    }
  }
});

/** Data of so many batches an epoch. */
const data = (counts: Readonly<Record<string, number>>) =>
  new Map(Object.entries(counts).map(([task, perEpoch]) => [task, { perEpoch } as Batches]));

t('an epoch is a pass over the data that takes longest at the mix', () => {
  const epoch = (
    kind: Mix['kind'],
    counts: Readonly<Record<string, number>>,
    batches: Readonly<Record<string, number>>,
    accumulate = 1,
  ) => stepsPerEpoch({ recipe: { ...plain, ...mix(kind, counts), accumulate }, data: data(batches) });
  assert.is(epoch('alternate', { a: 1 }, { a: 12 }), 12);
  assert.is(epoch('alternate', { a: 1 }, { a: 12 }, 4), 3);
  assert.is(epoch('alternate', { a: 1, b: 1 }, { a: 12, b: 5 }), 24);
  assert.is(epoch('alternate', { a: 3, b: 1 }, { a: 12, b: 5 }), 20);
  assert.is(epoch('staged', { a: 1, b: 1 }, { a: 10, b: 10 }), 20);
  assert.is(
    epoch('alternate', { a: 1, b: 0 }, { a: 12, b: 5 }),
    12,
    'a task that has no turn does not count',
  );
});

t('a run is epochs of data or a number of steps', () => {
  assert.equal(horizonOf({ ...plain, steps: 7, epochs: null }, 100), { perEpoch: 100, total: 7 });
  assert.is(horizonOf({ ...plain, steps: null, epochs: 2.5 }, 100).total, 250);
});

t('data shorter than a step is an epoch of one step', () => {
  const r = { ...plain, ...mix('alternate', { a: 1 }), accumulate: 8, steps: null, epochs: 3 };
  const perEpoch = stepsPerEpoch({ recipe: r, data: data({ a: 3 }) });
  assert.equal(horizonOf(r, perEpoch), { perEpoch: 1, total: 3 });
});

t('a part of an epoch that is no step is refused', () => {
  const r = { ...plain, steps: null, epochs: 0.1 };
  assert.throws(
    () => horizonOf(r, 1),
    /recipe `r`: epochs = 0\.1 of 1 step an epoch comes to no step at all/,
  );
  assert.is(horizonOf(r, 10).total, 1);
});

t('a run that ends in its warm-up is told from one that does not', () => {
  const ends = (value: number, unit: 'steps' | 'epochs', total: number) =>
    endsInWarmup(recipe('cosine', value, unit), { perEpoch: 10, total });
  assert.equal(
    [10, 11, 100].map((value) => ends(value, 'steps', 10)),
    [false, true, true],
  );
  assert.equal(
    [0, 0.05, 0.9, 1, 2].map((value) => ends(value, 'epochs', 10)),
    [false, false, false, true, true],
  );
});

t('a warm-up that is a share of the run goes with its length, and wastes no step', () => {
  const r = recipe('constant', 0.1, 'share');
  const rate = (total: number, step: number) => learningRate(r, { perEpoch: 5, total }, step);
  assert.equal([rate(3, 0), rate(10, 0), rate(12, 0)], [LR, LR, LR]);
  [0.25, 0.5, 0.75, 1].forEach((share, i) => close(rate(40, i), share * LR, `step ${i} of 40`));
  for (const total of [1, 2, 3, 7, 1000])
    assert.not(endsInWarmup(recipe('cosine', 1, 'share'), { perEpoch: 5, total }), `all of ${total}`);
});

t('a warm-up of less than a step does not leave the first step without a rate', () => {
  close(learningRate(recipe('constant', 0.1, 'epochs'), { perEpoch: 1, total: 1 }, 0), LR);
});

t('the steps of a task are those that its turns come to', () => {
  const counts = { a: 2, b: 0, c: 3 };
  for (const kind of ['alternate', 'staged'] as const)
    for (const length of [1, 2, 3, 5, 7, 24, 31]) {
      const all = take(mix(kind, counts), length);
      for (const task of ['a', 'b', 'c'])
        assert.is(
          stepsOfTask(mix(kind, counts).mix, task, length),
          all.filter((turn) => turn.task === task).length,
          `${kind}, ${task} of ${length}`,
        );
    }
  assert.is(stepsOfTask(mix('proportional', counts).mix, 'c', 100), 60);
});

t('what a run is leaves out how a single micro-batch is averaged', () => {
  const [one, two] = [plain, { ...plain, accumulate: 2 }];
  assert.equal(essenceOf(one), essenceOf({ ...one, average: 'batches' }));
  assert.not.equal(essenceOf(two), essenceOf({ ...two, average: 'batches' }));
});

t.run();
