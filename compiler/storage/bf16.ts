/** bfloat16, the upper half of a float32, two numbers a word, the first in the low half. */
import { bf16ToF32, f32ToBf16 } from './brain.ts';
import type { Format } from './format.ts';

export const bf16: Format = {
  name: 'bf16',
  block: 4,
  words: 2,
  binding: 'vec2u',
  load4: (array) => `fn load4(i: u32) -> vec4f {
  let both = ${array}[i].xxyy;
  return bitcast<vec4f>(vec4u(both.x << 16u, both.y & 0xffff0000u, both.z << 16u, both.w & 0xffff0000u));
}`,
  largest: 3.3895313892515355e38,
  encode(numbers) {
    const halves = f32ToBf16(numbers);
    return new Uint32Array(halves.buffer, halves.byteOffset, halves.length / 2);
  },
  decode: (words) => bf16ToF32(new Uint16Array(words.buffer, words.byteOffset, 2 * words.length)),
};
