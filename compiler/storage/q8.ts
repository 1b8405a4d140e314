/**
 * Blocks of 64 numbers, each a byte times the scale of its 32: 8.5 bits a number. The scale is the largest magnitude of
 * the 32, divided by 127 and rounded to a half, so zero is exact and signs are alike (as Q8_0 of GGUF).
 */
import type { Format } from './format.ts';
import { BLOCK_NUMBERS, extreme, findQuad, RUN, scaleAt, storeScale } from './scales.ts';

const WORDS = 1 + BLOCK_NUMBERS / 4;
const MOST = 127;

export const q8: Format = {
  name: 'q8',
  block: BLOCK_NUMBERS,
  words: WORDS,
  binding: 'u32',
  load4: (array) => `fn load4(i: u32) -> vec4f {${findQuad(array, WORDS)}
  let bytes = bitcast<i32>(${array}[block + 1u + quad]);
  return vec4f(vec4i(bytes << 24u, bytes << 16u, bytes << 8u, bytes) >> vec4u(24u)) * scale;
}`,
  largest: MOST * 65504,
  encode(numbers) {
    const words = new Uint32Array((numbers.length / BLOCK_NUMBERS) * WORDS);
    const bytes = new Int8Array(words.buffer);
    for (let from = 0; from < numbers.length; from += RUN) {
      const word = Math.floor(from / BLOCK_NUMBERS) * WORDS;
      const within = from % BLOCK_NUMBERS;
      // Multiples are counted in the scale as it is stored.
      const value = storeScale(words, word, within, Math.abs(extreme(numbers, from)) / MOST);
      if (value === 0) continue;
      const at = 4 * (word + 1) + within;
      for (let i = 0; i < RUN; i++) {
        // A tiny scale may have been rounded far, so quotients may lie beyond the range. What |0 cuts off is positive within it.
        const multiple = ((numbers[from + i]! / value + MOST + 0.5) | 0) - MOST;
        bytes[at + i] = multiple > MOST ? MOST : multiple < -MOST ? -MOST : multiple;
      }
    }
    return words;
  },
  decode(words) {
    const bytes = new Int8Array(words.buffer, words.byteOffset, 4 * words.length);
    return Float32Array.from({ length: (words.length / WORDS) * BLOCK_NUMBERS }, (_, i) => {
      const word = Math.floor(i / BLOCK_NUMBERS) * WORDS;
      const within = i % BLOCK_NUMBERS;
      const scale = scaleAt(words, word, within);
      return bytes[4 * (word + 1) + within]! * scale;
    });
  },
};
