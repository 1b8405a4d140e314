/** Between the order of numbers in files and the words of a parameter on the device: packed, and encoded as it is stored. */
import { padded } from '../../compiler/model/model.ts';
import type { PackagedParameter } from '../../compiler/package/package.ts';
import type { Format } from '../../compiler/storage/format.ts';
import { decodeRows, encodeRows, formats, storedBytes } from '../../compiler/storage/index.ts';
import { InputError } from '../input-error.ts';
import { pack, packedLength, unpack } from './pack.ts';
import { elements } from './source.ts';

/** What of a packaged parameter decides how it lies on the device. */
export type Stored = Pick<PackagedParameter, 'name' | 'shape' | 'axes' | 'storage'>;

/** Numbers that are encoded at a time: a large tensor's words are never held as a whole beside its numbers. */
const PIECE = 4 * 1024 * 1024;

/** A stretch of a parameter's words, `offset` bytes from its start. */
export interface Piece {
  readonly offset: number;
  readonly words: Float32Array | Uint32Array;
}

/**
 * A parameter as the device wants it, piece by piece.
 * @param values in file order
 * @throws InputError for a number that its storage has no room for
 */
export function* toDevice(p: Stored, values: Float32Array): Generator<Piece> {
  const { shape, axes, storage = 'f32' } = p;
  // What needs no padding is in the device's order already.
  const count = elements(shape);
  const packed = packedLength(axes) === count && values.length === count ? values : pack(values, shape, axes);
  if (storage === 'f32') return yield { offset: 0, words: packed };
  const format = formats[storage];
  requireRoom(p, format, values);
  const width = padded(axes.at(-1)!);
  const rows = Math.max(1, Math.floor(PIECE / width));
  for (let row = 0; row * width < packed.length; row += rows)
    yield {
      offset: storedBytes(format, row, width),
      words: encodeRows(format, packed.subarray(row * width, (row + rows) * width), width),
    };
}

/** The numbers that words of the device stand for, in file order. */
export function fromDevice({ shape, axes, storage = 'f32' }: Stored, words: Float32Array): Float32Array {
  if (storage === 'f32') return unpack(words, shape, axes);
  const bits = new Uint32Array(words.buffer, words.byteOffset, words.length);
  return unpack(decodeRows(formats[storage], bits, padded(axes.at(-1)!)), shape, axes);
}

function requireRoom({ name }: Stored, { name: storage, largest }: Format, values: Float32Array): void {
  const found = values.findIndex((value) => Math.abs(value) > largest);
  if (found < 0) return;
  throw new InputError(
    `\`${name}\` holds ${values[found]} at element ${found}; stored as ${storage} it can hold numbers up to ${largest}`,
    'write `store = bf16` or `store = f32` in the base',
  );
}
