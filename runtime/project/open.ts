/** From a spec on the command line to a model with its data: what several commands begin with. */
import { createHash } from 'node:crypto';
import { totalmem } from 'node:os';
import { checkSpec, type Checked, type CheckOptions } from '../../compiler/check/check.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { scratchInit } from '../../compiler/families/sites.ts';
import type { Compiled } from '../../compiler/compile.ts';
import type { Base, Model, Recipe } from '../../compiler/model/model.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { createBatches, labelBound, sequenceLength, type Batches } from '../data/batches.ts';
import type { ImageStore } from '../data/image-store.ts';
import { imagesOf, withImages } from '../data/image-batches.ts';
import type { Dataset } from '../data/load.ts';
import type { Device } from '../device/device.ts';
import { openTokenizer, openWeights } from '../files.ts';
import type { Capacity } from '../device/fit.ts';
import { InputError } from '../input-error.ts';
import { initParameter } from '../random.ts';
import { openSession, type Session } from '../session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { type BaseParameter, planBase, readBaseParameter } from '../weights/base.ts';
import { fingerprintBase, sampleEvenly } from '../weights/fingerprint.ts';
import type { WeightSource } from '../weights/source.ts';
import { nearest } from '../../grammar/suggest.ts';
import { UsageError } from '../cli/command.ts';
import { nodeHost } from '../hosts/node-specs.ts';
import { emptyLibrary, type Library, readTaskData } from './data-cache.ts';
import { type EncoderWeights, openEncoders, type TaskImages } from './task-images.ts';
import { readBaseOption, readSettings, splitSpec } from '../cli/spec-arguments.ts';

export { loadTaskData } from './data-cache.ts';

/** A spec that checked clean, lowered. */
export interface Project {
  readonly model: Model;
  /** What `Manifest.spec` holds: every file the spec is made of, and their hash with the values of `--set`. */
  readonly spec: { readonly hash: string; readonly text: string };
}

export interface ProjectOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly base?: Base;
}

/** `--set` and `--base` of a command line. */
export const projectOptions = (values: {
  readonly set?: string[] | undefined;
  readonly base?: string | undefined;
}): ProjectOptions => ({
  params: readSettings(values.set),
  ...(values.base === undefined ? {} : { base: readBaseOption(values.base) }),
});

/**
 * Loads `SPEC` or `SPEC:ADAPTER`; warnings go to standard error.
 * @throws InputError with every diagnostic when the spec has errors
 */
export function loadProject(argument: string, options: ProjectOptions = {}): Project {
  const { path, name: adapter } = splitSpec(argument);
  const checked = loadChecked(path, options);
  const names = Object.keys(checked.adapters);
  if (names.length === 0)
    throw new InputError(`${path} declares no adapter`, 'write `adapter NAME on BASE { ... }`');
  if (adapter !== undefined && !names.includes(adapter)) {
    const near = nearest(adapter, names);
    throw new InputError(
      `${path} has no adapter \`${adapter}\``,
      near ? `did you mean \`${near}\`?` : `it has ${names.join(', ')}`,
    );
  }
  return { model: lowerModel(checked, adapter), spec: specOf(checked, options) };
}

/**
 * A spec without errors; its warnings go to `warn`, by default to standard error.
 * @throws InputError with every diagnostic when it has errors
 */
export function loadChecked(
  path: string,
  options: CheckOptions = {},
  warn: (text: string) => void = (text) => console.error(text),
): Checked {
  const checked = checkSpec(path, nodeHost, options);
  if (!checked.found) throw new InputError(`cannot read ${path}`, 'check the path of the spec');
  const shown = checked.diagnostics.map((d) => renderDiagnostic(d, checked.sources));
  const errors = checked.diagnostics.filter((d) => d.severity === 'error').length;
  if (errors > 0)
    throw new InputError(
      `${shown.join('\n\n')}\n\n${path} has ${errors} error${errors === 1 ? '' : 's'}`,
      '`graft explain CODE` says more of each',
    );
  shown.forEach(warn);
  return checked;
}

/** What of a checked spec a run's files carry. */
export function specOf(checked: Checked, options: ProjectOptions): Project['spec'] {
  const text = [...checked.sources.values()].join('\n');
  const hash = createHash('sha256')
    .update(text)
    .update(JSON.stringify(options.params ?? {}))
    .digest('hex');
  return { hash, text };
}

/** The recipe of that name, or the only one. */
export function pickRecipe(model: Model, name: string | undefined): Recipe {
  const names = model.recipes.map((recipe) => recipe.name);
  const recipe =
    name === undefined && model.recipes.length === 1
      ? model.recipes[0]
      : model.recipes.find((r) => r.name === name);
  if (recipe) return recipe;
  if (names.length === 0)
    throw new InputError(
      `no recipe is for the adapter \`${model.name}\``,
      `write \`recipe NAME for ${model.name} { ... }\``,
    );
  if (name === undefined)
    throw new UsageError(
      `\`${model.name}\` has several recipes: choose one with --recipe ${names.join(' | ')}`,
    );
  const near = nearest(name, names);
  throw new InputError(
    `\`${model.name}\` has no recipe \`${name}\``,
    near ? `did you mean \`${near}\`?` : `it has ${names.join(', ')}`,
  );
}

