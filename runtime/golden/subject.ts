/** The spec a golden case goes through, with the base's dimensions and the trained names from its config. */
import { join } from 'node:path';
import type { Base, Model, Task } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { officialKeys } from '../weights/llama-adapter.ts';
import type { ForeignTensor } from '../weights/source.ts';
import { nodeSpecHost } from '../hosts/node-specs.ts';
import { loadModel } from '../project/spec.ts';
import { projectRoot } from '../setup/drivers.mjs';
import type { GoldenConfig, Tensors } from './case.ts';
import { chooseSpec } from './choose.ts';
import { requireTensors } from './tensors.ts';

export interface Subject {
  readonly model: Model;
  readonly recipe: Recipe;
  /** Our parameter -> where it lies in the case's files. */
  readonly keys: ReadonlyMap<string, ForeignTensor>;
}

/** The task that trains what the case trains, and the one for its further gradients. */
export const TASK = 'golden';
export const EXTRA = 'extra';

export const baseOf = (c: GoldenConfig): Base => ({
  name: 'golden',
  family: 'llama',
  layers: c.n_layers,
  dim: c.dim,
  heads: c.n_heads,
  kvHeads: c.n_kv_heads ?? c.n_heads,
  headDim: c.head_dim ?? c.dim / c.n_heads,
  ffn: c.ffn_hidden,
  vocab: c.vocab_size,
  context: c.max_seq_len,
  normEps: c.norm_eps,
  rope: { style: 'interleaved', theta: c.rope_theta },
  tied: false,
});

/** The path of `FILE:ADAPTER` in the method library. */
export const specPath = (spec: string): string => join(projectRoot(), 'specs', spec);

/** A spec of the library on the base of a case, before its tasks are replaced. */
export interface Expressed {
  readonly model: Model;
  readonly keys: Subject['keys'];
}

/** @throws InputError when no spec expresses the case, or its tensors are not those of the spec */
export function expressCase(config: GoldenConfig, weights: Tensors): Expressed {
  const { spec, params, format } = chooseSpec(config, weights);
  const model = loadModel(nodeSpecHost, specPath(spec), { base: baseOf(config), params });
  const keys = officialKeys(model, format);
  requireTensors(model, keys, weights, config);
  return { model, keys };
}

const span = { file: '', start: 0, end: 0 };
/** Data of the tasks below: with it a task's sequences come with images. */
const IMAGES = 'pairs';

export const goldenTask = (name: string, trains: readonly string[], image: boolean): Task => ({
  name,
  data: image ? IMAGES : '',
  trains,
  groups: [],
  fields: {},
  span,
});

/** Our names of parameters the case calls by these names. */
export const oursOf = (model: Model, keys: Subject['keys'], wanted: ReadonlySet<string>): string[] =>
  model.parameters.filter((p) => wanted.has(keys.get(p.name)?.name ?? '')).map((p) => p.name);

/** The subject of a case; `extra` are names of further tensors whose gradients the case holds. */
export function subjectOf(
  { model, keys }: Expressed,
  config: GoldenConfig,
  extra: ReadonlySet<string>,
  image: boolean,
): Subject {
  const trained = oursOf(model, keys, new Set(config.trainable));
  const further =
    extra.size > 0 ? [goldenTask(EXTRA, [...trained, ...oursOf(model, keys, extra)], image)] : [];
  const tasks = [goldenTask(TASK, trained, image), ...further];
  return { model: withImages({ ...model, tasks }), recipe: recipeOf(config), keys };
}

/** The source that makes a task show images, whatever the spec calls its own. */
export const withImages = (model: Model): Model => ({
  ...model,
  data: [{ name: IMAGES, format: 'image_text', paths: [], fields: {}, span }],
});

export const recipeOf = ({ optim }: GoldenConfig): Recipe =>
  recipeWith({ lr: optim.lr, betas: optim.betas, eps: optim.eps, weightDecay: optim.weight_decay }, TASK);

/** Constant learning rate, no clipping, the mean of micro-batches' means, as the cases were made. */
export function recipeWith(optimizer: Recipe['optimizer'], task: string): Recipe {
  return {
    name: TASK,
    mix: { kind: 'alternate', parts: [{ task, count: 1 }] },
    optimizer,
    schedule: { kind: 'constant', warmup: { value: 0, unit: 'steps' }, floor: 0 },
    epochs: null,
    steps: 5,
    batch: 1,
    accumulate: 1,
    average: 'batches',
    clip: null,
    seed: 0,
    span,
  };
}

/** The values a file of the case holds for one of our parameters; null when it has none. */
export function valuesOf(
  keys: Subject['keys'],
  tensors: Tensors,
  name: string,
  prefix = '',
): Float32Array | null {
  const key = keys.get(name);
  const tensor = key && tensors.get(prefix + key.name);
  if (!key || !tensor) return null;
  if (!key.rows) return tensor.values;
  const width = tensor.values.length / (tensor.shape[0] ?? 1);
  return tensor.values.slice(key.rows[0] * width, key.rows[1] * width);
}
