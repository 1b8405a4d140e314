/** A run in a folder: metrics, checkpoints, what stops it and what it goes on from. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { loadCheckpoint } from '../../runtime/train/checkpoint.ts';
import { runFolder } from '../../runtime/train/run-folder.ts';
import type { Batches } from '../../runtime/data/batches.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { FileSystem } from '../../runtime/files/write.ts';
import { InputError } from '../../runtime/input-error.ts';
import { parameterNamed, readParameter, writeParameter } from '../../runtime/session.ts';
import type { StepMetrics } from '../../runtime/train/run-store.ts';
import { type RunOptions, runTraining } from '../../runtime/train/run.ts';
import type { Trainer } from '../../runtime/train/trainer.ts';
import { randomBatch } from '../compiler/oracle.ts';
import { openTrainer, withDevice } from '../compiler/sessions.ts';
import { fromLibrary, randomValues, recipeFor } from '../compiler/subjects.ts';

const t = suite('runs');
const TOKENS = 5;
const model = fromLibrary('v2-released.adapter');

let folder = '';
t.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-run-'));
});
t.after.each(() => rmSync(folder, { recursive: true, force: true }));

/** Batches that depend on their number alone. */
const endless = (seed: number): Batches => ({
  batch: 2,
  tokens: TOKENS,
  perEpoch: 10,
  batchAt: (index) => ({
    ...randomBatch(model, 2, TOKENS, 100 * seed + index),
    examples: new Uint32Array(2),
    epoch: 0,
  }),
});

const recipe = (changes: Partial<Recipe> = {}): Recipe =>
  recipeFor(model, {
    steps: 8,
    mix: {
      kind: 'alternate',
      parts: [
        { task: 'align', count: 1 },
        { task: 'instruct', count: 2 },
      ],
    },
    ...changes,
  });

const open = (device: Device, r: Recipe): Promise<Trainer> =>
  openTrainer(device, model, randomValues(model), {
    recipe: r,
    training: { batch: 2, tokens: { align: TOKENS, instruct: TOKENS } },
  });

const optionsFor = (r: Recipe, changes: Partial<RunOptions> = {}): RunOptions => ({
  recipe: r,
  data: new Map([
    ['align', endless(1)],
    ['instruct', endless(2)],
  ]),
  store: runFolder(folder),
  identity: { spec: 'spec', base: 'base', versions: {} },
  checkpointEvery: 3,
  ...changes,
});

const lines = (): StepMetrics[] =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StepMetrics);
const timeless = (all: readonly StepMetrics[]) => all.map((line) => ({ ...line, seconds: 0 }));
const checkpoints = (): string[] => readdirSync(join(folder, 'checkpoints')).sort();

async function failure(promise: Promise<unknown>): Promise<InputError> {
  const error = await promise.then(
    () => assert.unreachable('it went on'),
    (caught: unknown) => caught,
  );
  assert.instance(error, InputError);
  return error as InputError;
}

/** Every trained number of a trainer. */
async function numbers({ session }: Trainer): Promise<number[]> {
  const all: number[] = [];
  for (const p of session.manifest.parameters)
    if (p.cell !== null) all.push(...(await readParameter(session, p)));
  return all;
}

