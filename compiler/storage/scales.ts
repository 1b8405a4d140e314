/**
 * What the block formats share: 64 numbers in two halves of 32, each with a scale of its own. Both scales are halves
 * (float16) in the block's first word, the first half's in its low bits; the numbers are whole multiples of their scale.
 */
/** Numbers that share a scale. */
export const RUN = 32;
/** Numbers of a block. */
export const BLOCK_NUMBERS = 2 * RUN;
/** Quads of a block. */
export const BLOCK_QUADS = BLOCK_NUMBERS / 4;

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

/** WGSL: where block and quad of quad `i` lie, and the quad's scale. */
export const findQuad = (array: string, words: number): string => `
  let block = (i / ${BLOCK_QUADS}u) * ${words}u;
  let quad = i % ${BLOCK_QUADS}u;
  let scale = unpack2x16float(${array}[block])[quad / ${RUN / 4}u];`;
