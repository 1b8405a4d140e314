/** A part of a picture at random, as torchvision's RandomResizedCrop draws it. */
import type { RandomCrop } from '../../compiler/package/package.ts';
import type { Random } from '../random.ts';
import type { Picture } from './picture.ts';
import { resize } from './resize.ts';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Proportions of the part, width to height: from this to its inverse. */
const NARROWEST = 3 / 4;
const TRIES = 10;

/**
 * A part of at least `scale` of the area, of proportions that are uniform in their logarithm, anywhere. After ten that
 * do not fit into the picture it is the largest in the middle whose proportions are allowed.
 */
export function drawBox(width: number, height: number, { scale }: RandomCrop, random: Random): Box {
  for (let i = 0; i < TRIES; i++) {
    const area = width * height * (scale + (1 - scale) * random.uniform());
    const ratio = Math.exp(Math.log(NARROWEST) * (1 - 2 * random.uniform()));
    const [w, h] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (w > 0 && h > 0 && w <= width && h <= height)
      return {
        left: random.integer(width - w + 1),
        top: random.integer(height - h + 1),
        width: w,
        height: h,
      };
  }
  const [w, h] = [
    Math.min(width, Math.round(height / NARROWEST)),
    Math.min(height, Math.round(width / NARROWEST)),
  ];
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/** The part of a picture that a box holds. */
export function cutBox({ width: across, rgb }: Picture, { left, top, width, height }: Box): Picture {
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * across + left) * 3;
    out.set(rgb.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, rgb: out };
}

/** A part of a picture at random, as a square of `side` pixels: [side, side, 3]. */
export const squareOf = (picture: Picture, side: number, crop: RandomCrop, random: Random): Uint8Array =>
  resize(cutBox(picture, drawBox(picture.width, picture.height, crop, random)), side, side).rgb;
