/** What an encoder of a spec looks at, and the stores and files its images come from. */
import { hasImage, imageInputs } from '../../compiler/kinds/images.ts';
import type { DataSource, Model, Task } from '../../compiler/model/model.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import { createFeatureStore } from '../data/features.ts';
import type { ImageStore } from '../data/image-store.ts';
import { createPictureStore } from '../data/picture-store.ts';
import { InputError } from '../input-error.ts';
import type { ProjectHost } from './host.ts';
import type { HostedModel } from './spec.ts';

/** What the one encoder of a model takes. @throws InputError when there is none, or not one alone */
export function imageInputOf(model: Model): ImageInput {
  const inputs = imageInputs(model);
  const [input] = inputs;
  if (!input)
    throw new InputError(
      `\`${model.name}\` looks at no image`,
      'give it an encoder, a projector and a prompt that reads it, or leave the pictures away',
    );
  if (inputs.length > 1)
    throw new InputError(
      `\`${model.name}\` has ${inputs.length} encoders, and images can be given to one`,
      `leave out all but one of ${inputs.map(({ part }) => part).join(', ')}`,
    );
  return input;
}

/** A store for the files an encoder takes: pictures, or features. `seed`: of what is drawn when training sees them. */
const openImages = (host: ProjectHost, { pixels, ...rest }: ImageInput, seed: number): ImageStore =>
  pixels
    ? createPictureStore({
        rules: pixels,
        decode: host.decodePicture,
        readBytes: host.readBytes,
        ...(host.pictureCache ? { cache: host.pictureCache } : {}),
        seed,
      })
    : createFeatureStore(rest, host.readBytes);

/**
 * The store for the images of a source that a task reads, and the name it goes by among `known`; null: it shows none.
 * What asks for images of the same form shares one.
 */
export function storeFor(
  { host, model }: HostedModel,
  task: Task,
  known: Map<string, ImageStore>,
  { format }: DataSource,
  seed: number,
): { readonly key: string; readonly store: ImageStore } | null {
  if (format !== 'image_text') return null;
  if (!hasImage(model)) {
    host.warn(`${task.name}: no part of \`${model.name}\` looks at an image, so its pictures are not read`);
    return null;
  }
  const input = imageInputOf(model);
  const { pixels, rows, width } = input;
  const key = JSON.stringify([pixels ?? [rows, width], pixels?.crop ? seed : null]);
  const store = known.get(key) ?? openImages(host, input, seed);
  known.set(key, store);
  return { key, store };
}

/**
 * Images for `count` sequences, laid out for the device: one file for each, or one for all.
 * @throws InputError naming the file that is no usable picture, or no features of the encoder's shape
 */
export async function readImages(
  { host, model }: HostedModel,
  paths: readonly string[],
  count: number,
): Promise<Float32Array> {
  const store = openImages(host, imageInputOf(model), 0);
  const numbers = (await store.addAll(paths)).map((number, i) => {
    if (typeof number === 'number') return number;
    if (number instanceof InputError) throw number;
    throw new InputError(`${paths[i]}: ${number.message}`, 'give a PNG, JPEG or WebP file', {
      cause: number,
    });
  });
  const all = new Float32Array(count * store.size);
  for (let i = 0; i < count; i++)
    store.write(numbers[i] ?? numbers[0] ?? 0, all.subarray(i * store.size, (i + 1) * store.size));
  return all;
}
