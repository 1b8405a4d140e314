/** Decoding in Node, by sharp. A browser never loads this module. */
import type { Sharp } from 'sharp';
import { InputError } from '../input-error.ts';
import { readHeader } from './header.ts';
import { type DecodePicture, MOST_PIXELS, onWhite, PictureError } from './picture.ts';

type OpenSharp = (typeof import('sharp'))['default'];

let opened: Promise<OpenSharp> | null = null;

/** Loaded when the first picture is read: no other work should depend on a native library. */
function openSharp(): Promise<OpenSharp> {
  opened ??= import('sharp').then(
    (module) => module.default,
    (cause: unknown) => {
      throw new InputError(
        `pictures cannot be read, since sharp does not load: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`,
        'run `npm install` again on this machine, optional packages included',
        { cause },
      );
    },
  );
  return opened;
}

/** PNG, JPEG and WebP (its first frame), upright by their EXIF orientation. */
export const decodePicture: DecodePicture = async (bytes) => {
  readHeader(bytes);
  const sharp = await openSharp();
  try {
    // Pillow takes the numbers as they are, so a colour profile is not applied here either.
    const image: Sharp = sharp(bytes, { failOn: 'truncated', ignoreIcc: true, limitInputPixels: MOST_PIXELS })
      .rotate()
      .toColourspace('srgb')
      .ensureAlpha();
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgb: onWhite(data) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().split('\n')[0] : String(cause);
    throw new PictureError(`it cannot be decoded: ${reason}`, { cause });
  }
};
