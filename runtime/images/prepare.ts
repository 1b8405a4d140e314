/** From a picture to what an encoder's first linear wants: cut to a square, normalised, and as patches. */
import { axis, padded } from '../../compiler/model/model.ts';
import type { PixelRules } from '../../compiler/package/package.ts';
import type { Picture } from './picture.ts';
import { resizeAndCrop } from './resize.ts';

/** The square an encoder looks at, in eight bits: [resolution, resolution, 3]. What is worth keeping of a picture. */
export const cutPicture = (picture: Picture, { resolution }: PixelRules): Uint8Array =>
  resizeAndCrop(picture, resolution).rgb;

/** Numbers of one image as the device lays them out: patches x padded row. */
export const patchNumbers = ({ resolution, patch }: PixelRules): number =>
  (resolution / patch) ** 2 * padded(axis(3 * patch * patch));

/**
 * Normalises and cuts into patches: (x / 255 - mean) / std of each colour.
 * @param pixels what `cutPicture` made
 * @param out a place of `patchNumbers`; patches row by row, and within one colour, row, column, as a convolution's
 * weights lie
 */
export function writePatches(pixels: Uint8Array, input: PixelRules, out: Float32Array): void {
  const { resolution, patch } = input;
  const side = resolution / patch;
  const width = padded(axis(3 * patch * patch));
  const tables = tablesOf(input);
  for (let row = 0; row < side * side; row++) {
    const [py, px] = [Math.floor(row / side) * patch, (row % side) * patch];
    for (let colour = 0; colour < 3; colour++) {
      const table = tables[colour] ?? new Float32Array();
      // What the network calls its first colour may be the picture's last.
      const from = input.channels === 'bgr' ? 2 - colour : colour;
      for (let y = 0; y < patch; y++) {
        const to = row * width + (colour * patch + y) * patch;
        const at = ((py + y) * resolution + px) * 3 + from;
        for (let x = 0; x < patch; x++) out[to + x] = table[pixels[at + 3 * x] ?? 0] ?? 0;
      }
    }
  }
}

/** The 256 values a colour can take, normalised in float32 as torchvision does. */
function tablesOf({ mean, std }: PixelRules): Float32Array[] {
  const f = Math.fround;
  return mean.map((m, colour) =>
    Float32Array.from({ length: 256 }, (_, value) => f(f(f(value / 255) - f(m)) / f(std[colour] ?? 1))),
  );
}

/** Pictures as one batch of patches. */
export function patchPictures(pictures: readonly Uint8Array[], input: PixelRules): Float32Array {
  const each = patchNumbers(input);
  const out = new Float32Array(pictures.length * each);
  pictures.forEach((pixels, i) => writePatches(pixels, input, out.subarray(i * each, (i + 1) * each)));
  return out;
}
