/** Images for the rows of batches: of examples as they are, or as training sees them. */
import { invariant } from '../../grammar/invariant.ts';
import type { Batches } from './batches.ts';
import type { ImageStore, Seen } from './image-store.ts';
import type { Dataset } from './load.ts';

/** The images of some examples of a data set, laid out for the device. */
export type ImagesOf = (examples: Uint32Array, epoch: number) => Float32Array;

/** Numbers of the examples' images. */
export function picturesOf({ name, pictures }: Dataset, examples: Uint32Array): number[] {
  invariant(pictures, `data ${name} was loaded without its pictures`);
  return [...examples].map((example) => pictures[example] ?? 0);
}

/** Images of the examples as they are, with nothing drawn by chance. */
export const plainImagesOf =
  (dataset: Dataset, store: ImageStore): ((examples: Uint32Array) => Float32Array) =>
  (examples) =>
    writeAll(dataset, store, examples, () => undefined);

/** Images of the examples, as training sees them. */
export const imagesOf =
  (dataset: Dataset, store: ImageStore): ImagesOf =>
  (examples, epoch) =>
    writeAll(dataset, store, examples, (example) => ({ data: dataset.name, example, epoch }));

function writeAll(
  dataset: Dataset,
  store: ImageStore,
  examples: Uint32Array,
  seen: (example: number) => Seen | undefined,
): Float32Array {
  const out = new Float32Array(examples.length * store.size);
  picturesOf(dataset, examples).forEach((number, i) =>
    store.write(number, out.subarray(i * store.size, (i + 1) * store.size), seen(examples[i] ?? 0)),
  );
  return out;
}

/** Batches that bring an image for each of their rows. */
export const withImages = (batches: Batches, images: ImagesOf): Batches => ({
  ...batches,
  batchAt: (index) => {
    const batch = batches.batchAt(index);
    return { ...batch, image: images(batch.examples, batch.epoch) };
  },
});
