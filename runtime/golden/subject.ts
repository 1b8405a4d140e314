/** The spec a golden case goes through, with the base's dimensions and the trained names from its config. */
import { join } from 'node:path';
import type { Base, Model, Recipe, Task } from '../../compiler/model/model.ts';
import { type ForeignTensor, type OfficialFamily, officialKeys } from '../weights/llama-adapter.ts';
import { loadProject } from '../project/open.ts';
import { projectRoot } from '../setup/drivers.mjs';
import type { ClipConfig, GoldenConfig, Tensors } from './case.ts';

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
  readonly family: OfficialFamily;
}

const list = (layers: readonly number[] = []): string => `[${layers.join(', ')}]`;

/** An encoder of these sizes, as a value of the param `eye`. */
export const eye = (c: ClipConfig): string =>
  `vit(resolution: ${c.input_resolution}, patch: ${c.patch_size}, width: ${c.width}, layers: ${c.layers}, heads: ${c.heads}, output: ${c.output_dim})`;

/** Null: no spec can express the case yet. */
function chooseSpec(c: GoldenConfig): Choice | null {
  switch (c.family) {
    case 'chat65b':
    case 'v1':
      return chooseText(c, c.family);
    case 'mm7b':
      return chooseReleased(c);
    case 'imb': {
      const params = {
        late: `last ${c.query_layer ?? 0}`,
        features: String(c.ib_dim),
        hidden: String(4 * c.dim),
        rank: String(c.lora_rank ?? 16),
      };
      return { spec: 'imagebind-llm.adapter:ImageBind', params, family: 'imb' };
    }
    case 'paper_v2':
      return c.clip ? { ...chooseFusion(c, c.clip), family: 'mm7b' } : null;
    default:
      return null;
  }
}

function chooseText(c: GoldenConfig, family: 'chat65b' | 'v1'): Choice | null {
  const prompted = (c.adapter_len ?? 0) * (c.adapter_layer ?? 0) > 0;
  const params = prompted ? { late: `last ${c.adapter_layer}`, length: String(c.adapter_len) } : {};
  const of = (spec: string): Choice => ({ spec, params, family });
  if (family === 'v1') return of('llama-adapter-v1.adapter:LlamaAdapterV1');
  if (!c.add_bias && !c.add_scale)
    return of(prompted ? 'llama-adapter-v1.adapter:LlamaAdapterV1' : 'llama.adapter:Llama');
  if (!c.add_bias || !c.add_scale) return null;
  return of(`v2-chat65b.adapter:${prompted ? 'V2ChatPrompted' : 'V2Chat'}`);
}

function chooseReleased(c: GoldenConfig): Choice {
  const params = { late: `last ${c.query_layer ?? 0}`, length: String(c.query_len ?? 0) };
  if (c.no_image || !c.clip) return { spec: 'v2-released.adapter:V2Released', params, family: 'mm7b' };
  const sizes = {
    eye: eye(c.clip),
    width: String(c.v_embed_dim),
    depth: String(c.v_depth),
    heads: String(c.v_num_heads),
    rank: String(c.lora_rank ?? 16),
  };
  return {
    spec: `v2-released-7b.adapter:${c.w_lora ? 'V21' : 'V2Multimodal'}`,
    params: { ...params, ...sizes },
    family: 'mm7b',
  };
}

function chooseFusion(c: GoldenConfig, clip: ClipConfig): Omit<Choice, 'family'> {
  const params = {
    eye: eye(clip),
    late: list(c.late_layers),
    // V2 is checked too when V2Late is asked for, and needs some early layer.
    early: c.early_layers?.length ? list(c.early_layers) : 'first 1',
    length: String(c.static_len),
    patches: String(c.visual_len),
  };
  return { spec: `llama-adapter-v2-multimodal.adapter:${c.fusion === 'early' ? 'V2' : 'V2Late'}`, params };
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

/** The path of `FILE:ADAPTER` in the method library. */
export const specPath = (spec: string): string => join(projectRoot(), 'specs', spec);

/** A spec from the library on the case's base, before its tasks are replaced. */
export function modelOf(config: GoldenConfig): { model: Model; choice: Choice } | null {
  const choice = chooseSpec(config);
  if (!choice) return null;
  return {
    model: loadProject(specPath(choice.spec), { base: baseOf(config), params: choice.params }).model,
    choice,
  };
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

/** The model of a case; `extra` are names of further tensors whose gradients the case holds. */
export function subjectOf(config: GoldenConfig, extra: ReadonlySet<string>, image: boolean): Subject | null {
  const made = modelOf(config);
  if (!made) return null;
  const { model, choice } = made;
  const keys = officialKeys(model, choice.family);
  const trained = oursOf(model, keys, new Set(config.trainable));
  const further =
    extra.size > 0 ? [goldenTask(EXTRA, [...trained, ...oursOf(model, keys, extra)], image)] : [];
  const tasks = [goldenTask(TASK, trained, image), ...further];
  return { model: withImages({ ...model, tasks }), recipe: recipeOf(config), keys, spec: choice.spec };
}

/** The source that makes a task show images, whatever the spec calls its own. */
export const withImages = (model: Model): Model => ({
  ...model,
  data: [{ name: IMAGES, format: 'image_text', paths: [], fields: {}, span }],
});

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
