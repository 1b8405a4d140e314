/**
 * IEEE 754 half precision to and from float32. (`Float16Array` is not in Node 20.)
 */

/** Exact: every half is a float32. */
export function f16ToF32(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = table()[halves[i]!]!;
  return values;
}

let cached: Float32Array | null = null;

/** All 65536 halves as float32: 256 KiB, made at the first use. */
function table(): Float32Array {
  if (cached) return cached;
  const values = new Float32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) values[half] = fraction ? NaN : sign * Infinity;
    else if (exponent === 0) values[half] = sign * fraction * 2 ** -24;
    else values[half] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return (cached = values);
}

/** Rounds to the nearest half, ties to even; beyond 65504 becomes infinite. */
export function f32ToF16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = roundToHalf(bits[i]!);
  return halves;
}

const one = new Float32Array(1);
const bitsOfOne = new Uint32Array(one.buffer);

/** As `f32ToF16`, of one number: its bits. */
export function halfOf(value: number): number {
  one[0] = value;
  return roundToHalf(bitsOfOne[0]!);
}

/** The number that the bits of a half stand for. */
export const valueOfHalf = (half: number): number => table()[half]!;

function roundToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and more
  // Below 2^-14 halves are multiples of 2^-24; the implicit bit is shifted in and the rest rounded.
  const exponent = magnitude >>> 23;
  if (exponent < 103) return exponent === 102 && magnitude > 0x33000000 ? sign | 1 : sign;
  const subnormal = exponent < 113;
  const shift = subnormal ? 126 - exponent : 13;
  const mantissa = subnormal ? (magnitude & 0x7fffff) | 0x800000 : magnitude - 0x38000000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  // A carry runs into the exponent, which is just what rounding up means (65520 becomes infinity).
  return sign | (kept + (rest > middle || (rest === middle && kept & 1) ? 1 : 0));
}
