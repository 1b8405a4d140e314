/** An adapter of this folder, ready to be trained and to be asked about text and pictures. */
import { fileURLToPath } from 'node:url';
import { compile } from '../../compiler/compile.ts';
import { cacheableEncoders, showsImages } from '../../compiler/compile/tasks.ts';
import { imageInputs } from '../../compiler/kinds/images.ts';
import type { Model, Recipe } from '../../compiler/model/model.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import { loadProject, openCompiled, pickRecipe, startOf } from '../../runtime/project/open.ts';
import { type Batches, createBatches, labelBound, sequenceLength } from '../../runtime/data/batches.ts';
import type { Dataset } from '../../runtime/data/load.ts';
import { encodePictures, tokensOf } from '../../runtime/project/encoded-images.ts';
import { imagesOf, withImages } from '../../runtime/data/image-batches.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Session } from '../../runtime/session.ts';
import { makeTrainer, type Trainer } from '../../runtime/train/trainer.ts';
import type { Spec } from './designs.ts';
import type { Workshop } from './workshop.ts';

/** Sequences asked at once, and the longest question and answer of any task in tokens. */
export const ASKED = 64;
const QUESTION = 24;
export const ANSWER = 12;

export interface Lab {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly session: Session;
  readonly trainer: Trainer;
  readonly batches: ReadonlyMap<string, Batches>;
  readonly input: ImageInput;
  /** Whether training and losses take the encoder's tokens, computed once, for pictures. */
  readonly cached: boolean;
  readonly workshop: Workshop;
}

export const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** An adapter of one of the folder's specs. */
export const modelOf = (spec: 'eye' | Spec, adapter: string): Model =>
  loadProject(`${here(`${spec}.adapter`)}:${adapter}`).model;

export interface LabOptions {
  readonly recipe: string;
  readonly seed: number;
  readonly scratch?: boolean;
  /** Parameters that start from these values. */
  readonly initial?: ReadonlyMap<string, Float32Array>;
}

/** Compiles a model with what it takes to train it by a recipe and to ask it everything. */
export async function openLab(
  device: Device,
  workshop: Workshop,
  model: Model,
  { recipe: name, seed, scratch = false, initial = new Map() }: LabOptions,
): Promise<Lab> {
  const recipe: Recipe = { ...pickRecipe(model, name), seed };
  const [input] = imageInputs(model);
  if (!input) throw new Error(`${model.name} looks at no image`);
  const datasets = await dataOf(workshop, model, recipe);
  const { batch } = recipe;
  const cached = cacheableEncoders(model).includes(input.part);
  const tokens = mapped(datasets, (data) => sequenceLength(data, model.base.context));
  const bounds = [...datasets].flatMap(([task, data]) => {
    const bound = labelBound(data, batch, tokens[task] ?? 0);
    return bound === undefined ? [] : [[task, bound] as const];
  });
  const compiled = compile(model, {
    profile: device.profile,
    recipe,
    training: { batch, tokens, labels: Object.fromEntries(bounds) },
    evaluation: { batch: ASKED, tokens: mapped(datasets, () => QUESTION) },
    generation: { batch: ASKED, tokens: QUESTION, context: QUESTION + ANSWER, image: true },
    ...(cached ? { frozenEncoders: 'cached', encoding: { part: input.part, batch: ASKED } } : {}),
  });
  const session = await openCompiled(device, compiled, await startOf(model, seed, { scratch, initial }));
  if (cached) workshop.encoded ??= await encodePictures(session, input, workshop.store);
  const batches = new Map<string, Batches>();
  for (const [task, data] of datasets) {
    const plain = createBatches(data, { batch, seed, context: model.base.context });
    batches.set(task, showsImages(model, task) ? withPictures(plain, data, workshop, cached) : plain);
  }
  return { model, recipe, session, trainer: makeTrainer(session), batches, input, cached, workshop };
}

async function dataOf(workshop: Workshop, model: Model, recipe: Recipe): Promise<Map<string, Dataset>> {
  const datasets = new Map<string, Dataset>();
  for (const { task: name } of recipe.mix.parts) {
    const task = model.tasks.find((t) => t.name === name);
    if (task) datasets.set(name, await workshop.dataOf(model, task));
  }
  return datasets;
}

const mapped = <T>(datasets: ReadonlyMap<string, Dataset>, of: (data: Dataset) => T): Record<string, T> =>
  Object.fromEntries([...datasets].map(([name, data]) => [name, of(data)]));

function withPictures(plain: Batches, data: Dataset, workshop: Workshop, cached: boolean): Batches {
  const { encoded, store } = workshop;
  return withImages(plain, cached && encoded ? tokensOf(data, encoded) : imagesOf(data, store));
}