t('a run leaves a line a step and its last checkpoints', () =>
  withDevice(async (device) => {
    const r = recipe();
    const trainer = await open(device, r);
    const seen: number[] = [];
    const summary = await runTraining(trainer, optionsFor(r, { onStep: ({ step }) => seen.push(step) }));
    assert.equal(
      lines().map(({ step }) => step),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.equal(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.is(
      lines()
        .map(({ task }) => task[0])
        .join(''),
      'aiiaiiai',
    );
    assert.ok(
      lines().every(({ loss, norm, lr, tokens }) => loss > 0 && norm > 0 && lr === 0.01 && tokens === 10),
    );
    assert.equal(checkpoints(), ['step-00000006.safetensors', 'step-00000008.safetensors']);
    assert.is(summary.steps, 8);
    assert.is(summary.loss, lines()[7]?.loss);
  }),
);

t('a run that was stopped goes on to the same numbers, to the bit', () =>
  withDevice(async (device) => {
    const r = recipe({ schedule: { kind: 'cosine', warmup: { value: 2, unit: 'steps' }, floor: 0 } });
    const whole = await open(device, r);
    await runTraining(whole, optionsFor(r));
    const [wanted, metrics] = [await numbers(whole), timeless(lines())];
    for (const stopAt of [2, 3, 4, 7]) {
      rmSync(folder, { recursive: true });
      const stopped = optionsFor(r, {
        onStep: ({ step }) => {
          if (step === stopAt) throw new Error('stopped');
        },
      });
      await runTraining(await open(device, r), stopped).then(
        () => assert.unreachable(),
        () => undefined,
      );
      // A kill cuts the last line short.
      appendFileSync(join(folder, 'metrics.jsonl'), `{"step":${stopAt + 1},"ta`);
      const resumed = await open(device, r);
      const summary = await runTraining(resumed, optionsFor(r));
      assert.is(summary.resumedFrom, Math.floor(stopAt / 3) * 3);
      assert.equal(await numbers(resumed), wanted, `stopped at ${stopAt}`);
      assert.equal(timeless(lines()), metrics);
    }
  }),
);

t('a finished run that is resumed has nothing to do', () =>
  withDevice(async (device) => {
    const r = recipe();
    await runTraining(await open(device, r), optionsFor(r));
    const before = lines();
    const again = await open(device, r);
    const summary = await runTraining(again, optionsFor(r));
    assert.equal([summary.resumedFrom, summary.loss], [8, before[7]?.loss]);
    assert.equal(lines(), before);
    rmSync(join(folder, 'metrics.jsonl'));
    assert.is((await runTraining(await open(device, r), optionsFor(r))).loss, null, 'its metrics are gone');
  }),
);

t('the loss at the end of a run that was gone on with is that of an undisturbed one', () =>
  withDevice(async (device) => {
    // The last tenth is three steps: one from before the stop, and two from after it.
    const r = recipe({ steps: 30 });
    const whole = await runTraining(await open(device, r), optionsFor(r));
    const tail = lines().slice(-3);
    assert.ok(Math.abs((whole.loss ?? NaN) - tail.reduce((sum, { loss }) => sum + loss, 0) / 3) < 1e-12);
    rmSync(folder, { recursive: true });
    const stopped = optionsFor(r, {
      checkpointEvery: 7,
      onStep: ({ step }) => {
        if (step === 29) throw new Error('stopped');
      },
    });
    await runTraining(await open(device, r), stopped).then(
      () => assert.unreachable(),
      () => undefined,
    );
    const resumed = await runTraining(await open(device, r), optionsFor(r, { checkpointEvery: 7 }));
    assert.equal(resumed, { ...whole, resumedFrom: 28 });
  }),
);

t('steps of an epoch take what its micro-batches come to, also after a stop, and none twice', () =>
  withDevice(async (device) => {
    const r = recipe({ steps: 10, accumulate: 4 });
    const asked: number[] = [];
    const watched = (seed: number): Batches => ({
      ...endless(seed),
      batchAt: (index) => {
        if (seed === 2) asked.push(index);
        return endless(seed).batchAt(index);
      },
    });
    const data = new Map([
      ['align', watched(1)],
      ['instruct', watched(2)],
    ]);
    const trainer = await open(device, r);
    await runTraining(trainer, optionsFor(r, { data }));
    // Ten batches an epoch are steps of 4, 4 and 2; six steps are two epochs.
    assert.equal(asked, [...Array(20).keys()]);
    const wanted = [await numbers(trainer), timeless(lines())];
    assert.equal(
      lines()
        .filter(({ task }) => task === 'instruct')
        .map(({ tokens }) => tokens),
      [40, 40, 20, 40, 40, 20],
    );
    rmSync(folder, { recursive: true });
    const stop = optionsFor(r, {
      onStep: ({ step }) => {
        if (step === 7) throw new Error('stopped');
      },
    });
    await runTraining(await open(device, r), stop).then(
      () => assert.unreachable(),
      () => undefined,
    );
    const resumed = await open(device, r);
    assert.is((await runTraining(resumed, optionsFor(r))).resumedFrom, 6);
    assert.equal([await numbers(resumed), timeless(lines())], wanted);
  }),
);

t('a run that averages its micro-batches otherwise is another run, unless there is but one', () =>
  withDevice(async (device) => {
    const one = recipe();
    await runTraining(await open(device, one), optionsFor(one));
    await runTraining(await open(device, one), optionsFor({ ...one, average: 'batches' }));
    rmSync(folder, { recursive: true });
    const two = recipe({ accumulate: 2 });
    await runTraining(await open(device, two), optionsFor(two));
    const other = runTraining(await open(device, two), optionsFor({ ...two, average: 'batches' }));
    assert.match((await failure(other)).message, /the recipe or its steps have changed/);
  }),
);

t('steps without a label are not in the loss at the end', () =>
  withDevice(async (device) => {
    const r = recipe({ steps: 20, mix: { kind: 'alternate', parts: [{ task: 'instruct', count: 1 }] } });
    const none = (index: number) => {
      const batch = endless(2).batchAt(index);
      return index === 19 ? { ...batch, labels: batch.labels.map(() => 0xffffffff), labelled: 0 } : batch;
    };
    const data = new Map([['instruct', { ...endless(2), batchAt: none }]]);
    const { loss } = await runTraining(await open(device, r), optionsFor(r, { data }));
    assert.equal([lines()[19]?.labels, lines()[19]?.loss, lines()[18]?.loss], [0, 0, loss]);
  }),
);

t('another spec, base or seed does not go on with a run', () =>
  withDevice(async (device) => {
    const r = recipe();
    await runTraining(await open(device, r), optionsFor(r));
    const trainer = await open(device, r);
    const refused = async (changes: Partial<RunOptions>) =>
      (await failure(runTraining(trainer, optionsFor(r, changes)))).message;
    assert.match(
      await refused({ identity: { spec: 'other', base: 'base', versions: {} } }),
      /the spec has changed/,
    );
    assert.match(
      await refused({ identity: { spec: 'spec', base: 'other', versions: {} } }),
      /base is another/,
    );
    assert.match(await refused({ recipe: { ...r, seed: 9 } }), /seed was 1 and is 9/);
    assert.match(await refused({ recipe: { ...r, steps: 20 } }), /recipe/);
  }),
);

t('a weight that is no number stops the run at once, and says where', () =>
  withDevice(async (device) => {
    const r = recipe();
    const trainer = await open(device, r);
    const name = 'layers.1.feed_forward.w1.weight';
    const stop = optionsFor(r, {
      onStep: ({ step }) => {
        if (step !== 3) return;
        const p = parameterNamed(trainer.session, name);
        writeParameter(
          trainer.session,
          p,
          Float32Array.from({ length: 240 }, (_, i) => (i === 17 ? NaN : 0.1)),
        );
      },
    });
    const error = await failure(runTraining(trainer, stop));
    assert.match(
      error.message,
      new RegExp(
        `step [456] \\(task \`(align|instruct)\`\\).*not finite, first in parameter ${name.replaceAll('.', '\\.')}`,
      ),
    );
    assert.match(error.message, /checkpoints/);
    const kept = await loadCheckpoint(join(folder, 'checkpoints'));
    const failed = Number(/step (\d)/.exec(error.message)?.[1]);
    assert.is(kept?.meta.step, Math.floor(failed / 3) * 3, 'the last checkpoint before it');
    assert.ok([...(kept?.tensors.values() ?? [])].every(({ values }) => values.every(Number.isFinite)));
    assert.ok((await numbers(trainer)).every(Number.isFinite), 'steps that are not finite change nothing');
    // What is left can be gone on with.
    const summary = await runTraining(await open(device, r), optionsFor(r));
    assert.is(summary.resumedFrom, kept?.meta.step);
    assert.equal(
      lines().map(({ step }) => step),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  }),
);

t('a learning rate beyond all bounds stops with the place, and no checkpoint of it is kept as good', () =>
  withDevice(async (device) => {
    for (const lr of [1e30, 3e38]) {
      rmSync(folder, { recursive: true });
      const r = recipe({ optimizer: { lr, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.1 } });
      const error = await failure(runTraining(await open(device, r), optionsFor(r, { checkpointEvery: 1 })));
      assert.match(error.message, /step \d+.*not finite/);
      const kept = await loadCheckpoint(join(folder, 'checkpoints'));
      for (const { name, values } of kept?.tensors.values() ?? [])
        assert.ok(values.every(Number.isFinite), name);
    }
  }),
);

t('a disk that fills up stops the run; the checkpoint before stays whole', () =>
  withDevice(async (device) => {
    let files = 0;
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const fileSystem: FileSystem = {
      open: async (path, flags) => {
        const file = await fs.open(path, flags);
        if (flags === 'w') files += 1;
        const late = files > 1;
        return {
          write: async (bytes) => (late ? Promise.reject(full) : file.write(bytes)),
          sync: () => file.sync(),
          close: () => file.close(),
        };
      },
      rename: (from, to) => fs.rename(from, to),
      unlink: (path) => fs.unlink(path),
    };
    const r = recipe();
    const error = await failure(
      runTraining(await open(device, r), optionsFor(r, { store: runFolder(folder, { fileSystem }) })),
    );
    assert.match(
      error.message,
      /cannot write .*step-00000006\.safetensors: the disk is full \(\d+ bytes needed/,
    );
    assert.equal(checkpoints(), ['step-00000003.safetensors'], 'and nothing half-written');
    assert.is((await loadCheckpoint(join(folder, 'checkpoints')))?.meta.step, 3);
  }),
);

t('metrics of a damaged file are kept as far as they make sense', () =>
  withDevice(async (device) => {
    const r = recipe();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'metrics.jsonl'), 'null\n\nnonsense\n{"step":90}\n');
    await runTraining(await open(device, r), optionsFor(r));
    assert.equal(
      lines().map(({ step }) => step),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.not(existsSync(join(folder, 'metrics.jsonl.unfinished')));
  }),
);

t.run();
