/**
 * Batches as a function of their number: batch k of a run does not depend on the batches that were read before, so a
 * resumed run needs only k.
 */
import { ceil4 } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { createRandom, permutation } from '../random.ts';
import { IGNORE } from './encode.ts';
import type { Dataset } from './load.ts';

export interface Batch {
  /** [batch x tokens], padded on the right with id 0: causal attention never looks there from a real token. */
  readonly tokens: Uint32Array;
  /** [batch x tokens]; the id to predict at each position, or `IGNORE`. */
  readonly labels: Uint32Array;
  /** Positions with a label: the divisor of the mean loss. May be 0. */
  readonly labelled: number;
  /**
   * [batch]; index of each row into `Dataset.examples` and `Dataset.records`. Where an epoch's last batch has fewer
   * examples than rows, the rows that are left over repeat its first example without labels.
   */
  readonly examples: Uint32Array;
  readonly epoch: number;
  /** Images of the rows, laid out for the device (see `patchPictures` in images/prepare.ts); absent for text. */
  readonly image?: Float32Array;
}

export interface Batches {
  /** Sequences of a batch and tokens of a sequence. */
  readonly batch: number;
  readonly tokens: number;
  /** Batches of an epoch: each example is in one of them, and the last batch has the remaining examples. */
  readonly perEpoch: number;
  /** Batch number `index` of the run, from 0. */
  batchAt(index: number): Batch;
}

export interface BatchOptions {
  readonly batch: number;
  readonly seed: number;
  /** Longest sequence the base takes. */
  readonly context: number;
  /** Tokens of a sequence. Default `sequenceLength`. */
  readonly tokens?: number;
  /** Default true: another order each epoch, a function of (seed, data source, epoch). */
  readonly shuffle?: boolean;
}

/** Length that fits every example of the source: its longest, up to a multiple of four, at most the context. */
export const sequenceLength = (dataset: Dataset, context: number): number =>
  Math.min(ceil4(dataset.report.longest), context);

/**
 * The most labels that a batch can have, rounded up to a multiple of 16; undefined when most positions have labels,
 * since picking the labelled rows then costs more than it saves.
 */
export function labelBound(dataset: Dataset, batch: number, tokens: number): number | undefined {
  const counts = dataset.examples.map(({ labelled }) => labelled).sort((a, b) => b - a);
  const most = counts.slice(0, batch).reduce((sum, count) => sum + count, 0);
  const rounded = Math.ceil(Math.max(1, most) / 16) * 16;
  return rounded < 0.75 * batch * tokens ? rounded : undefined;
}

/** @throws InputError when there are fewer examples than a batch takes */
export function createBatches(dataset: Dataset, options: BatchOptions): Batches {
  const { batch, seed, shuffle = true } = options;
  const tokens = options.tokens ?? sequenceLength(dataset, options.context);
  const count = dataset.examples.length;
  const perEpoch = Math.ceil(count / batch);
  if (count < batch) {
    throw new InputError(
      `data \`${dataset.name}\` has ${count} examples, one batch takes ${batch}`,
      `write \`batch = ${count}\` or less, or give more data`,
    );
  }
  let order: { epoch: number; indices: Uint32Array } = { epoch: -1, indices: new Uint32Array(0) };
  const orderOf = (epoch: number): Uint32Array => {
    if (order.epoch !== epoch) {
      const random = createRandom(seed, 'order', dataset.name, epoch);
      order = {
        epoch,
        indices: shuffle ? permutation(count, random) : Uint32Array.from({ length: count }, (_, i) => i),
      };
    }
    return order.indices;
  };
  return {
    batch,
    tokens,
    perEpoch,
    batchAt(index) {
      const epoch = Math.floor(index / perEpoch);
      const start = (index % perEpoch) * batch;
      const own = orderOf(epoch).slice(start, start + batch);
      return { ...fillBatch(dataset, own, tokens, batch), epoch };
    },
  };
}

/**
 * Optimizer steps of one pass over the data, at so many micro-batches a step; the last step has the remaining
 * micro-batches.
 */
export const stepsAnEpoch = ({ perEpoch }: Pick<Batches, 'perEpoch'>, accumulate: number): number =>
  Math.ceil(perEpoch / accumulate);

/**
 * The micro-batches of optimizer step number `step`, from 0. All are of one epoch, so the last step of an epoch may
 * have fewer than `accumulate`.
 */
export function microBatches(batches: Batches, accumulate: number, step: number): Batch[] {
  const steps = stepsAnEpoch(batches, accumulate);
  const from = (step % steps) * accumulate;
  const count = Math.min(accumulate, batches.perEpoch - from);
  const first = Math.floor(step / steps) * batches.perEpoch + from;
  return Array.from({ length: count }, (_, micro) => batches.batchAt(first + micro));
}

/** `rows` rows, each cut or padded to `length`: those of the given examples, then the first of them without labels. */
export function fillBatch(
  dataset: Dataset,
  given: Uint32Array,
  length: number,
  rows: number,
): Omit<Batch, 'epoch'> {
  const examples = Uint32Array.from({ length: rows }, (_, row) => given[row] ?? given[0]!);
  const tokens = new Uint32Array(rows * length);
  const labels = new Uint32Array(rows * length).fill(IGNORE);
  let labelled = 0;
  examples.forEach((index, row) => {
    const example = dataset.examples[index]!;
    tokens.set(example.tokens.subarray(0, length), row * length);
    if (row >= given.length) return;
    const own = example.labels.subarray(0, length);
    labels.set(own, row * length);
    for (const label of own) if (label !== IGNORE) labelled++;
  });
  return { tokens, labels, labelled, examples };
}
