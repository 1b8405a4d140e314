/**
 * The header of a GGUF file, version 3: metadata of named values, then names, shapes and places of tensors.
 *
 * Source: ggml's `docs/gguf.md`. A file may come from anywhere, so every count and length is checked against the size
 * of the file before anything is made of it.
 */
import { InputError } from '../../input-error.ts';
import { elements, type ByteSource } from '../source.ts';
import { readableTypes, tensorType, type TensorType, typeName } from './types.ts';

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  /** Rows first, as everywhere in Graft; the file lists the innermost size first. */
  readonly shape: readonly number[];
  readonly type: TensorType;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Bytes read at first; a header with a large vocabulary needs more, and then the read is doubled. */
const FIRST_READ = 1 << 20;
/** Tensors have at most four sizes in ggml. */
const MAX_RANK = 4;
/** Arrays of arrays do occur in the format, but no known file nests them deeper. */
const MAX_DEPTH = 4;

/** Thrown by the cursor at the end of the bytes that were read so far; never leaves this file. */
class Short extends Error {}

/**
 * Reads and checks the header.
 * @throws InputError for anything that is not a whole GGUF file of version 3 with tensors in formats Graft reads
 */
export async function readHeader(source: ByteSource): Promise<GgufHeader> {
  for (let length = FIRST_READ; ; length *= 2) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return parse(bytes, source);
    } catch (error) {
      if (!(error instanceof Short)) throw error;
      if (bytes.length === source.size)
        throw refuse(source, `the header goes on where the file ends, after ${source.size} bytes`);
    }
  }
}

const refuse = (
  source: ByteSource,
  what: string,
  help = 'the file is damaged or not whole: get it again',
): InputError => new InputError(`${source.name}: ${what}`, help);

function parse(bytes: Uint8Array, source: ByteSource): GgufHeader {
  const cursor = makeCursor(bytes, source);
  if (bytes.length < 4 || new TextDecoder('latin1').decode(bytes.subarray(0, 4)) !== 'GGUF')
    throw refuse(source, 'not a GGUF file', 'give a file in GGUF format, version 3');
  cursor.skip(4);
  const version = cursor.u32();
  if (version !== 3)
    throw refuse(
      source,
      version > 0xffff
        ? 'a GGUF file of a big-endian machine'
        : `GGUF version ${version}, and Graft reads version 3`,
      'convert the model again with a current llama.cpp',
    );
  // An entry takes at least 13 bytes and a tensor 24, whatever the header claims.
  const tensorCount = cursor.count('tensors', 24);
  const entryCount = cursor.count('metadata entries', 13);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.text('a key of the metadata');
    if (metadata.has(key)) throw refuse(source, `the metadata has \`${key}\` twice`);
    metadata.set(key, cursor.value(cursor.u32(), key));
  }
  const listed = [];
  for (let i = 0; i < tensorCount; i++) listed.push(readTensor(cursor, source));
  return { metadata, tensors: place(listed, alignmentOf(metadata, source), cursor.position(), source) };
}

type Listed = Pick<GgufTensor, 'name' | 'shape' | 'type'> & { readonly from: number };

function readTensor(cursor: Cursor, source: ByteSource): Listed {
  const name = cursor.text('a tensor’s name');
  const rank = cursor.u32();
  if (rank > MAX_RANK)
    throw refuse(source, `tensor \`${name}\` has ${rank} sizes, and ${MAX_RANK} are the most`);
  const shape = Array.from({ length: rank }, () => cursor.size(`a size of tensor \`${name}\``)).reverse();
  const id = cursor.u32();
  const from = cursor.size(`the place of tensor \`${name}\``);
  const type = tensorType(id);
  if (!type)
    throw refuse(
      source,
      `tensor \`${name}\` is stored as ${typeName(id)}, which Graft does not read`,
      `give the model in one of ${readableTypes.join(', ')}: \`llama-quantize --pure\` or another file of the same model`,
    );
  const width = shape.at(-1) ?? 1;
  if (width % type.numbers !== 0)
    throw refuse(source, `tensor \`${name}\` has rows of ${width} numbers, which ${type.name} cannot store`);
  return { name, shape, type, from };
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, source: ByteSource): number {
  const value = metadata.get('general.alignment') ?? 32;
  if (typeof value === 'number' && value >= 1 && value <= 1 << 20 && Number.isInteger(value)) return value;
  throw refuse(source, `\`general.alignment\` is ${String(value)}`);
}

