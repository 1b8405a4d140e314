/** Writes one micro-batch to the device. */
import { invariant } from '../../grammar/invariant.ts';
import { ceil4 } from '../../compiler/model/model.ts';
import type { Program } from '../../compiler/package/package.ts';
import type { Batch } from '../data/batches.ts';
import { IGNORE } from '../data/encode.ts';
import { inputNamed, type Session } from '../session.ts';

/** The contents of a batch that a step needs. */
export interface MicroBatch extends Pick<Batch, 'tokens' | 'labels' | 'labelled'> {
  /** Patches or features of every sequence's image, as the device lays them out (see images/features.ts). */
  readonly image?: Float32Array;
}

/** Writes tokens and labels, and the order of the tokens where the embedding is trained. */
export function writeBatch(session: Session, program: Program, batch: MicroBatch): void {
  session.executor.write(inputNamed(program, 'tokens'), batch.tokens);
  writeImages(session, program, batch.image);
  writeOrder(session, program, 'tokens', batch.tokens);
  const labels = behindPrompt(program, batch.labels);
  const rows = program.inputs.find((slice) => slice.name === 'rows');
  if (!rows) {
    session.executor.write(inputNamed(program, 'labels'), labels);
    return;
  }
  const picked = pickLabelled(labels, rows.axis.size);
  session.executor.write(rows, picked.rows);
  session.executor.write(inputNamed(program, 'labels'), picked.labels);
  writeOrder(session, program, 'rows', picked.rows);
}

/** Writes images where the program looks at them. */
export function writeImages(session: Session, program: Program, image: Float32Array | undefined): void {
  const input = program.inputs.find((slice) => slice.image !== undefined);
  invariant(
    (input === undefined) === (image === undefined),
    `${program.name} and its batch disagree about images`,
  );
  if (input && image) session.executor.write(input, image);
}

/** The rows that have a label, and these labels; unused places hold row 0 and no label. */
function pickLabelled(labels: Uint32Array, most: number): { rows: Uint32Array; labels: Uint32Array } {
  const picked = { rows: new Uint32Array(most), labels: new Uint32Array(most).fill(IGNORE) };
  let count = 0;
  labels.forEach((label, row) => {
    if (label === IGNORE) return;
    invariant(count < most, `a batch has more than the ${most} labels its program was compiled for`);
    picked.rows[count] = row;
    picked.labels[count++] = label;
  });
  return picked;
}

/**
 * Order and starts for the gradient of the table that `input` indexes: a sum over the places of each id, in a fixed
 * order.
 */
function writeOrder(session: Session, program: Program, input: string, ids: Uint32Array): void {
  const starts = program.inputs.find((slice) => slice.name === `${input}.starts`);
  if (!starts) return;
  const sorted = sortTokens(ids, starts.axis.size - 1);
  session.executor.write(starts, sorted.starts);
  session.executor.write(inputNamed(program, `${input}.order`), sorted.order);
}

/** Puts positions without a label in front of each sequence, for the prepended vectors. */
function behindPrompt(program: Program, labels: Uint32Array): Uint32Array {
  const { batch, tokens, prepended } = program;
  if (prepended === 0) return labels;
  const all = new Uint32Array(batch * (prepended + tokens)).fill(IGNORE);
  for (let b = 0; b < batch; b++)
    all.set(labels.subarray(b * tokens, (b + 1) * tokens), b * (prepended + tokens) + prepended);
  return all;
}

/** Places of every id, ids ascending: `order[starts[v]..starts[v+1]]` are the places of id v (a counting sort). */
function sortTokens(tokens: Uint32Array, vocab: number): { order: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(ceil4(vocab + 1));
  for (const id of tokens) starts[id + 1] = (starts[id + 1] ?? 0) + 1;
  for (let v = 1; v < starts.length; v++) starts[v] = (starts[v] ?? 0) + (starts[v - 1] ?? 0);
  const next = starts.slice();
  const order = new Uint32Array(tokens.length);
  tokens.forEach((id, place) => {
    const at = next[id] ?? 0;
    next[id] = at + 1;
    order[at] = place;
  });
  return { order, starts };
}
