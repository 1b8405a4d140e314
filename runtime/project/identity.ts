/** What a run is a function of, as its checkpoints remember it: whoever goes on with one must bring the same. */
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { ImageStore } from '../data/image-store.ts';
import type { Dataset } from '../data/load.ts';
import { sha256 } from '../hash.ts';
import type { RunOptions } from '../train/run.ts';
import { versions } from '../versions.ts';
import type { RecipeData } from './recipe-data.ts';
import type { HostedModel } from './spec.ts';
import type { Origin } from './start.ts';

/**
 * Hashes of spec, base, data and the files of encoders and projectors, and the attributes that the spec comes to.
 * @param spec the spec's hash
 * @param from the file whose parameters the run starts from
 */
export async function identityOf(
  { host, model }: HostedModel,
  spec: string,
  { base, encoders }: Origin,
  { datasets, images }: Pick<RecipeData, 'datasets' | 'images'>,
  from: string | undefined,
): Promise<RunOptions['identity']> {
  // A run that starts from other parameters is another run.
  const origin = from === undefined ? [] : [await sha256([await host.readBytes(from)])];
  const inputs: Record<string, string> = {};
  for (const [task, dataset] of datasets)
    inputs[`data \`${dataset.name}\``] = await hashDataset(dataset, images.get(task)?.store);
  for (const [part, fingerprint] of Object.entries(encoders))
    inputs[`weights file of \`${part}\``] = fingerprint;
  const attributes = attributesOf(model, 'training');
  return { spec, base: [base, ...origin].join('+'), versions, inputs, attributes };
}

/** sha256 of what is trained on: tokens, labels and the pictures that go with them, wherever they lie. */
const hashDataset = ({ examples, pictures }: Dataset, store: ImageStore | undefined): Promise<string> =>
  sha256(
    examples.flatMap(({ tokens, labels }, i) => [
      `${tokens.length} ${store?.nameOf(pictures?.[i] ?? 0) ?? ''}\n`,
      tokens,
      labels,
    ]),
  );
