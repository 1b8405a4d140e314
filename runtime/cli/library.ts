/** The data of tasks as their specs want it read; for runs that follow each other in one process, each once. */
import { shapeOf } from '../../compiler/check/data.ts';
import type { DataSource, Model, Task } from '../../compiler/model/model.ts';
import { type Dataset, loadData } from '../data/load.ts';
import type { PictureStore } from '../data/pictures.ts';
import { rulesFor } from '../data/rules.ts';
import { dataHost } from '../files.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { storeFor } from './pictures.ts';

/**
 * The data of one task as the spec wants it read, or another source of the same kind; its pictures go into `pictures`, if
 * there are any.
 */
export async function loadTaskData(
  model: Model,
  task: Task,
  tokenizer: Tokenizer,
  pictures?: PictureStore | null,
  data = task.data,
): Promise<Dataset> {
  const source = sourceNamed(model, data);
  const limit = task.fields['max_tokens'];
  const context = Math.min(model.base.context, typeof limit === 'number' ? limit : Infinity);
  return loadData(source, {
    host: dataHost('.'),
    tokenizer,
    context,
    vocab: model.base.vocab,
    ...rulesFor(task.fields, shapeOf(source) === 'text', tokenizer),
    ...(pictures ? { pictures } : {}),
  });
}

/** A data source of the model. */
export function sourceNamed({ data }: Model, name: string): DataSource {
  const source = data.find((d) => d.name === name);
  if (!source) throw new Error(`internal error: the model has no data ${name}`);
  return source;
}

/** Data that was read before, for runs that follow each other in one process. */
export interface Library {
  readonly datasets: Map<string, Dataset>;
  readonly stores: Map<string, PictureStore>;
}

export const emptyLibrary = (): Library => ({ datasets: new Map(), stores: new Map() });

/** As `loadTaskData`, once for all tasks that read the same in the same way. */
export async function readTaskData(
  model: Model,
  task: Task,
  tokenizer: Tokenizer,
  { datasets, stores }: Library,
  name = task.data,
): Promise<{ readonly dataset: Dataset; readonly store: PictureStore | null }> {
  const source = sourceNamed(model, name);
  const store = storeFor(model, task, stores, source);
  const { tokenizer: file, context, vocab } = model.base;
  const { format, paths } = source;
  const key = JSON.stringify([format, paths, name, task.fields, file, context, vocab, store?.rules]);
  const dataset = datasets.get(key) ?? (await loadTaskData(model, task, tokenizer, store, name));
  datasets.set(key, dataset);
  return { dataset, store };
}
