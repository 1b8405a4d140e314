/** The data of tasks as their specs want it read; for runs that follow each other in one process, each once. */
import { shapeOf } from '../../compiler/check/data.ts';
import { invariant } from '../../grammar/invariant.ts';
import type { DataSource, Model, Task } from '../../compiler/model/model.ts';
import type { ImageStore } from '../data/image-store.ts';
import { type Dataset, loadData } from '../data/load.ts';
import { rulesFor } from '../data/rules.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { storeFor } from './image-input.ts';
import type { HostedModel } from './spec.ts';

/**
 * The data of one task as the spec wants it read, or another source of the same kind; its pictures go into `pictures`, if
 * there are any.
 */
async function loadTaskData(
  { host, model }: HostedModel,
  task: Task,
  tokenizer: Tokenizer,
  pictures?: ImageStore | null,
  data = task.data,
): Promise<Dataset> {
  const source = sourceNamed(model, data);
  const limit = task.fields['max_tokens'];
  const context = Math.min(model.base.context, typeof limit === 'number' ? limit : Infinity);
  return loadData(source, {
    host,
    context,
    vocab: model.base.vocab,
    ...rulesFor(task.fields, shapeOf(source) === 'text', tokenizer),
    ...(pictures ? { pictures } : {}),
  });
}

/** A data source of the model. */
export function sourceNamed({ data }: Model, name: string): DataSource {
  const source = data.find((d) => d.name === name);
  invariant(source, `the model has no data ${name}`);
  return source;
}

/** Data that was read before, for runs that follow each other in one process. */
export interface DataCache {
  readonly datasets: Map<string, Dataset>;
  readonly stores: Map<string, ImageStore>;
}

export const emptyCache = (): DataCache => ({ datasets: new Map(), stores: new Map() });

export interface ReadOptions {
  readonly cache: DataCache;
  /** Of what is drawn when training sees images. */
  readonly seed: number;
  /** The source to read; default the task's own. */
  readonly data?: string;
}

/** As `loadTaskData`, once for all tasks that read the same in the same way. */
export async function readTaskData(
  hosted: HostedModel,
  task: Task,
  tokenizer: Tokenizer,
  { cache: { datasets, stores }, seed, data = task.data }: ReadOptions,
): Promise<{ readonly dataset: Dataset; readonly store: ImageStore | null }> {
  const { model } = hosted;
  const source = sourceNamed(model, data);
  const images = storeFor(hosted, task, stores, source, seed);
  const { tokenizer: file, context, vocab } = model.base;
  const { format, paths } = source;
  const key = JSON.stringify([format, paths, data, task.fields, file, context, vocab, images?.key]);
  const store = images?.store ?? null;
  const dataset = datasets.get(key) ?? (await loadTaskData(hosted, task, tokenizer, store, data));
  datasets.set(key, dataset);
  return { dataset, store };
}
