/**
 * Where weights come from: bytes read in pieces, and tensors read by name.
 *
 * Nothing here touches a file system: Node's file handles are wrapped in `runtime/files.ts`, a browser passes an
 * ArrayBuffer or a Blob.
 */
import { InputError } from '../input-error.ts';

/** Random access to a file, an ArrayBuffer or a Blob. */
export interface ByteSource {
  /** What messages call it: a path or an address. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; the caller keeps within `size`. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U32' | 'U8';

/** Tensors by name, each read when asked for. */
export interface WeightSource {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** `__metadata__` of a safetensors file; empty for other formats. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What a `config.json` beside the file would say, where the file itself describes its model: a GGUF file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * The values of one tensor in row-major order, as float32.
   * @throws InputError when there is no such tensor, or with `checkFinite` when a value is NaN or infinite
   */
  read(name: string, options?: ReadOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Refuse NaN and infinite values, naming the first. Default false. */
  readonly checkFinite?: boolean;
}

/** Bytes in memory as a source. */
export function bytesSource(name: string, data: ArrayBuffer | Uint8Array): ByteSource {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  return {
    name,
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

/** A browser's File or Blob as a source: only what is asked for is read. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
    close: () => Promise.resolve(),
  };
}

/** Throws when `values` holds NaN or an infinity: training on them would only spread them. */
export function requireFinite(values: Float32Array, tensor: string, file: string): void {
  let bad = 0;
  let first = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    bad++;
    if (first < 0) first = i;
  }
  if (bad === 0) return;
  throw new InputError(
    `${file}: tensor \`${tensor}\` has ${bad} of ${values.length} values that are not finite, the first (${values[first]}) at element ${first}`,
    'the file is damaged or its training diverged: use an earlier checkpoint',
  );
}

/** `[2, 3]` for messages. */
export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Whether two shapes hold the same numbers in the same places: a norm saved as [1, dim] is the same vector. */
export const sameShape = (a: readonly number[], b: readonly number[]): boolean => {
  const sizes = (shape: readonly number[]): string => shape.filter((size) => size !== 1).join();
  return sizes(a) === sizes(b);
};

/** Product of the sizes: 1 for a scalar. */
export const elements = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** `a, b, c and 5 more`, for messages. */
export const listSome = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;

/** Where one of our parameters lies in a file of another program. */
export interface ForeignTensor {
  readonly name: string;
  /** Rows [start, end) of the tensor; absent: all of it. */
  readonly rows?: readonly [number, number];
  /** Its rows follow the rotary order of heads (interleaved in the official files). */
  readonly rotary?: true;
}
