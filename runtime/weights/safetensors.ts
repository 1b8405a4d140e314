/**
 * safetensors: a u64 header length, a JSON header `{name: {dtype, shape, data_offsets}}`, the data.
 *
 * Format: huggingface/safetensors README. A file may come from anywhere, so every number of the header is checked
 * before it is used, and tensors are read only when asked for.
 */
import { InputError } from '../input-error.ts';
import { dtypeBytes, dtypeOf, isDtype, toBytes, toFloat32, type Values } from './dtypes.ts';
import { parseJsonStrict } from '../json.ts';
import {
  elements,
  requireFinite,
  showShape,
  type ByteSource,
  type Dtype,
  type ReadOptions,
  type TensorInfo,
  type WeightSource,
} from './source.ts';

/** The reference implementation's bound on the header. */
const MAX_HEADER = 100_000_000;

/** A tensor and where its bytes lie in the file. */
export interface StoredTensor extends TensorInfo {
  readonly offset: number;
  readonly size: number;
}

export interface SafetensorsFile extends WeightSource {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The bytes of one tensor as they are in the file. */
  readBytes(name: string): Promise<Uint8Array>;
}

/**
 * Reads the header of a safetensors file and checks it against the file's size.
 * @throws InputError naming file, tensor and remedy for anything that is not a whole, well-formed file
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const start = await headerEnd(source);
  const header = parseHeader(await source.read(8, start - 8), source);
  const { tensors, metadata } = readEntries(header, source, start);
  checkLayout([...tensors.values()], source, start);

  const find = (name: string): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new InputError(
      `${source.name} has no tensor \`${name}\``,
      `it has ${tensors.size} tensors: ${[...tensors.keys()].slice(0, 5).join(', ')}${tensors.size > 5 ? ', ...' : ''}`,
    );
  };
  const readBytes = async (name: string): Promise<Uint8Array> => {
    const { offset, size } = find(name);
    return await source.read(offset, size);
  };
  return {
    name: source.name,
    tensors,
    metadata,
    readBytes,
    async read(name: string, options: ReadOptions = {}) {
      const values = toFloat32(await readBytes(name), find(name).dtype);
      if (options.checkFinite) requireFinite(values, name, source.name);
      return values;
    },
    close: () => source.close(),
  };
}

const damaged = (
  source: ByteSource,
  what: string,
  help = 'the file is damaged or not whole: get it again',
): InputError => new InputError(`${source.name}: ${what}`, help);

/** Offset of the data: 8 + header length. */
async function headerEnd(source: ByteSource): Promise<number> {
  if (source.size < 8) throw damaged(source, `${source.size} bytes are too few for a safetensors file`);
  const first = await source.read(0, 8);
  const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER || length < 2) {
    throw damaged(
      source,
      `a header of ${length} bytes: not a safetensors file`,
      'give a file in safetensors format',
    );
  }
  if (8 + length > source.size) {
    throw damaged(source, `the header takes ${length} bytes, but the file ends after ${source.size}`);
  }
  return 8 + length;
}

function parseHeader(bytes: Uint8Array, source: ByteSource): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError(`${source.name}: the header is not UTF-8`, 'give a file in safetensors format', {
      cause,
    });
  }
  const header = parseJsonStrict(text, `${source.name}: header`);
  if (!isRecord(header))
    throw damaged(source, 'the header is not a JSON object', 'give a file in safetensors format');
  return header;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntries(
  header: Readonly<Record<string, unknown>>,
  source: ByteSource,
  start: number,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const tensors = new Map<string, StoredTensor>();
  const metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') {
      tensors.set(name, readEntry(name, entry, source, start));
      continue;
    }
    if (!isRecord(entry)) throw damaged(source, '`__metadata__` is not an object');
    for (const [key, value] of Object.entries(entry)) {
      if (typeof value !== 'string') throw damaged(source, `\`__metadata__.${key}\` is not a string`);
      metadata[key] = value;
    }
  }
  return { tensors, metadata };
}

