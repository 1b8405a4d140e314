/**
 * How a drawing is put into a picture: where, how large, in what light, on what ground.
 *
 * A small encoder that sees three drawings of a thing learns those three; varied pictures make it look at shapes.
 */
import { random } from '../base/random.ts';

/** A drawing on nothing: [size, size, 4], red, green, blue, alpha, 0 to 255. */
export interface Drawing {
  readonly size: number;
  readonly rgba: Uint8Array;
}

/** Pixels of a side of a picture. */
export const side = 32;

export interface Look {
  /** To the right and down, as shares of the side. */
  readonly shift: readonly [number, number];
  readonly size: number;
  readonly flip: boolean;
  /** Factors on red, green and blue: brightness and tint in one. */
  readonly light: readonly [number, number, number];
  readonly ground: readonly [number, number, number];
}

/** As it is, on white. */
export const plainLook: Look = {
  shift: [0, 0],
  size: 1,
  flip: false,
  light: [1, 1, 1],
  ground: [255, 255, 255],
};

/** Bounds of chance: an eighth of the side, four fifths to all of the size, a quarter brighter or darker, a tint. */
const SHIFT = 1 / 8;
const SIZES = [0.8, 1.05] as const;
const BRIGHTER = 0.25;
const TINT = 0.12;

/**
 * A look by chance. Any concept may be mirrored: none of them is a sign or is told from another by its side. Half of
 * the grounds are white, as in the pictures that are tested on.
 */
export function randomLook(seed: number): Look {
  const next = random(seed);
  const between = (low: number, high: number): number => low + (high - low) * next();
  const shift = [between(-SHIFT, SHIFT), between(-SHIFT, SHIFT)] as const;
  const size = between(SIZES[0], SIZES[1]);
  const flip = next() < 0.5;
  const bright = 1 + between(-BRIGHTER, BRIGHTER);
  const tint = (): number => bright * (1 + between(-TINT, TINT));
  const light = [tint(), tint(), tint()] as const;
  const white = next() < 0.5;
  const colour = (): number => Math.floor(255 * next());
  const ground = [colour(), colour(), colour()] as const;
  return { shift, size, flip, light, ground: white ? plainLook.ground : ground };
}

/** Places inside of a pixel at which the drawing is looked up, so that edges come out smooth. */
const INSIDE = [0.25, 0.75];

/** The picture: [side, side, 3], red, green, blue, 0 to 255. */
export function render(drawing: Drawing, look: Look): Uint8Array {
  const out = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const sum = [0, 0, 0];
      for (const v of INSIDE)
        for (const u of INSIDE) {
          const [across, down] = [(x + u) / side, (y + v) / side];
          addPoint(sum, drawing, look, across, down);
        }
      for (let c = 0; c < 3; c++)
        out[(y * side + x) * 3 + c] = Math.round((sum[c] ?? 0) / INSIDE.length ** 2);
    }
  return out;
}

/** Adds what is seen at a place of the picture, given as shares of its side. */
function addPoint(sum: number[], { size, rgba }: Drawing, look: Look, across: number, down: number): void {
  const back = (at: number, shift: number): number => (at - 0.5 - shift) / look.size + 0.5;
  const from = back(across, look.shift[0]);
  const column = Math.floor((look.flip ? 1 - from : from) * size);
  const row = Math.floor(back(down, look.shift[1]) * size);
  const inside = column >= 0 && column < size && row >= 0 && row < size;
  const at = inside ? 4 * (row * size + column) : -1;
  const alpha = inside ? (rgba[at + 3] ?? 0) / 255 : 0;
  for (let c = 0; c < 3; c++) {
    const lit = Math.min(255, (inside ? (rgba[at + c] ?? 0) : 0) * (look.light[c] ?? 1));
    sum[c] = (sum[c] ?? 0) + alpha * lit + (1 - alpha) * (look.ground[c] ?? 0);
  }
}
