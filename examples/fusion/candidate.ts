/** An adapter of this folder, ready to be trained and to be asked about text and pictures. */
import { fileURLToPath } from 'node:url';
import { cacheableEncoders } from '../../compiler/compile/tasks.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import type { Batches } from '../../runtime/data/batches.ts';
import type { Device } from '../../runtime/device/device.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { encodePictures } from '../../runtime/project/encoded-images.ts';
import { encodeTasks } from '../../runtime/project/encoding.ts';
import { imageInputOf } from '../../runtime/project/image-input.ts';
import { loadRecipeData } from '../../runtime/project/recipe-data.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { openTrainable, type Trainable } from '../../runtime/project/trainable.ts';
import type { Spec } from './designs.ts';
import type { Materials } from './materials.ts';

/** Sequences asked at once, and the longest question and answer of any task in tokens. */
const ASKED = 64;
const QUESTION = 24;
export const ANSWER = 12;

export interface Candidate extends Trainable {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly batches: ReadonlyMap<string, Batches>;
  readonly input: ImageInput;
  readonly materials: Materials;
}

export const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** An adapter of one of the folder's specs. */
export const modelOf = (spec: 'eye' | Spec, adapter: string): Model =>
  loadModel(nodeHost, `${here(`${spec}.adapter`)}:${adapter}`);

export interface CandidateOptions {
  readonly recipe: string;
  readonly seed: number;
  readonly scratch?: boolean;
  /** Parameters that start from these values. */
  readonly initial?: ReadonlyMap<string, Float32Array>;
}

/** Opens a model with what it takes to train it by a recipe and to ask it everything. */
export async function openCandidate(
  device: Device,
  materials: Materials,
  model: Model,
  { recipe: name, seed, scratch = false, initial = new Map() }: CandidateOptions,
): Promise<Candidate> {
  const recipe: Recipe = { ...pickRecipe(model, name), seed };
  const input = imageInputOf(model);
  const hosted = { host: nodeHost, model };
  const data = await loadRecipeData(hosted, recipe, materials.tokenizer, materials.data);
  const opened = await openTrainable(device, hosted, recipe, data, {
    scratch,
    initial,
    encoding: cacheableEncoders(model).includes(input.part) ? 'cached' : 'inline',
    more: {
      evaluation: {
        batch: ASKED,
        tokens: Object.fromEntries([...data.datasets.keys()].map((task) => [task, QUESTION])),
      },
      generation: { batch: ASKED, tokens: QUESTION, context: QUESTION + ANSWER, image: true },
    },
  });
  const { encoder, session } = opened;
  const batches = encoder
    ? await encodeTasks(
        session,
        encoder,
        data,
        async (_session, _input, store) =>
          (materials.encoded ??= await encodePictures(session, encoder, store)),
      )
    : data.batches;
  return { ...opened, model, recipe, batches, input, materials };
}
