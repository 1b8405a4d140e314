/** Where a frozen encoder runs while its model is trained: in every step, or once for each picture before the first. */
import { cacheableEncoders } from '../../compiler/compile/tasks.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import type { Batches } from '../data/batches.ts';
import { withImages } from '../data/image-batches.ts';
import type { ImageStore } from '../data/image-store.ts';
import { mib } from '../device/buffers.ts';
import { InputError } from '../input-error.ts';
import type { Session } from '../session.ts';
import { horizonOf, stepsPerEpoch } from '../train/learning-rate.ts';
import { type EncodedPictures, encodePictures, tokenBytes, tokensOf } from './encoded-images.ts';
import { imageInputOf } from './image-input.ts';
import type { TaskImages } from './recipe-data.ts';

/** Encoders' tokens that may be kept in memory for a whole run. */
const MOST_TOKENS = 2 ** 30;

/** The batches of a recipe's tasks, and those of them that bring images. */
export interface ShownData {
  readonly batches: ReadonlyMap<string, Batches>;
  readonly images: ReadonlyMap<string, TaskImages>;
}

/** Where an encoder runs: in every step, once before the first, or whichever is less work. */
export type Encoding = 'inline' | 'cached' | 'auto';

/** The encoder whose tokens are to be computed once; null: it runs in every step. */
export function chooseEncoding(
  model: Model,
  recipe: Recipe,
  data: ShownData,
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
function looks(recipe: Recipe, data: ShownData): number {
  const { total } = horizonOf(recipe, stepsPerEpoch({ recipe, data: data.batches }));
  const all = recipe.mix.parts.reduce((sum, { count }) => sum + count, 0);
  const shown = recipe.mix.parts.reduce(
    (sum, { task, count }) => sum + (data.images.has(task) ? count : 0),
    0,
  );
  return (total * shown * recipe.batch * recipe.accumulate) / all;
}

/** Every task's batches, with the encoder's tokens where there are images. */
export async function encodeTasks(
  session: Session,
  input: ImageInput,
  { batches, images }: ShownData,
  encode: (
    session: Session,
    input: ImageInput,
    store: ImageStore,
  ) => Promise<EncodedPictures> = encodePictures,
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

/** Makes the tokens of every image of a store, and tells `warn` what that took. */
export const encodeStore =
  (warn: (text: string) => void) =>
  async (session: Session, input: ImageInput, store: ImageStore): Promise<EncodedPictures> => {
    const started = performance.now();
    const encoded = await encodePictures(session, input, store);
    const seconds = (performance.now() - started) / 1000;
    warn(
      `${input.part}: tokens of ${store.count} pictures computed once: ${mib(encoded.bytes)} MiB, ${seconds.toFixed(1)} s`,
    );
    return encoded;
  };
