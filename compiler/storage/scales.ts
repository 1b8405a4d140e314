/**
 * What the block formats share: 64 numbers in two halves of 32, each with a scale of its own. Both scales are halves
 * (float16) in the block's first word, the first half's in its low bits; the numbers are whole multiples of their scale.
 */
import { halfOf, valueOfHalf } from './half.ts';

/** Numbers that share a scale. */
export const RUN = 32;
/** Numbers of a block. */
export const BLOCK_NUMBERS = 2 * RUN;
/** Quads of a block. */
const BLOCK_QUADS = BLOCK_NUMBERS / 4;

/** The number of the largest magnitude among 32 from `from` on, with its sign. */
export function extreme(numbers: Float32Array, from: number): number {
  let [found, magnitude] = [0, 0];
  for (let i = from; i < from + RUN; i++)
    if (Math.abs(numbers[i]!) > magnitude) {
      found = numbers[i]!;
      magnitude = Math.abs(found);
    }
  return found;
}

const shiftOf = (within: number): number => (within < RUN ? 0 : 16);

/**
 * Writes the scale of a run into the empty half of its block's first word.
 * @param within where the run starts in its block
 * @returns the scale as it is stored, rounded to a half
 */
export function storeScale(words: Uint32Array, word: number, within: number, scale: number): number {
  const bits = halfOf(scale);
  words[word]! |= bits << shiftOf(within);
  return valueOfHalf(bits);
}

/** The scale of number `within` of the block that starts at `word`. */
export const scaleAt = (words: Uint32Array, word: number, within: number): number =>
  valueOfHalf((words[word]! >>> shiftOf(within)) & 0xffff);

/** WGSL: where block and quad of quad `i` lie, and the quad's scale. */
export const findQuad = (array: string, words: number): string => `
  let block = (i / ${BLOCK_QUADS}u) * ${words}u;
  let quad = i % ${BLOCK_QUADS}u;
  let scale = unpack2x16float(${array}[block])[quad / ${RUN / 4}u];`;
