/**
 * GGUF's block formats to float32, exact to the last bit of ggml's own `dequantize_row_*`: every product and difference
 * is rounded to float32 in the same order.
 *
 * Source: ggml's `ggml-quants.c`.
 */
import { toFloat32 } from '../dtypes.ts';
import { valueOfHalf } from '../../../compiler/storage/half.ts';
import type { TensorType } from './types.ts';

const { fround } = Math;

/** The numbers of whole blocks, in order. `bytes` holds a whole number of blocks of that type. */
export function dequantise(bytes: Uint8Array, type: TensorType): Float32Array {
  switch (type.name) {
    case 'F32':
    case 'F16':
    case 'BF16':
      return toFloat32(bytes, type.name);
    case 'Q8_0':
      return eachBlock(bytes, type, q8);
    case 'Q4_0':
      return eachBlock(bytes, type, q4);
    case 'Q4_K':
      return eachBlock(bytes, type, q4k);
    case 'Q6_K':
      return eachBlock(bytes, type, q6k);
  }
}

/** Writes the numbers of the block that starts at byte `from` to `out`, from index `to` on. */
type Block = (bytes: Uint8Array, from: number, out: Float32Array, to: number) => void;

function eachBlock(bytes: Uint8Array, { numbers, bytes: size }: TensorType, block: Block): Float32Array {
  const blocks = bytes.length / size;
  const out = new Float32Array(blocks * numbers);
  for (let b = 0; b < blocks; b++) block(bytes, b * size, out, b * numbers);
  return out;
}

const half = (bytes: Uint8Array, at: number): number => valueOfHalf(bytes[at]! | (bytes[at + 1]! << 8));

const signed = (byte: number): number => (byte << 24) >> 24;

/** A half-precision scale, 32 signed bytes: x = d q. */
const q8: Block = (bytes, from, out, to) => {
  const d = half(bytes, from);
  for (let i = 0; i < 32; i++) out[to + i] = d * signed(bytes[from + 2 + i]!);
};

/** A half-precision scale, 16 bytes; the low halves are the first 16 numbers, the high ones the rest: x = d (q - 8). */
const q4: Block = (bytes, from, out, to) => {
  const d = half(bytes, from);
  for (let i = 0; i < 16; i++) {
    const byte = bytes[from + 2 + i]!;
    out[to + i] = d * ((byte & 15) - 8);
    out[to + 16 + i] = d * ((byte >> 4) - 8);
  }
};

/**
 * Two half-precision scales d and m, twelve bytes that pack eight 6-bit scales and eight 6-bit minima, 128 bytes of
 * 4-bit numbers. Each run of 32 numbers has a scale s and a minimum t of its own: x = (d s) q - (m t).
 */
const q4k: Block = (bytes, from, out, to) => {
  const d = half(bytes, from);
  const m = half(bytes, from + 2);
  const packed = from + 4;
  for (let run = 0; run < 8; run++) {
    const [s, t] = sixBits(bytes, packed, run);
    const scale = fround(d * s);
    const least = fround(m * t);
    const values = from + 16 + 32 * (run >> 1);
    const shift = 4 * (run & 1);
    for (let i = 0; i < 32; i++)
      out[to + 32 * run + i] = fround(scale * ((bytes[values + i]! >> shift) & 15)) - least;
  }
};

/** The 6-bit scale and minimum of a run: the last four runs keep their upper two bits above those of the first four. */
function sixBits(bytes: Uint8Array, at: number, run: number): readonly [scale: number, minimum: number] {
  if (run < 4) return [bytes[at + run]! & 63, bytes[at + run + 4]! & 63];
  const low = bytes[at + run + 4]!;
  return [(low & 15) | ((bytes[at + run - 4]! >> 6) << 4), (low >> 4) | ((bytes[at + run]! >> 6) << 4)];
}

/**
 * 128 bytes of low 4 bits, 64 bytes of high 2 bits, sixteen signed scales, a half-precision scale d. Each run of 16
 * numbers has a scale s of its own: x = (d s) (q - 32).
 */
const q6k: Block = (bytes, from, out, to) => {
  const d = half(bytes, from + 208);
  for (let part = 0; part < 2; part++) {
    const low = from + 64 * part;
    const high = from + 128 + 32 * part;
    const scales = from + 192 + 8 * part;
    for (let quarter = 0; quarter < 4; quarter++)
      for (let i = 0; i < 32; i++) {
        const nibble = (bytes[low + 32 * (quarter & 1) + i]! >> (quarter < 2 ? 0 : 4)) & 15;
        const q = nibble | (((bytes[high + i]! >> (2 * quarter)) & 3) << 4);
        const scale = fround(d * signed(bytes[scales + 2 * quarter + (i >> 4)]!));
        out[to + 128 * part + 32 * quarter + i] = scale * (q - 32);
      }
  }
};
