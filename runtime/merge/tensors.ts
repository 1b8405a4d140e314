/** The tensors of a merged base, each made when it is written: a large base is never held as a whole. */
import type { Affine } from '../../compiler/kinds/affine.ts';
import { foldSite, isFolded, namesAt } from '../../compiler/merge/merge.ts';
import { type Base, logical, type Model, type Site } from '../../compiler/model/model.ts';
import { baseParameters, sitesOf } from '../../compiler/families/sites.ts';
import { InputError } from '../input-error.ts';
import { toBytes, toFloat32 } from '../weights/dtypes.ts';
import { shapeIn } from '../weights/base.ts';
import { nameIn, type Naming } from '../weights/names.ts';
import { reorderRope } from '../weights/rope.ts';
import type { LazyTensor } from '../weights/safetensors.ts';
import type { Start } from '../project/start.ts';
import { noteChange, type Survival } from './survival.ts';

/** The largest change that rounding made, and in which tensor. */
export interface Rounding {
  largest: number;
  at: string;
}

export interface Writing {
  readonly merged: Base;
  /** Of the base's own file. */
  readonly naming: Naming;
  readonly dtype: 'F32' | 'F16' | 'BF16';
  /** Written to while the tensors are made. */
  readonly rounding: Rounding;
  /** Written to while the tensors are made, in 16 bits. */
  readonly survival: Survival;
  readonly values: Start['values'];
  /** The base's own numbers, before anything was trained. */
  readonly before: Start['values'];
}

/** Every tensor of the merged base, under the names and in the order of rows of the base's file. */
export function mergedTensors(model: Model, writing: Writing): LazyTensor[] {
  const { merged, naming, dtype } = writing;
  const siteOf = new Map(
    sitesOf(merged).flatMap(
      (s) =>
        [
          [s.parameter, s],
          [s.bias ?? '', s],
        ] as const,
    ),
  );
  // Weight and bias of a linear follow each other in the file.
  const folded = keepLast((site: Site) => foldFrom(model, site, writing));
  const tensors = baseParameters(merged).map((parameter): LazyTensor => {
    const { name, shape, source } = parameter;
    const target = siteOf.get(name);
    const site = model.sites.find((s) => s.name === target?.name);
    if (!target || !site || !source) throw new Error(`internal error: no site has ${name}`);
    const theirs = nameIn(naming, source.names);
    const make = async () => {
      const tensor = { site, name, bias: name === target.bias };
      const values = await valuesOf(model, tensor, writing, folded);
      if (dtype !== 'F32')
        noteChange(writing.survival, theirs, await ownValues(model, tensor, writing.before), values, dtype);
      const rows =
        source.rowOrder === 'rotary'
          ? reorderRope(
              values,
              merged.headDim,
              shape[1] ?? 1,
              merged.rope.style,
              naming.rope,
              merged.rope.size,
            )
          : values;
      const offset = naming.style === 'huggingface' ? (source.offset ?? 0) : 0;
      return stored(theirs, offset === 0 ? rows : rows.map((value) => value - offset), writing);
    };
    return { name: theirs, shape: shapeIn(naming, parameter), dtype, bytes: make };
  });
  return joined(tensors);
}

/** Tensors of one name are rows of one tensor, in this order: queries, keys and values in Phi-3's files. */
function joined(tensors: readonly LazyTensor[]): LazyTensor[] {
  const byName = new Map<string, LazyTensor[]>();
  for (const tensor of tensors) byName.set(tensor.name, [...(byName.get(tensor.name) ?? []), tensor]);
  return [...byName.values()].map((pieces) => {
    const bytes = async () => {
      const made: Uint8Array[] = [];
      for (const piece of pieces) made.push(await piece.bytes());
      return new Uint8Array(Buffer.concat(made));
    };
    return pieces.length === 1 ? pieces[0]! : { ...pieces[0]!, bytes };
  });
}

/** A tensor of the merged base: the weight or the bias of a site. */
interface Target {
  readonly site: Site;
  readonly name: string;
  readonly bias: boolean;
}

/** The numbers of one tensor, in the base's own order of rows. */
async function valuesOf(
  model: Model,
  target: Target,
  { values }: Writing,
  folded: (site: Site) => Promise<Affine>,
): Promise<Float32Array> {
  if (!isFolded(model, target.site)) return ownValues(model, target, values);
  const it = await folded(target.site);
  return Float32Array.from(target.bias ? it.bias : it.weight);
}

/** What the base itself has there; zeros for a bias that it has not. */
async function ownValues(
  model: Model,
  { site, name, bias }: Target,
  values: Start['values'],
): Promise<Float32Array> {
  const own = bias ? site.bias : site.parameter;
  const parameter = model.parameters.find((p) => p.name === own);
  if (own === undefined) return new Float32Array(logical(site.output));
  if (!parameter) throw new Error(`internal error: no parameter ${own} for ${name}`);
  return values(parameter);
}

async function foldFrom(model: Model, site: Site, { values }: Writing): Promise<Affine> {
  const needed = new Set(namesAt(model, site));
  const read = new Map<string, Float32Array>();
  for (const p of model.parameters) if (needed.has(p.name)) read.set(p.name, await values(p));
  return foldSite(model, site, (name) => {
    const found = read.get(name);
    if (!found) throw new Error(`internal error: ${name} was not read for ${site.name}`);
    return found;
  });
}

/** As `make`, but it answers twice to the same question with one result. */
function keepLast<K, V>(make: (key: K) => Promise<V>): (key: K) => Promise<V> {
  let last: { readonly key: K; readonly value: Promise<V> } | null = null;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}

/** Bytes to write; what does not fit the dtype is refused, and what it changes is noted. */
function stored(name: string, values: Float32Array, { dtype, rounding }: Writing): Uint8Array {
  const bytes = toBytes(values, dtype);
  const back = dtype === 'F32' ? values : toFloat32(bytes, dtype);
  for (let i = 0; i < back.length; i++) {
    if (!Number.isFinite(back[i]))
      throw new InputError(
        `\`${name}\` would hold ${values[i]} at element ${i}, which ${dtype} has no number for`,
        dtype === 'F16' ? 'store it as f32 or bf16' : 'its training diverged: merge an earlier checkpoint',
      );
    const change = Math.abs(back[i]! - values[i]!);
    if (change > rounding.largest) Object.assign(rounding, { largest: change, at: name });
  }
  return bytes;
}
