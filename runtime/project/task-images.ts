/** What commands need for pictures: a task's data with its images, an encoder's weights, images to generate from. */
import { cacheableEncoders } from '../../compiler/compile/tasks.ts';
import { hasImage, imageInputs } from '../../compiler/kinds/images.ts';
import { vitOf } from '../../compiler/kinds/vit.ts';
import type { DataSource, Model, Part, Recipe, Task } from '../../compiler/model/model.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import { mib } from '../device/buffers.ts';
import type { Batches } from '../data/batches.ts';
import { createFeatureStore } from '../data/features.ts';
import type { ImageStore } from '../data/image-store.ts';
import { withImages } from '../data/image-batches.ts';
import type { Dataset } from '../data/load.ts';
import { type EncodedPictures, encodePictures, tokenBytes, tokensOf } from './encoded-images.ts';
import { openPictures } from '../hosts/node-pictures.ts';
import { openWeights, readBytes } from '../files.ts';
import { InputError } from '../input-error.ts';
import type { Session } from '../session.ts';
import { horizonOf, stepsPerEpoch } from '../train/schedule.ts';
import { type EncoderPlan, planEncoder, planProjector, readEncoderParameter } from '../weights/encoder.ts';
import { weightsFile } from './weights-file.ts';
import type { WeightSource } from '../weights/source.ts';

/** Encoders' tokens that may be kept in memory for a whole run. */
const MOST_TOKENS = 2 ** 30;

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
const openImages = (input: ImageInput, seed: number): ImageStore =>
  input.pixels ? openPictures(input.pixels, seed) : createFeatureStore(input, readBytes);

/**
 * The store for the images of a source that a task reads, and the name it goes by among `known`; null: it shows none.
 * What asks for images of the same form shares one.
 */
export function storeFor(
  model: Model,
  task: Task,
  known: Map<string, ImageStore>,
  { format }: DataSource,
  seed: number,
): { readonly key: string; readonly store: ImageStore } | null {
  if (format !== 'image_text') return null;
  if (!hasImage(model)) {
    console.error(
      `${task.name}: no part of \`${model.name}\` looks at an image, so its pictures are not read`,
    );
    return null;
  }
  const input = imageInputOf(model);
  const { pixels, rows, width } = input;
  const key = JSON.stringify([pixels ?? [rows, width], pixels?.crop ? seed : null]);
  const store = known.get(key) ?? openImages(input, seed);
  known.set(key, store);
  return { key, store };
}

/** A task that shows images: its pictures, and its batches without them. */
export interface TaskImages {
  readonly dataset: Dataset;
  readonly store: ImageStore;
  readonly plain: Batches;
}

/** Where an encoder runs: in every step, once before the first, or whichever is less work. */
export type Encoding = 'inline' | 'cached' | 'auto';

/** The encoder whose tokens are to be computed once; null: it runs in every step. */
export function chooseEncoding(
  model: Model,
  recipe: Recipe,
  data: { readonly batches: ReadonlyMap<string, Batches>; readonly images: ReadonlyMap<string, TaskImages> },
  wanted: Encoding,
): ImageInput | null {
  const store = [...data.images.values()][0]?.store;
  if (!store || wanted === 'inline') return null;
  const input = imageInputOf(model);
  if (!cacheableEncoders(model).includes(input.part)) {
    if (wanted === 'auto') return null;
    throw new InputError(`the encoder \`${input.part}\` ${whyNot(input)}`, 'leave --encoder away');
  }
  const fits = store.count * tokenBytes(input) <= MOST_TOKENS;
  const pays = looks(recipe, data) >= store.count;
  return wanted === 'cached' || (fits && pays) ? input : null;
}

/** Why an encoder's tokens cannot be computed once. */
function whyNot({ pixels }: ImageInput): string {
  if (!pixels) return 'takes features, which are computed already';
  if (pixels.crop) return 'sees another part of a picture each time (`crop = random`)';
  return 'is trained, so its tokens change in every step';
}

/** How often the whole run looks at a picture. */
function looks(
  recipe: Recipe,
  data: { readonly batches: ReadonlyMap<string, Batches>; readonly images: ReadonlyMap<string, TaskImages> },
): number {
  const { total } = horizonOf(recipe, stepsPerEpoch({ recipe, data: data.batches }));
  const all = recipe.mix.parts.reduce((sum, { count }) => sum + count, 0);
  const shown = recipe.mix.parts.reduce(
    (sum, { task, count }) => sum + (data.images.has(task) ? count : 0),
    0,
  );
  return (total * shown * recipe.batch * recipe.accumulate) / all;
}

/** Every task's batches, with the encoder's tokens where there are images; says what that took. */
export async function encodeTasks(
  session: Session,
  input: ImageInput,
  {
    batches,
    images,
  }: { readonly batches: ReadonlyMap<string, Batches>; readonly images: ReadonlyMap<string, TaskImages> },
  encode: (session: Session, input: ImageInput, store: ImageStore) => Promise<EncodedPictures> = encodeStore,
): Promise<ReadonlyMap<string, Batches>> {
  const [first] = images.values();
  if (!first) return batches;
  const encoded = await encode(session, input, first.store);
  return new Map(
    [...batches].map(([task, batch]) => {
      const shown = images.get(task);
      return [task, shown ? withImages(shown.plain, tokensOf(shown.dataset, encoded)) : batch];
    }),
  );
}

/** Tokens of every image of a store; says what that took. */
export async function encodeStore(
  session: Session,
  input: ImageInput,
  store: ImageStore,
): Promise<EncodedPictures> {
  const started = performance.now();
  const encoded = await encodePictures(session, input, store);
  const seconds = (performance.now() - started) / 1000;
  console.error(
    `${input.part}: tokens of ${store.count} pictures computed once: ${mib(encoded.bytes)} MiB, ${seconds.toFixed(1)} s`,
  );
  return encoded;
}

function planPart(source: WeightSource, part: Part, model: Model): EncoderPlan {
  const parameters = model.parameters.filter(({ owner }) => owner === part.name);
  if (part.kind === 'project') return planProjector(source, part, parameters);
  const blocks = vitOf(part.fields['model'])?.layers;
  return planEncoder(source, { name: part.name, ...(blocks ? { blocks } : {}) }, parameters);
}

/** Values of encoders and projectors from the files their specs name; null for every other parameter. */
export interface EncoderWeights {
  readonly load: (name: string) => Promise<Float32Array | null>;
  readonly close: () => Promise<void>;
}

/** Opens every file that an encoder or a projector names. @throws InputError as `planEncoder` and `planProjector` do */
export async function openEncoders(model: Model): Promise<EncoderWeights> {
  const opened: { readonly source: WeightSource; readonly plan: EncoderPlan }[] = [];
  const close = async () => {
    for (const { source } of opened) await source.close();
  };
  for (const part of model.parts) {
    const path = weightsFile(part);
    if (path === null) continue;
    const source = await openWeights(path);
    try {
      opened.push({ source, plan: planPart(source, part, model) });
    } catch (error) {
      await source.close();
      await close();
      throw error;
    }
  }
  return {
    async load(name) {
      for (const { source, plan } of opened) {
        const read = plan.reads.get(name);
        if (read) return readEncoderParameter(source, read);
      }
      return null;
    },
    close,
  };
}

/**
 * Images for `count` sequences, laid out for the device: one file for each, or one for all.
 * @throws InputError naming the file that is no usable picture, or no features of the encoder's shape
 */
export async function readImages(
  model: Model,
  paths: readonly string[],
  count: number,
): Promise<Float32Array> {
  const input = imageInputOf(model);
  const store = openImages(input, 0);
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
