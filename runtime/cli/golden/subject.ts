/** The spec a golden case goes through, with the base's dimensions and the trained names from its config. */
import { fileURLToPath } from 'node:url';
import type { Base, Model, Recipe } from '../../../compiler/model/model.ts';
import { officialKeys, type ForeignTensor, type OfficialFamily } from '../../weights/official.ts';
import { loadProject } from '../project.ts';
import type { GoldenConfig, Tensors } from './case.ts';

export interface Subject {
  readonly model: Model;
  readonly recipe: Recipe;
  /** Our parameter -> where it lies in the case's files. */
  readonly keys: ReadonlyMap<string, ForeignTensor>;
  /** The spec, for the report. */
  readonly spec: string;
}

/** The task that trains what the case trains, and the one for its further gradients. */
export const TASK = 'golden';
export const EXTRA = 'extra';

interface Choice {
  readonly spec: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Null: no spec can express the case yet. */
function chooseSpec(c: GoldenConfig): Choice | null {
  const length = c.adapter_len ?? c.query_len ?? 0;
  const layers = c.adapter_layer ?? c.query_layer ?? 0;
  const params = { late: `last ${layers}`, length: String(length) };
  switch (c.family) {
    case 'chat65b':
      if (!c.add_bias && !c.add_scale)
        return length * layers === 0
          ? { spec: 'llama.adapter:Llama', params: {} }
          : { spec: 'llama-adapter-v1.adapter:LlamaAdapterV1', params };
      if (!c.add_bias || !c.add_scale) return null;
      return length * layers === 0
        ? { spec: 'v2-chat65b.adapter:V2Chat', params: {} }
        : { spec: 'v2-chat65b.adapter:V2ChatPrompted', params };
    case 'v1':
      return { spec: 'llama-adapter-v1.adapter:LlamaAdapterV1', params };
    case 'mm7b':
      return c.no_image && c.phase === 'finetune' ? { spec: 'v2-released.adapter:V2Released', params } : null;
    default:
      return null;
  }
}

export const baseOf = (c: GoldenConfig): Base => ({
  name: 'golden',
  family: 'llama',
  layers: c.n_layers,
  dim: c.dim,
  heads: c.n_heads,
  kvHeads: c.n_kv_heads ?? c.n_heads,
  headDim: c.dim / c.n_heads,
  ffn: c.ffn_hidden,
  vocab: c.vocab_size,
  context: c.max_seq_len,
  normEps: c.norm_eps,
  rope: { style: 'interleaved', theta: c.rope_theta },
  tied: false,
});

/** The model of a case; `extra` are names of further tensors whose gradients the case holds. */
export function subjectOf(config: GoldenConfig, extra: ReadonlySet<string>): Subject | null {
  const choice = chooseSpec(config);
  if (!choice) return null;
  const path = fileURLToPath(new URL(`../../../specs/${choice.spec}`, import.meta.url));
  const { model } = loadProject(path, { base: baseOf(config), params: choice.params });
  const keys = officialKeys(model, config.family as OfficialFamily);
  const named = (wanted: ReadonlySet<string>) =>
    model.parameters.filter((p) => wanted.has(keys.get(p.name)?.name ?? '')).map((p) => p.name);
  const span = { file: choice.spec, start: 0, end: 0 };
  const task = (name: string, trains: readonly string[]) => ({
    name,
    data: '',
    trains,
    groups: [],
    fields: {},
    span,
  });
  const trained = named(new Set(config.trainable));
  const tasks = [
    task(TASK, trained),
    ...(extra.size > 0 ? [task(EXTRA, [...trained, ...named(extra)])] : []),
  ];
  return { model: { ...model, tasks }, recipe: recipeOf(config), keys, spec: choice.spec };
}

/** Constant learning rate, no clipping, as the cases were made. */
export function recipeOf({ optim }: GoldenConfig): Recipe {
  return {
    name: TASK,
    mix: { kind: 'alternate', parts: [{ task: TASK, count: 1 }] },
    optimizer: { lr: optim.lr, betas: optim.betas, eps: optim.eps, weightDecay: optim.weight_decay },
    schedule: { kind: 'constant', warmup: { value: 0, unit: 'steps' }, floor: 0 },
    epochs: null,
    steps: 5,
    batch: 1,
    accumulate: 1,
    clip: null,
    seed: 0,
    span: { file: '', start: 0, end: 0 },
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
