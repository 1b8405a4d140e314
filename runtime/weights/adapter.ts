/**
 * Adapter files: ours (our names, the base's fingerprint in the metadata) and the official ones (see llama-adapter.ts).
 */
import type { Base } from '../../compiler/model/model.ts';
import type { Attributes } from '../../compiler/package/package.ts';
import { InputError } from '../input-error.ts';
import { attributesEntry } from './attributes.ts';
import { requireSameBase } from './fingerprint.ts';
import {
  officialKeys,
  recogniseOfficial,
  unnamed,
  type KeyedModel,
  type OfficialFormat,
} from './llama-adapter.ts';
import { otherMeaning } from './official-limits.ts';
import { notThisAdapter } from './recognise.ts';
import { reorderRope, type RopeStyle } from './rope.ts';
import type { NewTensor } from './safetensors.ts';
import { elements, type ForeignTensor, listSome, sameShape, showShape, type WeightSource } from './source.ts';

/** Official files have Meta's row order. */
const OFFICIAL_ROPE: RopeStyle = 'interleaved';

/** What adapter files of ours say they are. */
export const ADAPTER_FORMAT = 'graft-adapter/1';

/** A model and the base it is built on: `Model` itself, or parts, parameters and base of a manifest. */
export type AdapterModel = KeyedModel & { readonly name: string; readonly base: Base };

export interface LoadedAdapter {
  /** Our name -> values, row-major, in the shape of the parameter. */
  readonly values: Map<string, Float32Array>;
  /** Tensors of the file that the model has no place for. */
  readonly unused: readonly string[];
  /** Parameters of the model's parts that the file does not hold; they keep their start. */
  readonly missing: readonly string[];
  readonly format: OfficialFormat | 'graft';
}

/**
 * Metadata of an adapter file of ours.
 * @param model with the attributes that the compiler found in it (`Manifest.attributes`), where they are known
 * @param fingerprint of the base, from `loadBase`
 */
export function adapterMetadata(
  model: Pick<AdapterModel, 'name' | 'base'> & { readonly attributes?: Attributes },
  fingerprint: string,
  specHash: string,
): Record<string, string> {
  return {
    format: ADAPTER_FORMAT,
    adapter: model.name,
    base: model.base.name,
    // A base that was trained from nothing has no file that could be told from others.
    ...(fingerprint === '' ? {} : { base_fingerprint: fingerprint }),
    rope: model.base.rope.style,
    spec: specHash,
    ...attributesEntry(model.attributes),
  };
}

/**
 * Reads an adapter file into the model's parameters; ours and the official formats are told apart by their names.
 * @param wanted names of the parameters to fill; by default those of parts. A model that unfreezes norms passes
 * those too.
 * @param fingerprint of the base that is loaded, to compare with the file's
 * @throws InputError for another base, a wrong shape, or when nothing in the file belongs to the model
 */
export async function importAdapter(
  source: WeightSource,
  model: AdapterModel,
  fingerprint?: string,
  wanted?: ReadonlySet<string>,
): Promise<LoadedAdapter> {
  if (fingerprint !== undefined) requireSameBase(source, fingerprint, model.base.name);
  const ours = source.metadata['format'] === ADAPTER_FORMAT;
  const format = ours ? null : recogniseOfficial(source.tensors.keys());
  const keys = format ? officialKeys(model, format) : ownKeys(model);
  if (format === null) requireSameRope(source, model.base);
  const values = new Map<string, Float32Array>();
  const missing: string[] = [];
  const used = new Set<string>();
  for (const { name, shape, owner } of model.parameters) {
    if (wanted ? !wanted.has(name) : owner === 'base' && !ours) continue;
    const key = keys.get(name);
    const tensor = key && findTensor(source, key.name);
    if (!key || tensor === undefined) {
      if (owner !== 'base' || wanted) missing.push(name);
      continue;
    }
    used.add(tensor);
    values.set(name, await readTensor(source, tensor, key, shape, model.base));
  }
  if (values.size === 0) throw notThisAdapter(source, model.name, missing);
  return {
    values,
    missing,
    unused: [...source.tensors.keys()].filter((name) => !used.has(name)),
    format: format ?? 'graft',
  };
}

