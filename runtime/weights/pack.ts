/**
 * Between the order of numbers in files and their padded order on the device (see `Axis` in compiler/model/model.ts).
 */
import { ceil4, logical, padded, type Axis } from '../../compiler/model/model.ts';
import { elements, showShape } from './source.ts';

/** Floats the tensor takes on the device: the product of its axes' padded lengths. */
export const packedLength = (axes: readonly Axis[]): number =>
  axes.reduce((product, a) => product * padded(a), 1);

/**
 * Lays values out as the device wants them: each group of each axis padded to a multiple of four with zeros.
 * @param values row-major, `shape`'s product many
 * @param shape as in files; `[1, heads, 1, 1]` with one axis is a vector
 * @param axes `[columns]` or `[rows, columns]`
 * @returns `packedLength(axes)` floats
 */
export function pack(values: Float32Array, shape: readonly number[], axes: readonly Axis[]): Float32Array {
  check(values.length, elements(shape), shape, axes);
  const out = new Float32Array(packedLength(axes));
  eachRun(axes, (file, device, length) => out.set(values.subarray(file, file + length), device));
  return out;
}

/**
 * The reverse of `pack`: drops the padding.
 * @returns row-major values, `shape`'s product many
 */
export function unpack(packed: Float32Array, shape: readonly number[], axes: readonly Axis[]): Float32Array {
  check(packed.length, packedLength(axes), shape, axes);
  const out = new Float32Array(elements(shape));
  eachRun(axes, (file, device, length) => out.set(packed.subarray(device, device + length), file));
  return out;
}

function check(given: number, expected: number, shape: readonly number[], axes: readonly Axis[]): void {
  const counts = axes.reduce((product, a) => product * logical(a), 1);
  if (given === expected && counts === elements(shape) && (axes.length === 1 || axes.length === 2)) return;
  throw new Error(
    `internal error: ${given} values (expected ${expected}) of shape ${showShape(shape)} on axes ${JSON.stringify(axes)}`,
  );
}

/** Calls `run` for every stretch of numbers that is contiguous in both orders. */
function eachRun(axes: readonly Axis[], run: (file: number, device: number, length: number) => void): void {
  const columns = axes.at(-1)!;
  const rows = axes.length === 2 ? axes[0]! : { groups: 1, size: 1 };
  const rowStep = axes.length === 2 ? ceil4(rows.size) : 1;
  const columnStep = ceil4(columns.size);
  const [fileWidth, deviceWidth] = [logical(columns), padded(columns)];
  // Whole rows are contiguous in both when nothing is padded.
  const whole = columnStep === columns.size;
  for (let group = 0; group < rows.groups; group++) {
    for (let r = 0; r < rows.size; r++) {
      const file = (group * rows.size + r) * fileWidth;
      const device = (group * rowStep + r) * deviceWidth;
      if (whole) {
        run(file, device, fileWidth);
        continue;
      }
      for (let c = 0; c < columns.groups; c++)
        run(file + c * columns.size, device + c * columnStep, columns.size);
    }
  }
}
