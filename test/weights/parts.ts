/** Models with parts made up for tests, and the numbers of these parts. */
import {
  axis,
  type Base,
  type Parameter,
  type Part,
  type Placement,
  type Site,
} from '../../compiler/model/model.ts';
import { baseParameters, sitesOf } from '../../compiler/families/sites.ts';
import { createRandom } from '../../runtime/random.ts';
import type { AdapterModel } from '../../runtime/weights/adapter.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { openTensors } from './make.ts';

export const base: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 3,
  dim: 8,
  heads: 2,
  kvHeads: 1,
  headDim: 4,
  ffn: 12,
  vocab: 9,
  context: 16,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};

const span = { source: 0, start: 0, end: 0 } as unknown as Part['span'];

export interface Spec {
  readonly prompt?: { length: number; layers: readonly number[] };
  readonly bias?: readonly string[];
  readonly scale?: 'input' | 'output';
  readonly lora?: number;
}

const at = (site: Site, role: string): Placement => ({ site, layer: site.layer, role });

/** Parts and their parameters, named and shaped as the kinds of the compiler make them. */
export function modelOf(of: Base, spec: Spec): AdapterModel {
  const linears = sitesOf(of).filter((site) => site.kind === 'linear' && site.layer !== null);
  const parts: Part[] = [];
  const parameters: Parameter[] = [...baseParameters(of)];
  const add = (kind: string, name: string, sites: readonly Site[], fields: Part['fields'] = {}): void => {
    const layers = spec.prompt?.layers ?? [];
    parts.push({ kind, name, layers, sites, input: false, source: null, fields, span });
  };
  const own = (owner: string, name: string, shape: readonly number[], placement: Placement): void => {
    const count = shape.reduce((a, b) => a * b, 1);
    parameters.push({
      name,
      shape,
      axes: [axis(count)],
      init: { kind: 'constant', value: 0 },
      placement,
      owner,
      decay: true,
      rate: 1,
    });
  };
  const size = (a: { groups: number; size: number }): number => a.groups * a.size;
  if (spec.prompt) {
    add('prompt', 'words', []);
    for (const layer of spec.prompt.layers) {
      own('words', `words.layers.${layer}.prompt`, [spec.prompt.length, of.dim], {
        site: null,
        layer,
        role: 'prompt',
      });
      own('words', `words.layers.${layer}.gate`, [1, of.heads, 1, 1], { site: null, layer, role: 'gate' });
    }
  }
  if (spec.bias) {
    const sites = linears.filter((site) => spec.bias!.some((name) => site.name.endsWith(`.${name}`)));
    add('bias', 'biases', sites);
    for (const site of sites) own('biases', `biases.${site.name}`, [size(site.output)], at(site, 'bias'));
  }
  if (spec.scale) {
    add('scale', 'scales', linears, { side: spec.scale });
    for (const site of linears)
      own(
        'scales',
        `scales.${site.name}`,
        [size(spec.scale === 'input' ? site.input : site.output)],
        at(site, 'scale'),
      );
  }
  if (spec.lora) {
    add('lora', 'low', linears);
    for (const site of linears) {
      own('low', `low.${site.name}.a`, [spec.lora, size(site.input)], at(site, 'a'));
      own('low', `low.${site.name}.b`, [size(site.output), spec.lora], at(site, 'b'));
    }
  }
  return { name: 'test', base: of, parts, parameters };
}

export const all = ['wq', 'wk', 'wv', 'wo', 'w1', 'w2', 'w3'];

export function valuesOf(model: AdapterModel): Map<string, Float32Array> {
  const random = createRandom('values');
  return new Map(
    model.parameters
      .filter(({ owner }) => owner !== 'base')
      .map(({ name, shape }) => [
        name,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
      ]),
  );
}

export const sourceOf = (
  tensors: readonly NewTensor[],
  metadata: Record<string, string> = {},
): Promise<WeightSource> => openTensors('a.safetensors', tensors, metadata);
