/**
 * Names of our parameters in the official LLaMA-Adapter checkpoints, as data that serves both directions.
 *
 * v1: alpaca_finetuning_v1; chat65b: llama_adapter_v2_chat65b; mm7b: llama_adapter_v2_multimodal7b; imb: imagebind_LLM
 * (all of OpenGVLab/LLaMA-Adapter). Prompts of all layers share one table there, `length` rows a layer in order.
 */
import type { Model, Parameter, Part, Site } from '../../compiler/model/model.ts';
import type { ForeignTensor } from './source.ts';
import { clipKey, projectorKey } from './vision-keys.ts';

export const officialFormats = ['v1', 'chat65b', 'mm7b', 'imb'] as const;
export type OfficialFormat = (typeof officialFormats)[number];

/** What `officialKeys` needs of a model. */
export type KeyedModel = Pick<Model, 'parts' | 'parameters'>;

interface Format {
  /** What stands before the names of base tensors and of everything in a layer. */
  readonly prefix: string;
  /** Table of prompts. */
  readonly query: string;
  readonly bias: ((site: string) => string) | null;
  readonly scale: ((site: string) => string) | null;
  /** Side of the linear the format's scale is on. */
  readonly scaleSide: 'input' | 'output';
  readonly lora: boolean;
}

const formats: Readonly<Record<OfficialFormat, Format>> = {
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
 * Our parameter names -> the official ones. Parameters the format has no name for are left out; `unnamed` lists them.
 *
 * Base tensors are in it too, so that one map reads a whole training checkpoint.
 */
export function officialKeys(model: KeyedModel, format: OfficialFormat): Map<string, ForeignTensor> {
  const spec = formats[format];
  const parts = new Map(model.parts.map((part) => [part.name, part]));
  const rows = promptRows(model);
  const keys = new Map<string, ForeignTensor>();
  for (const parameter of model.parameters) {
    const part = parts.get(parameter.owner);
    const key = part ? keyOf(parameter, part, spec, rows) : baseKey(parameter, spec);
    if (key !== null) keys.set(parameter.name, key);
  }
  return keys;
}

/** Trainable parameters of parts that a format has no name for: such an adapter cannot be written as that format. */
export function unnamed(model: KeyedModel, keys: ReadonlyMap<string, ForeignTensor>): string[] {
  return model.parameters
    .filter(({ name, owner }) => owner !== 'base' && !keys.has(name))
    .map(({ name }) => name);
}

const baseKey = ({ name, source }: Parameter, spec: Format): ForeignTensor => ({
  name: spec.prefix + name,
  ...(source?.rowOrder === 'rotary' ? { rotary: true } : {}),
});

/** Rows of each static prompt in the shared table: layers in ascending order, parts as written. */
function promptRows(model: KeyedModel): Map<string, readonly [number, number]> {
  const prompts = model.parameters
    .flatMap(({ name, shape, placement }) =>
      placement?.role === 'prompt' && placement.layer !== null
        ? [{ name, length: shape[0]!, layer: placement.layer }]
        : [],
    )
    .sort((a, b) => a.layer - b.layer);
  const rows = new Map<string, readonly [number, number]>();
  let start = 0;
  for (const { name, length } of prompts) {
    rows.set(name, [start, start + length]);
    start += length;
  }
  return rows;
}

function keyOf(
  parameter: Parameter,
  part: Part,
  spec: Format,
  rows: ReadonlyMap<string, readonly [number, number]>,
): ForeignTensor | null {
  const { placement } = parameter;
  if (placement === undefined) return networkKey(parameter, part, spec);
  if (placement.site !== null) return keyAt(placement.site, placement.role, part, spec);
  if (placement.layer === null) return null;
  const attention = `${spec.prefix}layers.${placement.layer}.attention.`;
  switch (placement.role) {
    case 'prompt':
      return { name: spec.query, rows: rows.get(parameter.name)! };
    case 'gate':
      return { name: `${attention}gate` };
    case 'gate_factor':
      return { name: `${attention}new_gate` };
    default:
      return null;
  }
}

/** Of an encoder or a projector: what a picture enters has no source. */
function networkKey(parameter: Parameter, part: Part, spec: Format): ForeignTensor | null {
  if (spec.prefix === '') return null;
  const site = parameter.name.slice(part.name.length + 1);
  return part.source === null
    ? clipKey(site, parameter, 'clip.visual.')
    : projectorKey(site, parameter, part);
}

/** Of what a part has at a linear in a layer, by its role there. */
function keyAt(site: Site, role: string, part: Part, spec: Format): ForeignTensor | null {
  if (site.kind !== 'linear' || site.layer === null) return null;
  // What is on the output of the queries' and keys' linears has the order of their rows.
  const rotary = site.role === 'query' || site.role === 'key' ? { rotary: true as const } : {};
  switch (role) {
    case 'bias':
      return spec.bias && { name: spec.prefix + spec.bias(site.name), ...rotary };
    case 'scale':
      if (!spec.scale || part.fields['side'] !== spec.scaleSide) return null;
      // A scale on the input has the order of what enters, not that of the heads.
      return { name: spec.prefix + spec.scale(site.name), ...(spec.scaleSide === 'output' ? rotary : {}) };
    case 'a':
      return spec.lora ? { name: loraName(site, 1, spec) } : null;
    case 'b':
      return spec.lora ? { name: loraName(site, 2, spec), ...rotary } : null;
    default:
      return null;
  }
}

/** `layers.0.attention.wq` -> `llama.layers.0.attention.lora_wq_l1.weight`; 2 is on the output. */
const loraName = ({ name, word }: Site, factor: 1 | 2, spec: Format): string =>
  `${spec.prefix}${name.slice(0, -word.length)}lora_${word}_l${factor}.weight`;

/** The format a file is of, by the names of its tensors; null when it has none of theirs. */
export function recogniseOfficial(names: Iterable<string>): OfficialFormat | null {
  const list = [...names];
  const some = (pattern: RegExp): boolean => list.some((name) => pattern.test(name));
  if (some(/^prefix_query\./)) return 'imb';
  if (some(/^(llama|llma)\.layers\.\d+\.(attention\.gate|.*\.bias|.*lora_)/)) return 'mm7b';
  if (some(/^layers\.\d+\..*_(bias|scale)$/)) return 'chat65b';
  if (some(/^adapter_query\.weight$/) || some(/^layers\.\d+\.attention\.gate$/)) return 'v1';
  return null;
}
