/**
 * The second half of the compiler: from a checked model to a package that a runtime can run.
 *
 *   Model ── graph ──▶ Builder ── autodiff ──▶ Builder ── optimize ──▶ Graph ── prune, fuse ──▶ Graph
 *     one builder a program      towards each         needs the layout:                 │
 *                                task's groups        cells of parameters            memory
 *                                                                                       │
 *                         Manifest + WGSL ◀── package ── Program ◀── schedule ──────────┘
 *
 * Every step is total: what the user can get wrong was caught by `check`, except what depends on the device's limits.
 */
import { rotaryOf } from './families/rotary.ts';
import { Builder } from './graph/builder.ts';
import { prependedLength, type Source } from './build/context.ts';
import type { Graph } from './graph/graph.ts';
import { attributesOf } from './kinds/attributes.ts';
import {
  buildEncoding,
  buildEvaluation,
  buildForward,
  buildGeneration,
  buildTraining,
  type Sizes,
  type TrainingProgram,
} from './build/programs.ts';
import { verify } from './graph/verify.ts';
import { hasImage, imageInputs } from './kinds/images.ts';
import { hooksOf } from './kinds/index.ts';
import type { Model, Recipe } from './model/model.ts';
import {
  type Constant,
  type Manifest,
  PACKAGE_FORMAT,
  type Profile,
  type Program,
} from './package/package.ts';
import { fuseScale } from './passes/fuse-scale.ts';
import { fuse } from './passes/fuse.ts';
import { type Layout, layOut } from './passes/layout.ts';
import { type MemoryPlan, planMemory } from './passes/memory.ts';
import { appendAccumulation, appendOptimizer } from './passes/append-optimizer.ts';
import { prune } from './passes/prune.ts';
import { KernelTable, schedule } from './passes/schedule.ts';

/**
 * Words of each sequence, and the most labels of a batch where most positions have none, by task. For held-out losses
 * `TASK:image` stands for a text task whose examples have an image attached.
 */
export interface TaskSizes {
  readonly batch: number;
  readonly tokens: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, number>>;
}

export interface CompileOptions {
  readonly profile: Profile;
  /** The recipe whose optimizer goes into the package; needed for training. */
  readonly recipe?: Recipe;
  /** Words of each sequence, by task. Tasks that are left out get no training program. */
  readonly training?: TaskSizes;
  /** Held-out losses, by task. */
  readonly evaluation?: TaskSizes;
  /** Logits at every position. */
  readonly forward?: { readonly batch: number; readonly tokens: number; readonly image?: boolean };
  /** `tokens`: the longest prompt; `context`: prompt and answer together; `image`: also with an image. */
  readonly generation?: {
    readonly batch: number;
    readonly tokens: number;
    readonly context: number;
    readonly image?: boolean;
  };
  /** Tokens of an encoder or a projector, by the part's name. */
  readonly encoding?: { readonly part: string; readonly batch: number };
  /**
   * Training and held-out losses with an encoder that no task trains: run it in every step, or take its tokens, which
   * the host computed once by `encoding`, instead of patches. Default `inline`.
   */
  readonly frozenEncoders?: 'inline' | 'cached';
  /** Keep every layer's hidden state readable, in `forward` and training programs. */
  readonly taps?: boolean;
  readonly spec?: { readonly hash: string; readonly text: string };
}

export interface Compiled {
  readonly manifest: Manifest;
  /** WGSL by kernel name. */
  readonly sources: ReadonlyMap<string, string>;
  /** Every program's graph after all passes, for `graft build --emit`. */
  readonly graphs: readonly Graph[];
  /** Parameters a task is asked to train but whose loss does not depend on them. */
  readonly unreached: readonly { readonly task: string; readonly parameter: string }[];
  readonly plan: MemoryPlan;
}

export function compile(model: Model, options: CompileOptions): Compiled {
  const trainable = new Set(model.tasks.flatMap((task) => task.trains));
  const source: Source = { model, trainable, hooksOf, taps: options.taps ?? false };
  const training = buildTrainings(source, options);
  // Without training programs the layout still follows the tasks, so that one checkpoint fits every package.
  const reached = new Map(
    model.tasks.map((task) => [
      task.name,
      training.find((t) => t.task === task)?.reached ?? new Set(task.trains),
    ]),
  );
  const layout = layOut(model, reached);
  const graphs = [...finishTraining(training, layout, options), ...others(source, options)].map((g) =>
    finish(g.graph()),
  );
  const plan = planMemory(graphs, layout);
  const kernels = new KernelTable();
  const programs = graphs.map((graph, index) =>
    schedule(index, { graph, keys: keysOf(graph) }, plan, options.profile, kernels),
  );
  return {
    manifest: manifest(source, options, layout, plan, programs, kernels, constants(model, graphs, plan)),
    sources: kernels.sources,
    graphs,
    unreached: training.flatMap((t) =>
      t.task.trains
        .filter((name) => !t.reached.has(name))
        .map((parameter) => ({ task: t.task.name, parameter })),
    ),
    plan,
  };
}

function sizesOf(
  sizes: TaskSizes | undefined,
  model: Model,
  task: string,
  tokens: number,
  { frozenEncoders }: CompileOptions,
): Sizes {
  const labels = sizes?.labels?.[task];
  const image = task.endsWith(':image') ? hasImage(model) : showsImages(model, task);
  return {
    batch: sizes?.batch ?? 1,
    tokens,
    image,
    ...(labels === undefined ? {} : { labels }),
    ...(image && frozenEncoders === 'cached' ? { cached: new Set(cacheableEncoders(model)) } : {}),
  };
}

