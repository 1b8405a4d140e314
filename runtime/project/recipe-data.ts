/** The data of every task that a recipe mixes, as batches. */
import { invariant } from '../../grammar/invariant.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { type Batches, createBatches, labelBound, sequenceLength } from '../data/batches.ts';
import { imagesOf, withImages } from '../data/image-batches.ts';
import type { ImageStore } from '../data/image-store.ts';
import type { Dataset } from '../data/load.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { HostedModel } from './spec.ts';
import { type DataCache, emptyCache, readTaskData } from './task-data.ts';

/** A task that shows images: its pictures, and its batches without them. */
export interface TaskImages {
  readonly dataset: Dataset;
  readonly store: ImageStore;
  readonly plain: Batches;
}

export interface RecipeData {
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly batches: ReadonlyMap<string, Batches>;
  /** The tasks whose batches bring images. */
  readonly images: ReadonlyMap<string, TaskImages>;
  /** Words of each sequence, by task. */
  readonly tokens: Readonly<Record<string, number>>;
  /** The most labels of a batch, for tasks where that is well below its positions. */
  readonly labels: Readonly<Record<string, number>>;
}

/** Data and batches of every task a recipe mixes. @throws InputError as loading data does */
export async function loadRecipeData(
  hosted: HostedModel,
  recipe: Recipe,
  tokenizer: Tokenizer,
  cache: DataCache = emptyCache(),
): Promise<RecipeData> {
  const { model } = hosted;
  const datasets = new Map<string, Dataset>();
  const stores = new Map<string, ImageStore>();
  for (const { task: name } of recipe.mix.parts) {
    const task = model.tasks.find((t) => t.name === name);
    invariant(task, `recipe ${recipe.name} mixes unknown task ${name}`);
    const { dataset, store } = await readTaskData(hosted, task, tokenizer, { cache, seed: recipe.seed });
    if (store) stores.set(name, store);
    datasets.set(name, dataset);
  }
  const { batch, seed } = recipe;
  const images = new Map<string, TaskImages>();
  const batches = new Map<string, Batches>();
  for (const [name, dataset] of datasets) {
    const plain = createBatches(dataset, { batch, seed, context: model.base.context });
    const store = stores.get(name);
    if (store) images.set(name, { dataset, store, plain });
    batches.set(name, store ? withImages(plain, imagesOf(dataset, store)) : plain);
  }
  const tokens = Object.fromEntries(
    [...datasets].map(([name, data]) => [name, sequenceLength(data, model.base.context)]),
  );
  const bounds = [...datasets].flatMap(([name, data]) => {
    const bound = labelBound(data, batch, tokens[name] ?? 0);
    return bound === undefined ? [] : [[name, bound] as const];
  });
  return { datasets, batches, images, tokens, labels: Object.fromEntries(bounds) };
}
