/** Decoding in a page, by the browser. */
import { readHeader } from './header.ts';
import { type DecodePicture, onWhite, PictureError } from './picture.ts';

/** PNG, JPEG and WebP (its first frame), upright by their EXIF orientation. Works in workers too. */
export const decodePicture: DecodePicture = async (bytes) => {
  const { format } = readHeader(bytes);
  const blob = new Blob([bytes.slice()], { type: `image/${format}` });
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, {
      imageOrientation: 'from-image',
      // Pillow takes the numbers as they are, so a colour profile is not applied here either.
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    });
  } catch (cause) {
    throw new PictureError(
      `it cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new PictureError('this browser gives no canvas to read it from');
  // A canvas keeps colours multiplied by their alpha, so the white goes under them before they are read back.
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, rgb: onWhite(new Uint8Array(data.buffer)) };
};
