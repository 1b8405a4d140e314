/** Adapters of PEFT made up for tests: a configuration and tensors, in memory. */
import { type Base, logical, type Model, type Site } from '../../compiler/model/model.ts';
import { sitesOf } from '../../compiler/families/sites.ts';
import { importPeft } from '../../runtime/peft/import/import.ts';
import type { ImportedPart } from '../../runtime/peft/import/part.ts';
import { readPeftConfig } from '../../runtime/peft/config.ts';
import { createRandom } from '../../runtime/random.ts';
import { modelOf } from '../compiler/subjects.ts';
import { openTensors } from '../weights/make.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { elements, type WeightSource } from '../../runtime/weights/source.ts';

/** Of no size that another has; its heads are narrower than the width. */
export const base: Base = {
  name: 'small',
  family: 'llama',
  layers: 3,
  dim: 10,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  ffn: 14,
  vocab: 17,
  context: 32,
  normEps: 1e-5,
  rope: { style: 'half', theta: 10000 },
  tied: false,
};

export const loraConfig = {
  peft_type: 'LORA',
  r: 2,
  lora_alpha: 6,
  target_modules: ['q_proj', 'v_proj'],
  bias: 'none',
  lora_dropout: 0.1,
};

/** A tensor of numbers that differ from tensor to tensor. */
export function tensor(name: string, shape: readonly number[]): NewTensor {
  const random = createRandom(name);
  return { name, shape, values: Float32Array.from({ length: elements(shape) }, () => random.normal()) };
}

/** Both matrices of one module, under PEFT's keys. */
export const low = (site: Site, rank: number): NewTensor[] => [
  tensor(`base_model.model.${site.huggingface}.lora_A.weight`, [rank, logical(site.input)]),
  tensor(`base_model.model.${site.huggingface}.lora_B.weight`, [logical(site.output), rank]),
];

/** Places of a base by the last word of their name, or by all of it. */
export const places = (of: Base, ...names: string[]): Site[] =>
  sitesOf(of).filter((site) => names.some((name) => site.name === name || site.name.endsWith(`.${name}`)));

export const sourceOf = (tensors: readonly NewTensor[]): Promise<WeightSource> =>
  openTensors('adapter_model.safetensors', tensors);

/** What a configuration and its tensors come to on a base. */
export const importFrom = async (
  config: Readonly<Record<string, unknown>>,
  tensors: readonly NewTensor[],
  of: Base = base,
): Promise<readonly ImportedPart[]> =>
  importPeft(readPeftConfig(config, 'adapter_config.json'), await sourceOf(tensors), of, sitesOf(of));

/** `lora low on layers.attention.wq { rank = 2 }` of each part. */
export const lines = (parts: readonly ImportedPart[]): string[] =>
  parts.map(({ kind, name, on, attributes }) => `${kind} ${name} on ${on} { ${attributes} }`);

/** The parts on their base, and their numbers. */
export function modelOfParts(
  parts: readonly ImportedPart[],
  of: Base = base,
): { readonly model: Model; readonly values: ReadonlyMap<string, Float32Array> } {
  const tensors = parts.flatMap((part) => part.tensors);
  return {
    model: modelOf(lines(parts).join('\n'), of),
    values: new Map(tensors.map(({ name, values }) => [name, values as Float32Array])),
  };
}

/** Tensors as plain data, in the order of their names. */
export const plain = (tensors: readonly NewTensor[]) =>
  tensors
    .map(({ name, shape, values }) => ({ name, shape: [...shape], values: [...(values as Float32Array)] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
