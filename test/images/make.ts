/** Pictures that the tests make themselves. */
import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../../runtime/images/picture.ts';
import { createRandom } from '../../runtime/random.ts';

/** Every colour at random, between two bounds. */
export function noise(width: number, height: number, low = 0, high = 255, seed = 1): Picture {
  const random = createRandom('noise', seed, width, height);
  const rgb = Uint8Array.from({ length: width * height * 3 }, () => low + random.integer(high - low + 1));
  return { width, height, rgb };
}

/** Four quarters: red, green, blue, black, row by row from the top left. */
export function quarters(width: number, height: number): Picture {
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [0, 0, 0],
  ];
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rgb.set(colours[(2 * y >= height ? 2 : 0) + (2 * x >= width ? 1 : 0)] ?? [], (y * width + x) * 3);
  return { width, height, rgb };
}

/** The picture for sharp to write in a format. */
export const written = ({ width, height, rgb }: Picture): Sharp =>
  sharp(rgb, { raw: { width, height, channels: 3 } });

export const png = (picture: Picture): Promise<Buffer> => written(picture).png().toBuffer();

/** The colour of a place. */
export const at = ({ width, rgb }: Picture, x: number, y: number): number[] => [
  ...rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

/** An array as `numpy.save` writes it, version 1.0. */
export function npy(
  descr: string,
  shape: readonly number[],
  values: NodeJS.ArrayBufferView,
  fortran = false,
): Uint8Array {
  const sizes = `${shape.join(', ')}${shape.length === 1 ? ',' : ''}`;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${sizes}), }`;
  const header = `${text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from('\u0093NUMPY\u0001\u0000', 'latin1'),
    length,
    Buffer.from(header, 'latin1'),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
}
