/** How frozen matrices lie on the device: the table of number formats, and sizes and rows in them. */
import type { Model, Parameter, Storage } from '../model/model.ts';
import { bf16 } from './bf16.ts';
import { f16 } from './f16.ts';
import { f32 } from './f32.ts';
import type { Format } from './format.ts';
import { q4 } from './q4.ts';
import { q8 } from './q8.ts';

export const formats: Readonly<Record<Storage, Format>> = { f32, f16, bf16, q8, q4 };

/** The names of all formats, from the largest numbers to the smallest. */
export const storages = Object.keys(formats) as readonly Storage[];

/** Numbers of a row of `width`, with the zeros that fill its last block. */
export const rowNumbers = ({ block }: Format, width: number): number => Math.ceil(width / block) * block;

/** Bytes of `rows` rows of `width` numbers. */
export const storedBytes = (format: Format, rows: number, width: number): number =>
  (4 * rows * rowNumbers(format, width) * format.words) / format.block;

/** Rows of `width` numbers each as words: rounded to what the format has a number for, and padded to whole blocks. */
export function encodeRows(format: Format, numbers: Float32Array, width: number): Uint32Array {
  const stored = rowNumbers(format, width);
  if (stored === width) return format.encode(numbers);
  const rows = numbers.length / width;
  const spaced = new Float32Array(rows * stored);
  for (let r = 0; r < rows; r++) spaced.set(numbers.subarray(r * width, (r + 1) * width), r * stored);
  return format.encode(spaced);
}

/** The rows of `width` numbers that words stand for. */
export function decodeRows(format: Format, words: Uint32Array, width: number): Float32Array {
  const stored = rowNumbers(format, width);
  const spaced = format.decode(words);
  if (stored === width) return spaced;
  const rows = spaced.length / stored;
  const numbers = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) numbers.set(spaced.subarray(r * stored, r * stored + width), r * width);
  return numbers;
}

/**
 * How a parameter lies on the device: the base's frozen matrices as the base says; norms, biases, what parts add and
 * what any task trains as float32.
 */
export function storageIn({
  base,
  tasks,
}: Pick<Model, 'base' | 'tasks'>): (parameter: Pick<Parameter, 'name' | 'axes' | 'owner'>) => Storage {
  const trained = new Set(tasks.flatMap((task) => task.trains));
  return ({ name, axes, owner }) =>
    owner === 'base' && axes.length === 2 && !trained.has(name) ? (base.store ?? 'f32') : 'f32';
}
