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

/** Outputs `start` to `start + count` of a line that is resized. */
interface Line {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly count: number;
}

function tapsOf({ from, to, start, count }: Line): Taps[] {
  const scale = from / to;
  const wide = Math.max(1, scale);
  const support = 2 * wide;
  return Array.from({ length: count }, (_, i) => {
    const center = (start + i + 0.5) * scale;
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
export const resize = (picture: Picture, width: number, height: number): Picture =>
  resample(
    picture,
    { from: picture.width, to: width, start: 0, count: width },
    { from: picture.height, to: height, start: 0, count: height },
  );

/**
 * CLIP's way to a square (openai/CLIP clip/clip.py, `_transform`): the shorter side becomes `side`, the longer one its
 * share rounded down, and the middle is cut out. What is cut away is not computed: a picture may be very long.
 */
export function resizeAndCrop(picture: Picture, side: number): Picture {
  const short = Math.min(picture.width, picture.height);
  const lineOf = (from: number): Line => {
    const to = Math.trunc((side * from) / short);
    return { from, to, start: halfEven((to - side) / 2), count: side };
  };
  return resample(picture, lineOf(picture.width), lineOf(picture.height));
}

function resample({ width: from, rgb }: Picture, across: Line, down: Line): Picture {
  const columns = tapsOf(down);
  const last = columns.at(-1);
  const top = columns[0]?.first ?? 0;
  const rows = (last ? last.first + last.weights.length : 0) - top;
  const input = rgb.subarray(top * from * 3, (top + rows) * from * 3);
  const wide = resizeRows(input, from, tapsOf(across));
  return {
    width: across.count,
    height: down.count,
    rgb: resizeColumns(wide, across.count * 3, columns, top),
  };
}

/** [rows, from, 3] to [rows, taps, 3]. */
function resizeRows(rgb: Uint8Array, from: number, taps: readonly Taps[]): Uint8Array {
  const rows = rgb.length / (3 * from);
  const out = new Uint8Array(rows * taps.length * 3);
  let to = 0;
  for (let y = 0; y < rows; y++)
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
  return out;
}

/** [rows, row] to [taps, row]; the first of the rows is number `top` of those the taps count. */
function resizeColumns(rows: Uint8Array, row: number, taps: readonly Taps[], top: number): Uint8Array {
  const out = new Uint8Array(taps.length * row);
  const sums = new Float64Array(row);
  taps.forEach(({ first, weights }, y) => {
    sums.fill(0);
    weights.forEach((w, k) => {
      const at = (first - top + k) * row;
      for (let i = 0; i < row; i++) sums[i] = (sums[i] ?? 0) + w * (rows[at + i] ?? 0);
    });
    for (let i = 0; i < row; i++) out[y * row + i] = clip8(sums[i] ?? 0);
  });
  return out;
}

/** Python's `round`: halves go to the even neighbour. */
function halfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