/** Old multi-modal files misspell `llama.` as `llma.`. */
function findTensor(source: WeightSource, name: string): string | undefined {
  return [name, name.replace(/^llama\./, 'llma.')].find((spelling) => source.tensors.has(spelling));
}

/** Files of ours use our names, and the order of rows the base declares. */
const ownKeys = (model: KeyedModel): Map<string, ForeignTensor> =>
  new Map(model.parameters.map(({ name }) => [name, { name }]));

function requireSameRope(source: WeightSource, base: Base): void {
  const stated = source.metadata['rope'];
  if (stated === undefined || stated === base.rope.style) return;
  throw new InputError(
    `${source.name} was trained on a base with ${stated} rotary embeddings, \`${base.name}\` declares ${base.rope.style}`,
    `write \`rope = ${stated}\` in the base, as when it was trained`,
  );
}

async function readTensor(
  source: WeightSource,
  tensor: string,
  key: ForeignTensor,
  shape: readonly number[],
  base: Base,
): Promise<Float32Array> {
  const info = source.tensors.get(tensor)!;
  const all = await source.read(tensor, { checkFinite: true });
  const width = elements(shape.slice(1));
  const [start, end] = key.rows ?? [0, shape[0] ?? 1];
  const rows = key.rows ? info.shape[0]! : elements(info.shape) / width;
  const wrong = key.rows ? info.shape[1] !== width || end > rows : !sameShape(info.shape, shape);
  if (wrong) {
    throw new InputError(
      `${source.name}: \`${tensor}\` is ${showShape(info.shape)}, the spec needs ${key.rows ? `rows ${start} to ${end - 1} of width ${width}` : showShape(shape)}`,
      'make the spec as the file was trained: its number of layers, prompt length and sizes',
    );
  }
  const values = key.rows ? all.slice(start * width, end * width) : all;
  return key.rotary
    ? reorderRope(values, base.headDim, width, OFFICIAL_ROPE, base.rope.style, base.rope.size)
    : values;
}

/**
 * Tensors of an official checkpoint, ready for `layoutSafetensors`.
 * @param values our name -> values; every one of them is written
 * @throws InputError listing parameters that the format has no name for, or the part that its code would read as another
 */
export function exportAdapter(
  values: ReadonlyMap<string, Float32Array>,
  model: AdapterModel,
  format: OfficialFormat,
): NewTensor[] {
  const keys = officialKeys(model, format);
  const lost = unnamed(model, keys).filter((name) => values.has(name));
  if (lost.length > 0) {
    throw new InputError(
      `the \`${format}\` format has no place for ${listSome(lost)}`,
      "write the adapter in Graft's own format, or leave those parts out of the spec",
    );
  }
  for (const part of model.parts) {
    const reason = otherMeaning(part);
    if (reason !== null)
      throw new InputError(
        `the \`${format}\` format has no place for \`${part.name}\` (${part.kind}): ${reason}`,
        "write the adapter in Graft's own format, or leave that part out of the spec",
      );
  }
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const { name, shape } of model.parameters) {
    const own = values.get(name);
    const key = keys.get(name);
    if (!own || !key) continue;
    const width = elements(shape.slice(1));
    const data = key.rotary
      ? reorderRope(
          own,
          model.base.headDim,
          width,
          model.base.rope.style,
          OFFICIAL_ROPE,
          model.base.rope.size,
        )
      : own;
    if (key.rows) putRows(tensors, key, data, width);
    else tensors.set(key.name, { shape, values: data });
  }
  return [...tensors].map(([name, tensor]) => ({ name, ...tensor }));
}

/** Rows of a shared table; it grows to hold the last of them. */
function putRows(
  tensors: Map<string, { shape: readonly number[]; values: Float32Array }>,
  key: ForeignTensor,
  data: Float32Array,
  width: number,
): void {
  const [start, end] = key.rows!;
  const former = tensors.get(key.name)?.values ?? new Float32Array(0);
  const values = new Float32Array(Math.max(former.length, end * width));
  values.set(former);
  values.set(data, start * width);
  tensors.set(key.name, { shape: [values.length / width, width], values });
}
