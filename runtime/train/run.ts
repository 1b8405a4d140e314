/**
 * A training run: steps to the end of a recipe, with metrics and checkpoints in a store.
 *
 * The run is a function of (spec, base, data, seed) alone. Which task a step trains and which examples it sees follow
 * from the step's number, so a run that was killed continues from its last checkpoint, and its parameters end bit for
 * bit as those of an uninterrupted run.
 */
import { invariant } from '../../grammar/invariant.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { type Batches, microBatches } from '../data/batches.ts';
import { InputError } from '../input-error.ts';
import { createRandom } from '../random.ts';
import { type MicroBatch, writeBatch } from './batch.ts';
import { turns } from './mix.ts';
import { findNonFinite } from './nan.ts';
import type { CheckpointMeta, MetricsFile, RunStore, StepMetrics } from './run-store.ts';
import { requireSameRun } from './same-run.ts';
import { essenceOf, horizonOf, learningRate, stepsPerEpoch, type Horizon } from './learning-rate.ts';
import { readState, writeState } from './state.ts';
import { programFor } from '../session.ts';
import { type StepResult, type Trainer, trainStep } from './trainer.ts';

export interface RunOptions {
  readonly recipe: Recipe;
  /** Batches of each task the recipe mixes. */
  readonly data: ReadonlyMap<string, Batches>;
  /** Where metrics and checkpoints are kept. */
  readonly store: RunStore;
  readonly identity: Pick<CheckpointMeta, 'spec' | 'base' | 'versions' | 'inputs' | 'attributes'>;
  /** Steps between checkpoints; null: none are written, and the run begins with its first step. */
  readonly checkpointEvery: number | null;
  readonly onStep?: (metrics: StepMetrics, horizon: Horizon) => void;
  /**
   * Called once before the first step, with the number of that step. When it returns a promise, the run waits for it.
   */
  readonly onStart?: (step: number, horizon: Horizon) => unknown;
}

/** Results are read this many steps late, so that the device is never idle for a read. */
const IN_FLIGHT = 3;

export interface RunSummary {
  readonly steps: number;
  readonly resumedFrom: number;
  /**
   * Mean loss of the last tenth of the run's steps that had labels, those from before a resumption included; null when
   * none had any, or when `metrics.jsonl` does not have them all.
   */
  readonly loss: number | null;
}

/** Trains to the end of the recipe, from the last checkpoint of the store if there is one. */
export async function runTraining(trainer: Trainer, options: RunOptions): Promise<RunSummary> {
  const { recipe, store } = options;
  const horizon = horizonOf(recipe, stepsPerEpoch(options));
  const first = await resume(trainer, options);
  await options.onStart?.(first, horizon);
  const metrics = await store.openMetrics(first);
  const done: StepMetrics[] = [...metrics.kept];
  const pending: {
    readonly result: Promise<StepResult>;
    readonly report: (result: StepResult) => Promise<void>;
  }[] = [];
  const drain = async (left: number) => {
    while (pending.length > left) {
      const next = pending.shift();
      if (next) await next.report(await next.result);
    }
  };
  try {
    const turn = turns(recipe, horizon.total, (step) => createRandom(recipe.seed, 'mix', step).uniform());
    for (let step = 0; step < horizon.total; step++) {
      const { task, index } = turn.next().value;
      if (step < first) continue;
      const batches = batchesOf(options, task, index);
      const lr = learningRate(recipe, horizon, step);
      const result = trainStep(trainer, task, batches, lr);
      // A lost device fails every step in flight; the first of them is reported, the others must not go unhandled.
      result.catch(() => undefined);
      const report = (r: StepResult) =>
        recordStep(trainer, options, metrics, horizon, done, { step, task, lr, batches }, r);
      pending.push({ result, report });
      await drain(IN_FLIGHT);
      const { checkpointEvery: every } = options;
      if (step + 1 === horizon.total || (every !== null && (step + 1) % every === 0)) {
        await drain(0);
        if (every !== null) await save(trainer, options, step + 1);
      }
    }
  } finally {
    // No read of a failed run may still be under way when this returns, since the caller may free the buffers.
    await Promise.allSettled(pending.map(({ result }) => result));
    await metrics.close();
  }
  return { steps: horizon.total, resumedFrom: first, loss: lossAtEnd(done, horizon.total) };
}

