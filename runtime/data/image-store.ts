/** The images of a data source, whatever an encoder wants of them: cut pictures or features. */
import type { Batches } from './batches.ts';
import type { Dataset } from './load.ts';

/** Where an example stands in a run: what is drawn for it depends on nothing else. */
export interface Seen {
  readonly data: string;
  readonly example: number;
  readonly epoch: number;
}

/** Images by number. */
export interface ImageStore {
  /** Different images it holds. */
  readonly count: number;
  /** Numbers of one image as the device lays it out. */
  readonly size: number;
  /** Takes files in. What is wrong with one comes back in its place. */
  addAll(paths: readonly string[]): Promise<(number | Error)[]>;
  /** What tells an image from others: two of the same content have the same. */
  nameOf(number: number): string;
  /** Writes an image to a place of `size` numbers. `seen`: as training sees it there, where that differs. */
  write(number: number, out: Float32Array, seen?: Seen): void;
}

/** The images of some examples of a data set, laid out for the device. */
export type ImagesOf = (examples: Uint32Array, epoch: number) => Float32Array;

/** Numbers of the examples' images. */
export function picturesOf({ name, pictures }: Dataset, examples: Uint32Array): number[] {
  if (!pictures) throw new Error(`internal error: data ${name} was loaded without its pictures`);
  return [...examples].map((example) => pictures[example] ?? 0);
}

/** Images of the examples as they are, with nothing drawn by chance. */
export const plainImagesOf =
  (dataset: Dataset, store: ImageStore): ((examples: Uint32Array) => Float32Array) =>
  (examples) => {
    const out = new Float32Array(examples.length * store.size);
    picturesOf(dataset, examples).forEach((number, i) =>
      store.write(number, out.subarray(i * store.size, (i + 1) * store.size)),
    );
    return out;
  };

/** Images of the examples, as training sees them. */
export const imagesOf =
  (dataset: Dataset, store: ImageStore): ImagesOf =>
  (examples, epoch) => {
    const out = new Float32Array(examples.length * store.size);
    picturesOf(dataset, examples).forEach((number, i) => {
      const place = out.subarray(i * store.size, (i + 1) * store.size);
      store.write(number, place, { data: dataset.name, example: examples[i] ?? 0, epoch });
    });
    return out;
  };

/** Batches that bring an image for each of their rows. */
export const withImages = (batches: Batches, images: ImagesOf): Batches => ({
  ...batches,
  batchAt: (index) => {
    const batch = batches.batchAt(index);
    return { ...batch, image: images(batch.examples, batch.epoch) };
  },
});

/** sha256 in hexadecimal, in Node and in browsers. */
export async function hashOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
