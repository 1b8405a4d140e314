/**
 * What the block formats share: 64 numbers in two halves of 32, each with a scale of its own. Both scales are halves
 * (float16) in the block's first word, the first half's in its low bits; the numbers are whole multiples of their scale.
 */
import { f16ToF32, f32ToF16 } from './half.ts';

/** Numbers that share a scale. */
export const RUN = 32;
/** Numbers of a block. */
export const BLOCK_NUMBERS = 2 * RUN;
/** Quads of a block. */
export const BLOCK_QUADS = BLOCK_NUMBERS / 4;

const [one, half] = [new Float32Array(1), new Uint16Array(1)];

/** The half nearest to a scale: its bits, and its value, which the multiples are counted in. */
export function roundScale(scale: number): { readonly bits: number; readonly value: number } {
  one[0] = scale;
  const bits = f32ToF16(one)[0]!;
  return { bits, value: scaleOf(bits) };
}

/** The value of a scale's bits. */
export function scaleOf(bits: number): number {
  half[0] = bits;
  return f16ToF32(half)[0]!;
}

/** The number of the largest magnitude among 32 from `from` on, with its sign. */
export function extreme(numbers: Float32Array, from: number): number {
  let found = 0;
  for (let i = from; i < from + RUN; i++) if (Math.abs(numbers[i]!) > Math.abs(found)) found = numbers[i]!;
  return found;
}

/** WGSL: where block and quad of quad `i` lie, and the quad's scale. */
export const findQuad = (array: string, words: number): string => `
  let block = (i / ${BLOCK_QUADS}u) * ${words}u;
  let quad = i % ${BLOCK_QUADS}u;
  let scale = unpack2x16float(${array}[block])[quad / ${RUN / 4}u];`;