/** Encoders of pictures whose tokens never change: no task trains them, and they see the same of a picture each time. */
export function cacheableEncoders(model: Model): string[] {
  const trained = new Set(model.tasks.flatMap((task) => task.trains));
  const moving = new Set(model.parameters.filter((p) => trained.has(p.name)).map((p) => p.owner));
  return imageInputs(model)
    .filter(({ part, pixels }) => pixels !== null && !pixels.crop && !moving.has(part))
    .map(({ part }) => part);
}

/** Whether the examples of a task come with images, and the model has somewhere to put them. */
export function showsImages(model: Model, task: string): boolean {
  const data = model.tasks.find((t) => t.name === task)?.data;
  return (
    hasImage(model) && model.data.some((source) => source.name === data && source.format === 'image_text')
  );
}

const finish = (graph: Graph): Graph => verify(fuse(fuseScale(prune(verify(graph)))));

function buildTrainings(source: Source, options: CompileOptions): TrainingProgram[] {
  const { training } = options;
  const { model } = source;
  if (!training) return [];
  return model.tasks.flatMap((task) => {
    const tokens = training.tokens[task.name];
    return tokens === undefined
      ? []
      : [buildTraining(source, task, sizesOf(training, model, task.name, tokens, options))];
  });
}

/** Adds the optimizer; with accumulation it is a program of its own, run once for several micro-batches. */
function finishTraining(
  trainings: readonly TrainingProgram[],
  layout: Layout,
  { recipe }: CompileOptions,
): Builder[] {
  return trainings.flatMap(({ g, task }) => {
    if (!recipe) return [g];
    const active = layout.cells.flatMap((cell, index) => (cell.tasks.includes(task.name) ? [index] : []));
    if (recipe.accumulate === 1) {
      appendOptimizer(g, layout.cells, active, recipe, 'gradients');
      return [g];
    }
    appendAccumulation(g, layout.cells, active);
    const update = new Builder(`update:${task.name}`, g.batch, g.tokens);
    appendOptimizer(update, layout.cells, active, recipe, 'accumulated');
    return [g, update];
  });
}

function others(source: Source, options: CompileOptions): Builder[] {
  const { model } = source;
  const { evaluation, forward, generation } = options;
  const losses = Object.entries(evaluation?.tokens ?? {}).map(([task, tokens]) =>
    buildEvaluation(source, task, sizesOf(evaluation, model, task, tokens, options)),
  );
  const logits = forward ? [buildForward(source, forward)] : [];
  const { encoding } = options;
  if (encoding) logits.push(buildEncoding(source, encoding.part, encoding.batch));
  if (!generation) return [...losses, ...logits];
  const context = generation.context + prependedLength(source, generation.image === true);
  const sizes = { ...generation, context, keys: keyCounts(context) };
  const text = buildGeneration(source, { ...sizes, image: false });
  const shown = generation.image ? buildGeneration(source, { ...sizes, image: true }) : [];
  return [...losses, ...logits, ...text, ...shown];
}

/** A decoding step looks at the fewest keys that suffice; doubling keeps the number of programs small. */
function keyCounts(context: number): number[] {
  const counts: number[] = [];
  for (let keys = 64; keys < context; keys *= 2) counts.push(keys);
  return [...counts, context];
}

const keysOf = (graph: Graph): number => Number(/^decode:(\d+)/.exec(graph.name)?.[1] ?? 0);

function constants(model: Model, graphs: readonly Graph[], plan: MemoryPlan): Constant[] {
  const made = new Map<string, Constant>();
  graphs.forEach((graph, index) => {
    for (const t of graph.tensors) {
      const slice = plan.slices[index]?.get(t.id);
      if (t.home !== 'constants' || !slice || made.has(t.name)) continue;
      const [, cell, from] = /^blocks\.(\d+)\.(\d+)$/.exec(t.name) ?? [];
      made.set(
        t.name,
        cell === undefined
          ? { kind: 'rope', slice, positions: t.rows, ...rotaryOf(model.base) }
          : { kind: 'blocks', slice, cell: Number(cell), from: Number(from) },
      );
    }
  });
  return [...made.values()];
}

function manifest(
  source: Source,
  options: CompileOptions,
  layout: Layout,
  plan: MemoryPlan,
  programs: Program[],
  kernels: KernelTable,
  made: Constant[],
): Manifest {
  const { model } = source;
  const tasks = model.tasks.map((task) => ({
    name: task.name,
    data: task.data,
    cells: layout.cells.flatMap((cell, index) => (cell.tasks.includes(task.name) ? [index] : [])),
    fields: task.fields,
  }));
  return {
    format: PACKAGE_FORMAT,
    name: model.name,
    base: model.base,
    profile: options.profile,
    spec: options.spec ?? { hash: '', text: '' },
    attributes: attributesOf(model),
    parameters: layout.parameters,
    cells: layout.cells,
    groups: model.groups,
    tasks,
    data: model.data,
    recipe: options.recipe ?? null,
    ...(hasImage(model) ? { images: imageInputs(model) } : {}),
    ...(model.experts.length > 0 ? { experts: model.experts } : {}),
    buffers: plan.sizes,
    constants: made,
    context: options.generation
      ? options.generation.context + prependedLength(source, options.generation.image === true)
      : 0,
    memory: { peak: plan.peak, sum: plan.sum },
    kernels: kernels.entries,
    programs,
  };
}