function readEntry(name: string, entry: unknown, source: ByteSource, start: number): StoredTensor {
  const bad = (what: string, help?: string): InputError =>
    damaged(source, `tensor \`${name}\`: ${what}`, help);
  if (!isRecord(entry)) throw bad('its entry is not an object');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    throw bad(
      `dtype ${JSON.stringify(dtype) ?? 'missing'} is not known`,
      `convert it to one of ${Object.keys(dtypeBytes).join(', ')}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw bad(`shape ${JSON.stringify(shape) ?? 'missing'} is not a list of whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw bad(`data_offsets ${JSON.stringify(offsets) ?? 'missing'} are not two whole numbers`);
  }
  const [from, to] = offsets as [number, number];
  const size = elements(shape) * dtypeBytes[dtype];
  if (to < from) throw bad(`data_offsets [${from}, ${to}] run backwards`);
  if (to - from !== size) {
    throw bad(
      `${dtype} of shape ${showShape(shape)} takes ${size} bytes, its data_offsets hold ${to - from}`,
    );
  }
  if (start + to > source.size) {
    throw bad(`its data ends at byte ${start + to}, the file at ${source.size}`);
  }
  return { name, dtype, shape, offset: start + from, size };
}

/** The format asks that the tensors fill the data exactly: no overlap, no hole, no tail. */
function checkLayout(tensors: readonly StoredTensor[], source: ByteSource, start: number): void {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset || a.size - b.size);
  let end = start;
  let last = 'the header';
  for (const tensor of sorted) {
    if (tensor.offset < end) throw damaged(source, `tensors \`${last}\` and \`${tensor.name}\` overlap`);
    if (tensor.offset > end) {
      throw damaged(
        source,
        `${tensor.offset - end} bytes between \`${last}\` and \`${tensor.name}\` belong to no tensor`,
      );
    }
    end = tensor.offset + tensor.size;
    last = tensor.name;
  }
  if (end !== source.size)
    throw damaged(source, `${source.size - end} bytes after the last tensor belong to none`);
}

/** A tensor to be written. */
export interface NewTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Values;
  /** Default: the dtype of `values`. Float32 values may be written as F16 or BF16. */
  readonly dtype?: Dtype;
}

/** What a safetensors file consists of: its size is known before the first byte is made. */
export interface SafetensorsParts {
  readonly size: number;
  /** The header, then each tensor's bytes; made one at a time. */
  readonly chunks: () => Generator<Uint8Array>;
}

/**
 * Lays out a safetensors file. Tensors are ordered by falling alignment, then by name, as the reference does, so the
 * same tensors always make the same bytes.
 */
export function layoutSafetensors(
  tensors: Iterable<NewTensor>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsParts {
  const list = [...tensors].map((tensor) => ({ ...tensor, dtype: tensor.dtype ?? dtypeOf(tensor.values) }));
  for (const { name, shape, values } of list) {
    if (elements(shape) !== values.length) {
      throw new Error(
        `internal error: tensor \`${name}\` of shape ${showShape(shape)} has ${values.length} values`,
      );
    }
  }
  const { header, size, ordered } = layOut(list, metadata);
  return {
    size,
    *chunks() {
      yield header;
      for (const { values, dtype } of ordered) yield toBytes(values, dtype);
    },
  };
}

/** A tensor to be written whose bytes are made when their turn comes, so that not all are in memory at once. */
export interface LazyTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly bytes: () => Promise<Uint8Array>;
}

/** As `layoutSafetensors`, for tensors that are made one at a time. */
export function streamSafetensors(
  tensors: Iterable<LazyTensor>,
  metadata: Readonly<Record<string, string>> = {},
): { readonly size: number; readonly chunks: () => AsyncGenerator<Uint8Array> } {
  const { header, size, ordered } = layOut(tensors, metadata);
  return {
    size,
    async *chunks() {
      yield header;
      for (const { name, shape, dtype, bytes } of ordered) {
        const made = await bytes();
        if (made.length !== elements(shape) * dtypeBytes[dtype]) {
          throw new Error(
            `internal error: tensor \`${name}\` of shape ${showShape(shape)} has ${made.length} bytes`,
          );
        }
        yield made;
      }
    },
  };
}

/** The header, and the tensors in the order of their data. */
function layOut<T extends TensorInfo>(
  tensors: Iterable<T>,
  metadata: Readonly<Record<string, string>>,
): { readonly header: Uint8Array; readonly size: number; readonly ordered: readonly T[] } {
  const ordered = [...tensors].sort(
    (a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype] || (a.name < b.name ? -1 : 1),
  );
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  const seen = new Set<string>(['__metadata__']);
  let end = 0;
  for (const { name, shape, dtype } of ordered) {
    if (seen.has(name)) throw new Error(`internal error: two tensors named \`${name}\``);
    seen.add(name);
    const from = end;
    end += elements(shape) * dtypeBytes[dtype];
    entries.push([name, { dtype, shape, data_offsets: [from, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return { header, size: header.length + end, ordered };
}
