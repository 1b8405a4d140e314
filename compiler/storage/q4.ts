/**
 * Blocks of 64 numbers, each four bits times the scale of its 32: 4.5 bits a number. Four bits stand for -8 to 7; the scale is
 * the number of the largest magnitude divided by -8 and rounded to a half, so that number is at -8 and all sixteen steps
 * are used; zero is exact (as Q4_0 of GGUF).
 */
import type { Format } from './format.ts';
import { BLOCK_NUMBERS, extreme, findQuad, RUN, scaleAt, storeScale } from './scales.ts';

const WORDS = 1 + BLOCK_NUMBERS / 8;

export const q4: Format = {
  name: 'q4',
  block: BLOCK_NUMBERS,
  words: WORDS,
  binding: 'u32',
  // Eight numbers a word, the first in the lowest bits, each as what it is above -8.
  load4: (array) => `fn load4(i: u32) -> vec4f {${findQuad(array, WORDS)}
  let bits = ${array}[block + 1u + quad / 2u] >> (quad % 2u * 16u);
  return (vec4f((vec4u(bits) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)) - 8.0) * scale;
}`,
  largest: 8 * 65504,
  encode(numbers) {
    const words = new Uint32Array((numbers.length / BLOCK_NUMBERS) * WORDS);
    for (let from = 0; from < numbers.length; from += RUN) {
      const word = Math.floor(from / BLOCK_NUMBERS) * WORDS;
      const within = from % BLOCK_NUMBERS;
      // Multiples are counted in the scale as it is stored.
      const value = storeScale(words, word, within, extreme(numbers, from) / -8);
      for (let i = 0; i < RUN; i += 8) {
        let eight = 0;
        for (let j = 0; j < 8; j++) {
          // A tiny scale may have been rounded far, so quotients may lie beyond the range. What |0 cuts off is positive within it.
          const step = value === 0 ? 8 : (numbers[from + i + j]! / value + 8.5) | 0;
          eight |= (step > 15 ? 15 : step < 0 ? 0 : step) << (4 * j);
        }
        words[word + 1 + ((within + i) >> 3)] = eight;
      }
    }
    return words;
  },
  decode: (words) =>
    Float32Array.from({ length: (words.length / WORDS) * BLOCK_NUMBERS }, (_, i) => {
      const word = Math.floor(i / BLOCK_NUMBERS) * WORDS;
      const within = i % BLOCK_NUMBERS;
      const scale = scaleAt(words, word, within);
      return (((words[word + 1 + (within >> 3)]! >>> (4 * (within % 8))) & 15) - 8) * scale;
    }),
};
