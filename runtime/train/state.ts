/** Reads the state of a training run from the device for a checkpoint, and writes it back. */
import { invariant } from '../../grammar/invariant.ts';
import type { CheckpointTensor, LoadedCheckpoint } from './run-store.ts';
import { type Copy, readParameter, writeParameter } from '../session.ts';
import type { Trainer } from './trainer.ts';

/** Prefix of each copy of a parameter in a checkpoint. */
const COPIES: readonly (readonly [string, Copy])[] = [
  ['', 'parameters'],
  ['m.', 'first'],
  ['v.', 'second'],
];

/** Every trained parameter with its moments, in file order. */
export async function readState(trainer: Trainer): Promise<CheckpointTensor[]> {
  const tensors: CheckpointTensor[] = [];
  for (const p of trainer.session.manifest.parameters) {
    if (p.cell === null) continue;
    for (const [prefix, copy] of COPIES)
      tensors.push({
        name: prefix + p.name,
        shape: p.shape,
        values: await readParameter(trainer.session, p, copy),
      });
  }
  return tensors;
}

/** Writes the state of a checkpoint back to the device, bit for bit. */
export function writeState(trainer: Trainer, checkpoint: Pick<LoadedCheckpoint, 'tensors' | 'meta'>): void {
  for (const p of trainer.session.manifest.parameters) {
    if (p.cell === null) continue;
    for (const [prefix, copy] of COPIES) {
      const tensor = checkpoint.tensors.get(prefix + p.name);
      invariant(tensor, `the checkpoint has no ${prefix}${p.name}, though it is of the same spec`);
      writeParameter(trainer.session, p, tensor.values, copy);
    }
  }
  checkpoint.meta.cellSteps.forEach((count, cell) => (trainer.counts[cell] = count));
}
