/** Images as an encoder's first linear wants them: each square patch a row, colour by colour. */
import { axis, ceil4, padded } from '../../compiler/model/model.ts';

/**
 * Cuts images into patches.
 * @param pixels [count, 3, resolution, resolution], normalised
 * @returns [count x patches, 3 x patch x patch], rows padded to a multiple of four; patches row by row, and within one
 * colour, row, column, as a convolution's weights lie
 */
export function patchImages(pixels: Float32Array, resolution: number, patch: number): Float32Array {
  const side = resolution / patch;
  const width = padded(axis(3 * patch * patch));
  const count = pixels.length / (3 * resolution * resolution);
  const out = new Float32Array(count * side * side * width);
  let row = 0;
  for (let image = 0; image < count; image++)
    for (let py = 0; py < side; py++)
      for (let px = 0; px < side; px++, row++)
        for (let colour = 0; colour < 3; colour++)
          for (let y = 0; y < patch; y++) {
            const from = ((image * 3 + colour) * resolution + py * patch + y) * resolution + px * patch;
            out.set(pixels.subarray(from, from + patch), row * width + (colour * patch + y) * patch);
          }
  return out;
}

/** Feature vectors [count, width], rows padded to a multiple of four. */
export function padFeatures(features: Float32Array, width: number): Float32Array {
  const stride = ceil4(width);
  const count = features.length / width;
  const out = new Float32Array(count * stride);
  for (let i = 0; i < count; i++) out.set(features.subarray(i * width, (i + 1) * width), i * stride);
  return out;
}
