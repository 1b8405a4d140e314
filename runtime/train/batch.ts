/** One micro-batch on its way to the device. */
import { ceil4 } from '../../compiler/model/model.ts';
import type { Program } from '../../compiler/package/package.ts';
import type { Batch as DataBatch } from '../data/batches.ts';
import { IGNORE } from '../data/encode.ts';
import { inputNamed, type Session } from '../session.ts';

/** What a step needs of a batch. */
export type Batch = Pick<DataBatch, 'tokens' | 'labels' | 'labelled'>;

/** Writes tokens, labels, and the order of the tokens where the embedding is trained. */
export function writeBatch(session: Session, program: Program, batch: Batch): void {
  const { executor } = session;
  executor.write(inputNamed(program, 'tokens'), batch.tokens);
  executor.write(inputNamed(program, 'labels'), behindPrompt(program, batch.labels));
  const starts = program.inputs.find((slice) => slice.name === 'tokens.starts');
  if (!starts) return;
  const sorted = sortTokens(batch.tokens, starts.axis.size - 1);
  executor.write(starts, sorted.starts);
  executor.write(inputNamed(program, 'tokens.order'), sorted.order);
}

/** Prepended vectors predict nothing. */
function behindPrompt(program: Program, labels: Uint32Array): Uint32Array {
  const { batch, tokens, prepended } = program;
  if (prepended === 0) return labels;
  const all = new Uint32Array(batch * (prepended + tokens)).fill(IGNORE);
  for (let b = 0; b < batch; b++)
    all.set(labels.subarray(b * tokens, (b + 1) * tokens), b * (prepended + tokens) + prepended);
  return all;
}

/** Places of every id, ids ascending: `order[starts[v]..starts[v+1]]` are the places of id v (a counting sort). */
export function sortTokens(tokens: Uint32Array, vocab: number): { order: Uint32Array; starts: Uint32Array } {
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
