/**
 * What the first bytes of a file say: its format and its size. Asked before anything is decoded, so that a file that
 * unpacks to gigabytes costs nothing, and so that Node and a browser refuse the same files in the same words.
 */
import { MOST_PIXELS, PictureError } from './picture.ts';

export interface Header {
  readonly format: 'png' | 'jpeg' | 'webp';
  readonly width: number;
  readonly height: number;
}

/** @throws PictureError for what is no PNG, JPEG or WebP, has no pixels, or more than we decode */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length === 0) throw new PictureError('the file is empty');
  const header = pngHeader(bytes) ?? jpegHeader(bytes) ?? webpHeader(bytes);
  if (header === null) throw new PictureError(`it is no PNG, JPEG or WebP: it begins with ${begin(bytes)}`);
  const { width, height } = header;
  if (width * height === 0) throw new PictureError(`it has no pixels: ${width} x ${height}`);
  if (width * height > MOST_PIXELS)
    throw new PictureError(
      `it is too large: ${width} x ${height} pixels, the most is ${Math.floor(MOST_PIXELS / 1e6)} million`,
    );
  return header;
}

function begin(bytes: Uint8Array): string {
  const first = [...bytes.subarray(0, 8)];
  const text = first.every((byte) => byte >= 32 && byte < 127);
  return text
    ? JSON.stringify(String.fromCharCode(...first))
    : first.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const startsWith = (bytes: Uint8Array, at: number, text: string): boolean =>
  Array.from(text, (_, i) => text.charCodeAt(i)).every((code, i) => bytes[at + i] === code);

const cutOff = (): PictureError => new PictureError('the file ends before it says how large the picture is');

function pngHeader(bytes: Uint8Array): Header | null {
  if (!startsWith(bytes, 0, '\u0089PNG\r\n\u001a\n')) return null;
  if (bytes.length < 24) throw cutOff();
  const view = viewOf(bytes);
  return { format: 'png', width: view.getUint32(16), height: view.getUint32(20) };
}

/** Segments follow one another until a start of frame, which holds the size. */
function jpegHeader(bytes: Uint8Array): Header | null {
  if (!startsWith(bytes, 0, '\u00ff\u00d8\u00ff')) return null;
  const view = viewOf(bytes);
  for (let at = 2; at + 9 <= bytes.length;) {
    const marker = view.getUint8(at + 1);
    // Bytes of filling may stand before a marker.
    if (view.getUint8(at) !== 0xff || marker === 0xff) at++;
    else if (isFrame(marker))
      return { format: 'jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    else if (marker === 0xd8 || (marker >= 0xd0 && marker <= 0xd7) || marker === 1) at += 2;
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  throw cutOff();
}

/** SOF0 to SOF15, without the tables that lie between them. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** RIFF with a lossy, a lossless or an extended first chunk. */
function webpHeader(bytes: Uint8Array): Header | null {
  if (!startsWith(bytes, 0, 'RIFF') || !startsWith(bytes, 8, 'WEBP')) return null;
  if (bytes.length < 30) throw cutOff();
  const view = viewOf(bytes);
  const format = 'webp';
  if (startsWith(bytes, 12, 'VP8 '))
    return {
      format,
      width: view.getUint16(26, true) & 0x3fff,
      height: view.getUint16(28, true) & 0x3fff,
    };
  if (startsWith(bytes, 12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { format, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  const uint24 = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  return { format, width: uint24(24) + 1, height: uint24(27) + 1 };
}
