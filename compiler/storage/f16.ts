/** IEEE 754 half precision, two numbers a word, the first in the low half. Kernels need no `shader-f16` for it. */
import type { Format } from './format.ts';
import { f16ToF32, f32ToF16 } from './half.ts';

export const f16: Format = {
  name: 'f16',
  block: 4,
  words: 2,
  binding: 'vec2u',
  load4: (array) => `fn load4(i: u32) -> vec4f {
  let both = ${array}[i];
  return vec4f(unpack2x16float(both.x), unpack2x16float(both.y));
}`,
  largest: 65504,
  encode(numbers) {
    const halves = f32ToF16(numbers);
    return new Uint32Array(halves.buffer, halves.byteOffset, halves.length / 2);
  },
  decode: (words) => f16ToF32(new Uint16Array(words.buffer, words.byteOffset, 2 * words.length)),
};
