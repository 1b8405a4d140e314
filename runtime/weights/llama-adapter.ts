/**
 * Names of our parameters in the official LLaMA-Adapter checkpoints, as data that serves both directions.
 *
 * v1: alpaca_finetuning_v1; chat65b: llama_adapter_v2_chat65b; mm7b: llama_adapter_v2_multimodal7b; imb: imagebind_LLM
 * (all of OpenGVLab/LLaMA-Adapter). Prompts of all layers share one table there, `length` rows a layer in order.
 */
import type { Model, Parameter, Part } from '../../compiler/model/model.ts';
import { isRotary } from './rope.ts';
import type { ForeignTensor } from './source.ts';
import { clipKey, projectorKey } from './vision-keys.ts';

export const officialFamilies = ['v1', 'chat65b', 'mm7b', 'imb'] as const;
export type OfficialFamily = (typeof officialFamilies)[number];

/** What `officialKeys` needs of a model. */
export type KeyedModel = Pick<Model, 'parts' | 'parameters'>;

interface Family {
  /** What stands before the names of base tensors and of everything in a layer. */
  readonly prefix: string;
  /** Table of prompts. */
  readonly query: string;
  readonly bias: ((site: string) => string) | null;
  readonly scale: ((site: string) => string) | null;
  /** Side of the linear the family's scale is on. */
  readonly scaleSide: 'input' | 'output';
  readonly lora: boolean;
}

const families: Readonly<Record<OfficialFamily, Family>> = {
  v1: {
    prefix: '',
    query: 'adapter_query.weight',
    bias: null,
    scale: null,
    scaleSide: 'output',
    lora: false,
  },
  chat65b: {
    prefix: '',
    query: 'adapter_query.weight',
    bias: (site) => `${site}_bias`,
    scale: (site) => `${site}_scale`,
    scaleSide: 'input',
    lora: false,
  },
  mm7b: {
    prefix: 'llama.',
    query: 'adapter_query.weight',
    bias: (site) => `${site}.bias`,
    // No released file has one; the golden cases of the paper's formula name the output scale so.
    scale: (site) => `${site}.scale`,
    scaleSide: 'output',
    lora: true,
  },
  imb: {
    prefix: 'llama.',
    query: 'prefix_query.weight',
    bias: (site) => `${site}.bias`,
    scale: null,
    scaleSide: 'output',
    lora: true,
  },
};

/**
 * Our parameter names -> the official ones. Parameters the family has no name for are left out; `unnamed` lists them.
 *
 * Base tensors are in it too, so that one map reads a whole training checkpoint.
 */
export function officialKeys(model: KeyedModel, family: OfficialFamily): Map<string, ForeignTensor> {
  const spec = families[family];
  const parts = new Map(model.parts.map((part) => [part.name, part]));
  const rows = promptRows(model);
  const keys = new Map<string, ForeignTensor>();
  for (const parameter of model.parameters) {
    const part = parts.get(parameter.owner);
    const key = part ? keyOf(parameter, part, spec, rows) : baseKey(parameter.name, spec);
    if (key !== null) keys.set(parameter.name, key);
  }
  return keys;
}

/** Trainable parameters of parts that a family has no name for: such an adapter cannot be written as that family. */
export function unnamed(model: KeyedModel, keys: ReadonlyMap<string, ForeignTensor>): string[] {
  return model.parameters
    .filter(({ name, owner }) => owner !== 'base' && !keys.has(name))
    .map(({ name }) => name);
}

function baseKey(name: string, spec: Family): ForeignTensor {
  const rotary = isRotary(name.replace(/\.(weight|bias)$/, ''));
  return { name: spec.prefix + name, ...(rotary ? { rotary } : {}) };
}

/** Rows of each static prompt in the shared table: layers in ascending order, parts as written. */
function promptRows(model: KeyedModel): Map<string, readonly [number, number]> {
  const prompts = model.parameters
    .map((parameter) => ({ parameter, layer: /\.layers\.(\d+)\.prompt$/.exec(parameter.name) }))
    .filter(({ layer }) => layer !== null)
    .sort((a, b) => Number(a.layer![1]) - Number(b.layer![1]));
  const rows = new Map<string, readonly [number, number]>();
  let start = 0;
  for (const { parameter } of prompts) {
    const end = start + parameter.shape[0]!;
    rows.set(parameter.name, [start, end]);
    start = end;
  }
  return rows;
}

function keyOf(
  parameter: Parameter,
  part: Part,
  spec: Family,
  rows: ReadonlyMap<string, readonly [number, number]>,
): ForeignTensor | null {
  const site = parameter.name.slice(part.name.length + 1);
  const rotary = isRotary(site) ? { rotary: true as const } : {};
  switch (part.kind) {
    case 'prompt': {
      const range = rows.get(parameter.name);
      if (range) return { name: spec.query, rows: range };
      const layer = /^layers\.(\d+)\.(gate|gate_factor)$/.exec(site);
      const official = layer?.[2] === 'gate' ? 'gate' : 'new_gate';
      return layer ? { name: `${spec.prefix}layers.${layer[1]}.attention.${official}` } : null;
    }
    case 'bias':
      return spec.bias && inLayer(site) ? { name: spec.prefix + spec.bias(site), ...rotary } : null;
    case 'scale':
      if (!spec.scale || !inLayer(site) || (part.fields['side'] ?? 'output') !== spec.scaleSide) return null;
      // A scale on the input has the order of what enters, not that of the heads.
      return { name: spec.prefix + spec.scale(site), ...(spec.scaleSide === 'output' ? rotary : {}) };
    case 'lora':
      return spec.lora ? loraKey(site, spec) : null;
    case 'project':
      return spec.prefix === '' ? null : projectorKey(site, parameter, part);
    case 'encoder':
      return spec.prefix === '' ? null : clipKey(site, parameter, 'clip.visual.');
    default:
      return null;
  }
}

const inLayer = (site: string): boolean => /^layers\.\d+\.(attention|feed_forward)\.w\w$/.test(site);

/** `layers.0.attention.wq.a` -> `llama.layers.0.attention.lora_wq_l1.weight`; b is l2, on the output. */
function loraKey(name: string, spec: Family): ForeignTensor | null {
  const found = /^(layers\.\d+\.(?:attention|feed_forward)\.)(w\w)\.([ab])$/.exec(name);
  if (!found) return null;
  const [, block, linear, side] = found;
  const rotary = side === 'b' && isRotary(`${block}${linear}`) ? { rotary: true as const } : {};
  return { name: `${spec.prefix}${block}lora_${linear}_l${side === 'a' ? 1 : 2}.weight`, ...rotary };
}

/** The family a file is of, by the names of its tensors; null when it has none of theirs. */
export function recogniseFamily(names: Iterable<string>): OfficialFamily | null {
  const list = [...names];
  const some = (pattern: RegExp): boolean => list.some((name) => pattern.test(name));
  if (some(/^prefix_query\./)) return 'imb';
  if (some(/^(llama|llma)\.layers\.\d+\.(attention\.gate|.*\.bias|.*lora_)/)) return 'mm7b';
  if (some(/^layers\.\d+\..*_(bias|scale)$/)) return 'chat65b';
  if (some(/^adapter_query\.weight$/) || some(/^layers\.\d+\.attention\.gate$/)) return 'v1';
  return null;
}
