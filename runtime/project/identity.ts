/** What a run is a function of, as its checkpoints remember it: whoever goes on with one must bring the same. */
import { createHash } from 'node:crypto';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { ImageStore } from '../data/image-store.ts';
import type { Dataset } from '../data/load.ts';
import { readBytes } from '../files.ts';
import type { RunOptions } from '../train/run.ts';
import { versions } from '../versions.ts';
import { fingerprintBase, sampleEvenly } from '../weights/fingerprint.ts';
import type { Start, TaskData } from './open.ts';

/**
 * Hashes of spec, base, data and the files of encoders and projectors, and the attributes that the spec comes to.
 * @param from the file whose parameters the run starts from
 */
export async function identityOf(
  model: Model,
  spec: string,
  start: Start,
  { datasets, images }: Pick<TaskData, 'datasets' | 'images'>,
  from: string | undefined,
): Promise<RunOptions['identity']> {
  // A run that starts from other parameters is another run.
  const origin = from === undefined ? [] : [await hashFile(from)];
  const inputs: Record<string, string> = {};
  for (const [task, dataset] of datasets)
    inputs[`data \`${dataset.name}\``] = hashDataset(dataset, images.get(task)?.store);
  const files = model.parameters.filter(({ init, owner }) => init.kind === 'weights' && owner !== 'base');
  for (const part of new Set(files.map(({ owner }) => owner))) {
    const sampled = [];
    for (const p of files.filter(({ owner }) => owner === part))
      sampled.push({ name: p.name, shape: p.shape, values: sampleEvenly(await start.values(p)) });
    inputs[`weights file of \`${part}\``] = await fingerprintBase(sampled);
  }
  const attributes = attributesOf(model, 'training');
  return { spec, base: [start.fingerprint, ...origin].join('+'), versions, inputs, attributes };
}

/** sha256 of what is trained on: tokens, labels and the pictures that go with them, wherever they lie. */
function hashDataset({ examples, pictures }: Dataset, store: ImageStore | undefined): string {
  const hash = createHash('sha256');
  examples.forEach(({ tokens, labels }, i) => {
    const image = store?.nameOf(pictures?.[i] ?? 0) ?? '';
    hash.update(`${tokens.length} ${image}\n`);
    hash.update(tokens);
    hash.update(labels);
  });
  return hash.digest('hex');
}

const hashFile = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readBytes(path))
    .digest('hex');
