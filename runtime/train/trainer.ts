/** Training steps: one submit each, nothing allocated, results read a few steps later. */
import { invariant } from '../../grammar/invariant.ts';
import { ceil4 } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { STEP } from '../../compiler/package/constants.ts';
import type { Program } from '../../compiler/package/package.ts';
import { outputNamed, programFor, type Session, writePositions } from '../session.ts';
import { type MicroBatch, writeBatch } from './batch.ts';

export interface StepResult {
  /**
   * Mean cross-entropy of the step in nats: over the labels of all its micro-batches, or over the means of its
   * micro-batches, as the recipe's `average` says. 0 when none of them has a label.
   */
  readonly loss: number;
  /** Gradient norm over the trained parameters, before clipping. */
  readonly norm: number;
  /** False when a gradient was not finite; the step then changed no parameter and no moment. */
  readonly finite: boolean;
}

export interface Trainer {
  readonly session: Session;
  /** Optimizer steps that each cell has taken; a step of another task does not count. */
  readonly counts: number[];
}

export function makeTrainer(session: Session): Trainer {
  for (const program of session.manifest.programs)
    if (program.kind === 'train' || program.kind === 'loss') writePositions(session, program);
  return { session, counts: session.manifest.cells.map(() => 0) };
}

/**
 * One optimizer step of `task` on its micro-batches: as many as the recipe accumulates, or fewer at the end of an epoch
 * (see `microBatches`). The step is submitted when this returns; its result arrives with the promise.
 */
export function trainStep(
  trainer: Trainer,
  task: string,
  batches: readonly MicroBatch[],
  lr: number,
): Promise<StepResult> {
  const { session, counts } = trainer;
  const recipe = session.manifest.recipe;
  invariant(
    recipe && batches.length > 0 && batches.length <= recipe.accumulate,
    `a step takes up to ${recipe?.accumulate} micro-batches`,
  );
  const program = programFor(session, { kind: 'train', task });
  activeCells(session, task).forEach((cell) => (counts[cell] = (counts[cell] ?? 0) + 1));
  session.version.count++;
  // A package that accumulates has the optimizer in a program of its own, also for a step of one micro-batch.
  const update = recipe.accumulate === 1 ? [] : [programFor(session, { kind: 'update', task })];
  const scales = lossScales(batches, recipe.average);
  const losses = batches.map((batch, index) => {
    writeBatch(session, program, batch);
    writeStep(trainer, scales[index] ?? 0, lr, recipe.clip ?? 0, index === 0);
    const works = index === batches.length - 1 ? [program, ...update] : [program];
    return session.executor.runAndRead(
      works.map(({ name }) => name),
      works.flatMap(readsOf),
    );
  });
  return settle(losses);
}

/** Forward and backward without the optimizer: the loss, with every gradient left in `gradients`. */
export async function gradients(trainer: Trainer, task: string, batch: MicroBatch): Promise<number> {
  const { session } = trainer;
  const program = programFor(session, { kind: 'train', task });
  writeBatch(session, program, batch);
  writeStep(trainer, meanScale(batch.labelled), 0, 0, true);
  const [loss] = await session.executor.runAndRead(
    [{ program: program.name, to: program.optimizerFrom }],
    [outputNamed(program, 'loss')],
  );
  return loss?.[0] ?? NaN;
}

/** The loss of a batch, without a training step; `attached`: the batch is text with an image attached. */
export async function evaluate(
  trainer: Trainer,
  task: string,
  batch: MicroBatch,
  attached = false,
): Promise<number> {
  const { session } = trainer;
  const program = programFor(session, { kind: 'loss', task, attached });
  writeBatch(session, program, batch);
  writeStep(trainer, meanScale(batch.labelled), 0, 0, true);
  const [loss] = await session.executor.runAndRead([program.name], [outputNamed(program, 'loss')]);
  return loss?.[0] ?? NaN;
}

const activeCells = (session: Session, task: string): readonly number[] =>
  session.manifest.tasks.find((t) => t.name === task)?.cells ?? [];

/** Loss first, then the gradient norm where the program computes it. */
const readsOf = (program: Program) => program.outputs.filter((slice) => slice.buffer === 'results');

async function settle(pending: readonly Promise<Float32Array[]>[]): Promise<StepResult> {
  const results = await Promise.all(pending);
  const norm = results.at(-1)?.at(-1);
  const loss = results.reduce((sum, [first]) => sum + (first?.[0] ?? NaN), 0);
  return { loss, norm: norm?.[0] ?? NaN, finite: norm?.[2] === 1 && Number.isFinite(loss) };
}

/**
 * The factor that turns a sum over `labels` labels into their mean. Without labels the sum is 0, and so is the mean.
 */
const meanScale = (labels: number): number => (labels === 0 ? 0 : 1 / labels);

/** The factor for each micro-batch's sum of cross-entropies, so that the products add up to the step's loss. */
function lossScales(batches: readonly MicroBatch[], average: Recipe['average']): number[] {
  if (average === 'batches') return batches.map(({ labelled }) => meanScale(labelled) / batches.length);
  const labels = batches.reduce((sum, { labelled }) => sum + labelled, 0);
  return batches.map(() => meanScale(labels));
}

function writeStep(trainer: Trainer, lossScale: number, lr: number, clip: number, first: boolean): void {
  const { session, counts } = trainer;
  const betas = session.manifest.recipe?.optimizer.betas ?? [0, 0];
  const words = new Float32Array(ceil4(STEP.cells + 2 * counts.length));
  words[STEP.lossScale] = lossScale;
  words[STEP.lr] = lr;
  words[STEP.clip] = clip;
  words[STEP.first] = first ? 1 : 0;
  counts.forEach((count, cell) => {
    // The correction of a cell that was never active is 1; no dispatch reads it.
    words[STEP.cells + 2 * cell] = count === 0 ? 1 : 1 / (1 - betas[0] ** count);
    words[STEP.cells + 2 * cell + 1] = count === 0 ? 1 : 1 / (1 - betas[1] ** count);
  });
  session.executor.write({ buffer: 'step', offset: 0, size: words.byteLength }, words);
}