/** Tensors with their place in the file: none ends behind the end of the file, and no two share bytes. */
function place(
  listed: readonly Listed[],
  alignment: number,
  headerEnd: number,
  source: ByteSource,
): Map<string, GgufTensor> {
  const start = Math.ceil(headerEnd / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const { name, shape, type, from } of listed) {
    if (tensors.has(name)) throw refuse(source, `tensor \`${name}\` is there twice`);
    const size = (elements(shape) / type.numbers) * type.bytes;
    const offset = start + from;
    if (from % alignment !== 0)
      throw refuse(source, `tensor \`${name}\` starts at no multiple of ${alignment} bytes`);
    if (!Number.isSafeInteger(offset + size) || offset + size > source.size)
      throw refuse(source, `tensor \`${name}\` ends at byte ${offset + size}, the file after ${source.size}`);
    tensors.set(name, { name, shape, type, offset, size });
  }
  const ordered = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  ordered.forEach((tensor, i) => {
    const next = ordered[i + 1];
    if (next && tensor.offset + tensor.size > next.offset)
      throw refuse(source, `tensors \`${tensor.name}\` and \`${next.name}\` share bytes`);
  });
  return tensors;
}

type Cursor = ReturnType<typeof makeCursor>;

/** Reads little-endian values one after the other; throws `Short` at the end of `bytes`. */
function makeCursor(bytes: Uint8Array, source: ByteSource) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8');
  let at = 0;
  const take = (length: number): number => {
    if (at + length > source.size)
      throw refuse(source, `the header goes on where the file ends, after ${source.size} bytes`);
    if (at + length > bytes.length) throw new Short();
    at += length;
    return at - length;
  };
  const u32 = (): number => view.getUint32(take(4), true);
  const size = (what: string): number => {
    const value = view.getBigUint64(take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(source, `${what} is ${value}`);
    return Number(value);
  };
  /** A count of things that take at least `least` bytes each. */
  const count = (what: string, least: number): number => {
    const value = size(`the number of ${what}`);
    if (value * least > source.size)
      throw refuse(source, `${value} ${what} do not fit into ${source.size} bytes`);
    return value;
  };
  const text = (what: string): string => {
    const length = size(`the length of ${what}`);
    const from = take(length);
    return utf8.decode(bytes.subarray(from, from + length));
  };
  const value = (type: number, key: string, depth = 0): GgufValue => {
    const scalar = scalars[type];
    if (scalar) return scalar.read(view, take(scalar.bytes));
    if (type === 8) return text(`\`${key}\``);
    if (type !== 9) throw refuse(source, `\`${key}\` has a value of unknown type ${type}`);
    if (depth === MAX_DEPTH) throw refuse(source, `\`${key}\` nests arrays more than ${MAX_DEPTH} deep`);
    const of = u32();
    const length = count(`values of \`${key}\``, scalars[of]?.bytes ?? 8);
    return Array.from({ length }, () => value(of, key, depth + 1));
  };
  return { u32, size, count, text, value, skip: (n: number) => void take(n), position: () => at };
}

interface Scalar {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number | bigint | boolean;
}

/** Metadata types by their number; 8 is a string, 9 an array. 64-bit whole numbers that are exact become numbers. */
const scalars: Readonly<Record<number, Scalar>> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => exact(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => exact(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

const exact = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
