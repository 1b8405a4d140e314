/** Files of weights made up for tests, in memory, and a tiny base whose weights they hold. */
import type { Base } from '../../compiler/model/model.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { createRandom } from '../../runtime/random.ts';
import { layoutSafetensors, type NewTensor, openSafetensors } from '../../runtime/weights/safetensors.ts';
import { bytesSource, type WeightSource } from '../../runtime/weights/source.ts';

/** A safetensors file of that name. */
export const openTensors = (
  file: string,
  tensors: readonly NewTensor[],
  metadata: Record<string, string> = {},
): Promise<WeightSource> =>
  openSafetensors(bytesSource(file, Buffer.concat([...layoutSafetensors(tensors, metadata).chunks()])));

/** The message of the error that something throws. */
export async function message(promise: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof promise === 'function' ? promise() : promise);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

export const tiny: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 2,
  dim: 12,
  heads: 3,
  kvHeads: 1,
  headDim: 4,
  ffn: 20,
  vocab: 7,
  context: 16,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};

export type Tensors = Map<string, { shape: readonly number[]; values: Float32Array }>;
type Stored = ReadonlyMap<string, { shape: readonly number[]; values: Float32Array | Uint8Array }>;

export function weightsOf(base: Base): Tensors {
  const random = createRandom('weights');
  return new Map(
    baseParameters(base).map(({ name, shape }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, values: Float32Array.from({ length: count }, () => random.normal()) }];
    }),
  );
}

export const sourceOf = (tensors: Stored, metadata: Record<string, string> = {}): Promise<WeightSource> =>
  openTensors(
    'tiny.safetensors',
    [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
    metadata,
  );

export const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));

/** The transformers conversion script's permutation, written as it is there. */
export function permuteAsTransformers(
  values: Float32Array,
  heads: number,
  headDim: number,
  width: number,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let h = 0; h < heads; h++) {
    for (let j = 0; j < headDim / 2; j++) {
      for (let c = 0; c < 2; c++) {
        // view(heads, headDim / 2, 2, width).transpose(1, 2)
        const from = (h * headDim + 2 * j + c) * width;
        const to = (h * headDim + c * (headDim / 2) + j) * width;
        out.set(values.subarray(from, from + width), to);
      }
    }
  }
  return out;
}

export function asHuggingface(tensors: Tensors, base: Base): Tensors {
  return new Map(
    [...tensors].map(([name, { shape, values }]) => {
      const rotary = /attention\.w([qk])\.weight$/.exec(name);
      const heads = rotary?.[1] === 'q' ? base.heads : base.kvHeads;
      const moved = rotary ? permuteAsTransformers(values, heads, base.headDim, base.dim) : values;
      return [huggingfaceName(name), { shape, values: moved }];
    }),
  );
}

/** Hugging Face's name of a parameter of the tiny base. */
export const huggingfaceName = (name: string): string =>
  baseParameters({ ...tiny, biases: ['wq', 'wk', 'wv', 'wo', 'output'] }).find((p) => p.name === name)!
    .source!.names.huggingface;
