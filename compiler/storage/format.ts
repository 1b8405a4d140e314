/** What a stored number format is: one row of the table in `storage/index.ts`, one file a format. */
import type { Storage } from '../model/model.ts';

/**
 * Rows of numbers in blocks of whole 32-bit words. A row is padded with zeros to whole blocks, so that quad `i` of a
 * tensor (its numbers 4 i to 4 i + 3, counted over the padded rows) is found without knowing its row.
 */
export interface Format {
  readonly name: Storage;
  /** Numbers of a block; a multiple of four. */
  readonly block: number;
  /** 32-bit words of a block. */
  readonly words: number;
  /** Type of the elements of the binding that kernels read it by. */
  readonly binding: 'vec4f' | 'vec2u' | 'u32';
  /** WGSL of `fn load4(i: u32) -> vec4f`, which reads quad `i` of the binding of that name. */
  readonly load4: (array: string) => string;
  /** Largest magnitude it has a number for. */
  readonly largest: number;
  /** Whole blocks of numbers within `largest` as words, each number rounded to the nearest. */
  readonly encode: (numbers: Float32Array) => Uint32Array;
  /** The numbers that a kernel reads, exactly. */
  readonly decode: (words: Uint32Array) => Float32Array;
}
