/** Which programs a package has: the graphs that the options ask for, before anything is differentiated. */
import { invariant } from '../../grammar/invariant.ts';
import { prependedLength, type Source } from '../build/context.ts';
import {
  buildEncoding,
  buildEvaluation,
  buildForward,
  buildGeneration,
  buildTraining,
  type Sizes,
} from '../build/programs.ts';
import type { Builder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { hasImage } from '../kinds/images.ts';
import type { Model, Task } from '../model/model.ts';
import type { CompileOptions, TaskSizes } from './options.ts';
import { cacheableEncoders, showsImages } from './tasks.ts';

/** Training programs in the order of the tasks, then held-out losses, logits, encoders and generation. */
export const buildPrograms = (source: Source, options: CompileOptions): Graph[] =>
  [
    ...trainings(source, options),
    ...losses(source, options),
    ...logits(source, options),
    ...generations(source, options),
  ].map((g) => g.graph());

function trainings(source: Source, options: CompileOptions): Builder[] {
  const { training } = options;
  if (!training) return [];
  const { model } = source;
  return model.tasks.flatMap((task) => {
    const tokens = training.tokens[task.name];
    if (tokens === undefined) return [];
    const image = showsImages(model, task.name);
    return [buildTraining(source, task, sizesOf(source, training, task, tokens, image, options))];
  });
}

function losses(source: Source, options: CompileOptions): Builder[] {
  const { evaluation } = options;
  if (!evaluation) return [];
  const { model } = source;
  const own = Object.entries(evaluation.tokens).map(([name, tokens]) => {
    const [task, image] = [taskNamed(model, name), showsImages(model, name)];
    return buildEvaluation(source, task, sizesOf(source, evaluation, task, tokens, image, options));
  });
  const attached = Object.entries(evaluation.attached ?? {}).map(([name, tokens]) => {
    const task = taskNamed(model, name);
    const sizes = sizesOf(source, evaluation, task, tokens, hasImage(model), options);
    return buildEvaluation(source, task, sizes, true);
  });
  return [...own, ...attached];
}

function taskNamed(model: Model, name: string): Task {
  const task = model.tasks.find((t) => t.name === name);
  invariant(task, `no task ${name}`);
  return task;
}

function sizesOf(
  { model }: Source,
  { batch, labels }: TaskSizes,
  task: Task,
  tokens: number,
  image: boolean,
  { frozenEncoders }: CompileOptions,
): Sizes {
  const most = labels?.[task.name];
  return {
    batch,
    tokens,
    image,
    ...(most === undefined ? {} : { labels: most }),
    ...(image && frozenEncoders === 'cached' ? { cached: new Set(cacheableEncoders(model)) } : {}),
  };
}

const logits = (source: Source, { forward, encoding }: CompileOptions): Builder[] => [
  ...(forward ? [buildForward(source, forward)] : []),
  ...(encoding ? [buildEncoding(source, encoding.part, encoding.batch)] : []),
];

function generations(source: Source, options: CompileOptions): Builder[] {
  const { generation } = options;
  if (!generation) return [];
  const context = cacheRows(source, options);
  const sizes = { ...generation, context, keys: keyCounts(context) };
  const text = buildGeneration(source, { ...sizes, image: false });
  return generation.image ? [...text, ...buildGeneration(source, { ...sizes, image: true })] : text;
}

/** Rows of the key-value cache for each sequence, prepended vectors included; 0 without generation. */
export const cacheRows = (source: Source, { generation }: CompileOptions): number =>
  generation ? generation.context + prependedLength(source, generation.image === true) : 0;

/** A decoding step looks at the fewest keys that suffice; doubling keeps the number of programs small. */
function keyCounts(context: number): number[] {
  const counts: number[] = [];
  for (let keys = 64; keys < context; keys *= 2) counts.push(keys);
  return [...counts, context];
}
