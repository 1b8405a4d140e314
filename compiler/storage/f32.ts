/** Numbers as they are computed with. */
import type { Format } from './format.ts';

export const f32: Format = {
  name: 'f32',
  block: 4,
  words: 4,
  binding: 'vec4f',
  load4: (array) => `fn load4(i: u32) -> vec4f { return ${array}[i]; }`,
  largest: 3.4028234663852886e38,
  encode: (numbers) => new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length),
  decode: (words) => new Float32Array(words.buffer, words.byteOffset, words.length),
};
