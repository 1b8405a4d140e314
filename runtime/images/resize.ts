/**
 * Bicubic resizing as Pillow does it (src/libImaging/Resample.c, 8 bits a channel), which is what CLIP's preprocessing
 * calls: a = -0.5, the filter widened when it shrinks (antialias), rows first and then columns, each rounded to eight
 * bits. Done here and not by the library that decodes, so that Node and every browser give the same numbers.
 */
import type { Picture } from './picture.ts';

const A = -0.5;
/** Pillow keeps weights as whole numbers with this many bits behind the point. */
const PRECISION = 2 ** 22;

function cubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((A + 2) * d - (A + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * A : 0;
}

/** Which inputs an output is made of: `weights[i]` belongs to input `first + i`. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

function tapsOf(from: number, to: number): Taps[] {
  const scale = from / to;
  const wide = Math.max(1, scale);
  const support = 2 * wide;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const raw = Float64Array.from({ length: end - first }, (_, k) =>
      cubic((k + first - center + 0.5) / wide),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((w) => roundAway((w / sum) * PRECISION)) };
  });
}

/** Halves go away from zero, as C's conversion after adding 0.5 or -0.5 has it. */
const roundAway = (x: number): number => Math.trunc(x + (x < 0 ? -0.5 : 0.5));

const clip8 = (sum: number): number => Math.min(255, Math.max(0, Math.floor(sum / PRECISION + 0.5)));

/** To exactly this size, proportions not kept. */
export function resize(picture: Picture, width: number, height: number): Picture {
  const wide = width === picture.width ? picture : resizeRows(picture, width);
  return height === picture.height ? wide : resizeColumns(wide, height);
}

function resizeRows({ width: from, height, rgb }: Picture, width: number): Picture {
  const out = new Uint8Array(height * width * 3);
  const taps = tapsOf(from, width);
  let to = 0;
  for (let y = 0; y < height; y++)
    for (const { first, weights } of taps) {
      let [r, g, b] = [0, 0, 0];
      for (let k = 0, at = (y * from + first) * 3; k < weights.length; k++, at += 3) {
        const w = weights[k] ?? 0;
        r += w * (rgb[at] ?? 0);
        g += w * (rgb[at + 1] ?? 0);
        b += w * (rgb[at + 2] ?? 0);
      }
      out[to++] = clip8(r);
      out[to++] = clip8(g);
      out[to++] = clip8(b);
    }
  return { width, height, rgb: out };
}

function resizeColumns({ width, height: from, rgb }: Picture, height: number): Picture {
  const row = width * 3;
  const out = new Uint8Array(height * row);
  const sums = new Float64Array(row);
  tapsOf(from, height).forEach(({ first, weights }, y) => {
    sums.fill(0);
    weights.forEach((w, k) => {
      const at = (first + k) * row;
      for (let i = 0; i < row; i++) sums[i] = (sums[i] ?? 0) + w * (rgb[at + i] ?? 0);
    });
    for (let i = 0; i < row; i++) out[y * row + i] = clip8(sums[i] ?? 0);
  });
  return { width, height, rgb: out };
}

/**
 * CLIP's way to a square (openai/CLIP clip/clip.py, `_transform`): the shorter side becomes `side`, the longer one its
 * share rounded down, and the middle is cut out.
 */
export function resizeAndCrop(picture: Picture, side: number): Picture {
  const short = Math.min(picture.width, picture.height);
  const of = (length: number): number => Math.trunc((side * length) / short);
  return centre(resize(picture, of(picture.width), of(picture.height)), side);
}

function centre({ width, height, rgb }: Picture, side: number): Picture {
  const [left, top] = [halfEven((width - side) / 2), halfEven((height - side) / 2)];
  const out = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * 3;
    out.set(rgb.subarray(from, from + side * 3), y * side * 3);
  }
  return { width: side, height: side, rgb: out };
}

/** Python's `round`: halves go to the even neighbour. */
function halfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