function lossAtEnd(done: readonly StepMetrics[], total: number): number | null {
  const count = Math.max(1, Math.floor(total / 10));
  const tail = done.filter(({ step }) => step >= total - count);
  if (new Set(tail.map(({ step }) => step)).size < count) return null;
  const losses = tail.filter(({ labels }) => labels !== 0).map(({ loss }) => loss);
  return losses.length === 0 ? null : losses.reduce((a, b) => a + b, 0) / losses.length;
}

function batchesOf({ recipe, data }: RunOptions, task: string, index: number): MicroBatch[] {
  const source = data.get(task);
  invariant(source, `no data for task ${task}`);
  return microBatches(source, recipe.accumulate, index);
}

interface Done {
  readonly step: number;
  readonly task: string;
  readonly lr: number;
  readonly batches: readonly MicroBatch[];
}

async function recordStep(
  trainer: Trainer,
  options: RunOptions,
  file: MetricsFile,
  horizon: Horizon,
  done: StepMetrics[],
  { step, task, lr, batches }: Done,
  { loss, norm, finite }: StepResult,
): Promise<void> {
  const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  const labels = batches.reduce((sum, batch) => sum + batch.labelled, 0);
  const metrics: StepMetrics = { step, task, loss, norm, lr, tokens, labels, seconds: file.seconds() };
  await file.append(metrics);
  if (!finite) throw await diverged(trainer, options, { step, task, lr, batches });
  done.push(metrics);
  options.onStep?.(metrics, horizon);
}

/**
 * The error of a run that diverged: names the step and the first tensor that is not finite. That step changed no
 * parameter, and the last checkpoint is older.
 */
async function diverged(
  trainer: Trainer,
  options: RunOptions,
  { step, task, batches }: Done,
): Promise<InputError> {
  const program = programFor(trainer.session, { kind: 'train', task });
  let place: string | null = null;
  for (const batch of batches) {
    writeBatch(trainer.session, program, batch);
    place ??= await findNonFinite(trainer.session, program);
  }
  return new InputError(
    `step ${step} (task \`${task}\`): the loss or a gradient is not finite${place ? `, first in ${place}` : ''}`,
    divergedHelp(options),
  );
}

const divergedHelp = ({ store, checkpointEvery }: RunOptions): string =>
  `lower the learning rate or set \`clip\`${checkpointEvery === null ? '' : `; the last good checkpoint, if there is one, is in ${store.place}`}`;

async function save(trainer: Trainer, options: RunOptions, step: number): Promise<void> {
  const tensors = await readState(trainer);
  const broken = tensors.find(({ values }) => !values.every(Number.isFinite));
  if (broken)
    throw new InputError(
      `after step ${step - 1} \`${broken.name}\` is not finite; no checkpoint is written of it`,
      divergedHelp(options),
    );
  const meta: CheckpointMeta = {
    ...options.identity,
    step,
    seed: options.recipe.seed,
    recipe: recipeKey(trainer, options),
    cellSteps: [...trainer.counts],
  };
  await options.store.saveCheckpoint({ tensors, meta });
}

/**
 * A recipe as text. Learning rates and the order of tasks follow from the whole recipe, so a changed recipe makes
 * another run.
 */
function recipeKey({ session }: Trainer, { recipe }: RunOptions): string {
  const { seed: _, ...rest } = essenceOf(recipe);
  return JSON.stringify({ adapter: session.manifest.name, ...rest });
}

async function resume(trainer: Trainer, options: RunOptions): Promise<number> {
  if (options.checkpointEvery === null) return 0;
  const checkpoint = await options.store.loadCheckpoint();
  if (!checkpoint) return 0;
  const { seed } = options.recipe;
  const run = { ...options.identity, seed, recipe: recipeKey(trainer, options) };
  requireSameRun(checkpoint.meta, run, checkpoint.path);
  writeState(trainer, checkpoint);
  return checkpoint.meta.step;
}
