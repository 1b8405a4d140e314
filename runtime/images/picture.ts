/** A picture as numbers, and what can be wrong with one. */

/** Eight bits a colour, rows from the top, red green blue; nothing is transparent any more. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly rgb: Uint8Array;
}

/**
 * Decodes a PNG, JPEG or WebP file, turned upright and with white where it is transparent.
 * `node.ts` has one for Node, `browser.ts` one for pages.
 * @throws PictureError
 */
export type DecodePicture = (bytes: Uint8Array) => Promise<Picture>;

/** A file that is no picture we can use; the message says why and names no file, which the caller knows. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
}

/** Pixels of the largest picture that is decoded: four bytes of each are in memory at once. */
export const MOST_PIXELS = 2 ** 26;

/** Colours over white by their alpha: [pixels, 4] to [pixels, 3]. */
export function onWhite(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = (rgba[from + 3] ?? 0) / 255;
    for (let colour = 0; colour < 3; colour++)
      rgb[to++] = Math.round((rgba[from + colour] ?? 0) * alpha + 255 * (1 - alpha));
  }
  return rgb;
}
