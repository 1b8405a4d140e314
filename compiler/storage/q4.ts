/**
 * Blocks of 64 numbers, each four bits times the scale of its 32: 4.5 bits a number. Four bits stand for -8 to 7; the scale is
 * the number of the largest magnitude divided by -8 and rounded to a half, so that number is at -8 and all sixteen steps
 * are used; zero is exact (as Q4_0 of GGUF).
 */
import type { Format } from './format.ts';
import { BLOCK_NUMBERS, extreme, findQuad, RUN, roundScale, scaleOf } from './scales.ts';

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
      const { bits, value } = roundScale(extreme(numbers, from) / -8);
      words[word]! |= bits << (within / 2);
      for (let i = 0; i < RUN; i++) {
        const step = value === 0 ? 0 : Math.max(-8, Math.min(7, Math.round(numbers[from + i]! / value)));
        words[word + 1 + ((within + i) >> 3)]! |= (step + 8) << (4 * (i % 8));
      }
    }
    return words;
  },
  decode: (words) =>
    Float32Array.from({ length: (words.length / WORDS) * BLOCK_NUMBERS }, (_, i) => {
      const word = Math.floor(i / BLOCK_NUMBERS) * WORDS;
      const within = i % BLOCK_NUMBERS;
      const scale = scaleOf((words[word]! >>> (within < RUN ? 0 : 16)) & 0xffff);
      return (((words[word + 1 + (within >> 3)]! >>> (4 * (within % 8))) & 15) - 8) * scale;
    }),
};