export async function tokenizerOf(base: Base): Promise<Tokenizer> {
  if (base.tokenizer === undefined)
    throw new InputError(
      `the base \`${base.name}\` names no tokenizer`,
      'write `tokenizer = "FILE"` in the base',
    );
  const tokenizer = await openTokenizer(base.tokenizer, base.weights);
  if (tokenizer.vocabSize <= base.vocab) return tokenizer;
  throw new InputError(
    `${base.tokenizer} has ${tokenizer.vocabSize} tokens, the base \`${base.name}\` ${base.vocab}`,
    'use the tokenizer the base was trained with, or correct `vocab`',
  );
}

export interface TaskData {
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly batches: ReadonlyMap<string, Batches>;
  /** The tasks whose batches bring images. */
  readonly images: ReadonlyMap<string, TaskImages>;
  /** Words of each sequence, by task. */
  readonly tokens: Readonly<Record<string, number>>;
  /** The most labels of a batch, for tasks where that is well below its positions. */
  readonly labels: Readonly<Record<string, number>>;
}

/** Data and batches of every task a recipe mixes. */
export async function loadRecipeData(
  model: Model,
  recipe: Recipe,
  tokenizer: Tokenizer,
  library: Library = emptyLibrary(),
): Promise<TaskData> {
  const datasets = new Map<string, Dataset>();
  const stores = new Map<string, ImageStore>();
  for (const { task: name } of recipe.mix.parts) {
    const task = model.tasks.find((t) => t.name === name);
    if (!task) throw new Error(`internal error: recipe ${recipe.name} mixes unknown task ${name}`);
    const { dataset, store } = await readTaskData(model, task, tokenizer, { library, seed: recipe.seed });
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

/** What this device can hold: a software device has the machine's memory. */
export const capacityOf = (device: Device): Capacity => ({
  limits: device.limits,
  ...(device.adapter.software ? { memory: totalmem() } : {}),
});

export interface Start {
  readonly values: (parameter: BaseParameter) => Float32Array | Promise<Float32Array>;
  /** Tells this base from others; empty when it starts from nothing. */
  readonly fingerprint: string;
  /** Closes the files of the base and of encoders; the values cannot be read any more. */
  readonly close: () => Promise<void>;
}

/**
 * Where parameters start: the base's from its file, or from nothing when `scratch`; an encoder's from the file its spec
 * names; the parts' from the seed; any of them from `initial` where it has them.
 */
export async function startOf(
  model: Model,
  seed: number,
  options: { readonly scratch?: boolean; readonly initial?: ReadonlyMap<string, Float32Array> } = {},
): Promise<Start> {
  const { base } = model;
  const fresh = (p: BaseParameter) =>
    options.initial?.get(p.name) ??
    initParameter(p.init.kind === 'weights' ? scratchInit(base, p.name) : p.init, p, seed);
  if (options.scratch) {
    const encoders = await openEncoders(model);
    const values = async (p: BaseParameter) =>
      options.initial?.get(p.name) ?? (await encoders.load(p.name)) ?? fresh(p);
    return { values, fingerprint: '', close: encoders.close };
  }
  if (base.weights === undefined)
    throw new InputError(
      `the base \`${base.name}\` names no weights`,
      'write `weights = "FILE"` in the base, or start from nothing with --scratch',
    );
  const source = await openWeights(base.weights);
  let encoders: EncoderWeights | null = null;
  const close = async () => {
    await source.close();
    await encoders?.close();
  };
  try {
    const { load, fingerprint } = await openBase(source, model);
    const opened = (encoders = await openEncoders(model));
    return {
      fingerprint,
      close,
      values: async (p) =>
        options.initial?.get(p.name) ?? (await load(p.name)) ?? (await opened.load(p.name)) ?? fresh(p),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The base's parameters in its file, each read when asked for, and what tells this base from others. */
async function openBase(
  source: WeightSource,
  { base, parameters }: Model,
): Promise<{
  readonly load: (name: string) => Promise<Float32Array | null>;
  readonly fingerprint: string;
}> {
  const plan = planBase(
    source,
    base,
    parameters.filter(({ owner }) => owner === 'base'),
  );
  const reads = new Map(plan.reads.map((read) => [read.parameter.name, read]));
  const load = async (name: string) => {
    const read = reads.get(name);
    return read ? readBaseParameter(source, base, plan, read, { checkFinite: true }) : null;
  };
  const sampled: { name: string; shape: readonly number[]; values: Float32Array }[] = [];
  for (const { parameter } of plan.reads)
    sampled.push({
      name: parameter.name,
      shape: parameter.shape,
      // Of a sample the same is taken again, so a large base is never held as a whole.
      values: sampleEvenly((await load(parameter.name)) ?? new Float32Array()),
    });
  return { load, fingerprint: await fingerprintBase(sampled) };
}

/** A compiled model on the device with its start in place; the base's file is closed. */
export async function openCompiled(device: Device, compiled: Compiled, start: Start): Promise<Session> {
  const shaders = Object.fromEntries(compiled.sources);
  try {
    return await openSession(device, { manifest: compiled.manifest, shaders }, start.values);
  } finally {
    await start.close();
  }
}
