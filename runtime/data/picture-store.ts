/** The pictures of a data source: each is decoded once, and only the bytes that training needs are kept. */
import type { PixelRules } from '../../compiler/package/package.ts';
import { sha256 } from '../hash.ts';
import { squareOf } from '../images/crop.ts';
import { type DecodePicture, type Picture, PictureError } from '../images/picture.ts';
import { cutPicture, patchNumbers, writePatches } from '../images/prepare.ts';
import { createRandom } from '../random.ts';
import type { ImageStore } from './image-store.ts';

/**
 * Pictures by number; two files of the same content are one. `addAll` gives a PictureError for a file that is not a
 * usable picture, or the error that reading it threw.
 */
export interface PictureStore extends ImageStore {
  readonly rules: PixelRules;
  /** The middle of a picture: [resolution, resolution, 3] */
  get(number: number): Uint8Array;
}

/** Bytes by a key that follows from their contents; `hosts/node-pictures.ts` keeps such a cache on disk. */
export interface PictureCache {
  get(key: string): Uint8Array | null;
  put(key: string, bytes: Uint8Array): void;
}

export interface PictureStoreOptions {
  readonly rules: PixelRules;
  readonly decode: DecodePicture;
  readonly readBytes: (path: string) => Promise<Uint8Array>;
  /** The cache for pictures that do not fit into memory. Without a cache all stay in memory. */
  readonly cache?: PictureCache;
  /** Bytes of pictures that are kept in memory. Default 256 MiB: 1783 squares of 224 x 224. */
  readonly memory?: number;
  /** Seed of the random parts that `rules.crop` cuts out. Default 0. */
  readonly seed?: number;
}

/** A picture's bytes, or the key they have on disk. */
type Entry = Uint8Array | string;

/** The bytes that are kept of a picture: its square, or the whole picture where another part is cut out each time. */
interface Kept {
  readonly name: string;
  readonly bytesOf: (picture: Picture) => Uint8Array;
  readonly isWhole: (bytes: Uint8Array) => boolean;
  readonly square: (bytes: Uint8Array) => Uint8Array;
}

function keptBy(rules: PixelRules): Kept {
  if (rules.crop)
    return {
      name: 'whole',
      bytesOf: packPicture,
      isWhole: (bytes) => unpackPicture(bytes) !== null,
      square: (bytes) => cutPicture(unpackPicture(bytes) ?? nothing, rules),
    };
  const size = 3 * rules.resolution ** 2;
  return {
    name: String(rules.resolution),
    bytesOf: (picture) => cutPicture(picture, rules),
    isWhole: (bytes) => bytes.length === size,
    square: (bytes) => bytes,
  };
}

const nothing: Picture = { width: 1, height: 1, rgb: new Uint8Array(3) };

/** Width and height in four bytes each, then the colours. */
function packPicture({ width, height, rgb }: Picture): Uint8Array {
  const bytes = new Uint8Array(8 + rgb.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes.set(rgb, 8);
  return bytes;
}

/** Reads a whole picture; null when bytes are missing at the end. */
function unpackPicture(bytes: Uint8Array): Picture | null {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height, rgb] = [view.getUint32(0), view.getUint32(4), bytes.subarray(8)];
  return rgb.length === width * height * 3 ? { width, height, rgb } : null;
}

/** Files that are read at the same time: decoding runs in threads of its own. */
const TOGETHER = 8;

interface Read {
  readonly key: string;
  readonly entry: Entry;
}

/** Reads one file; with `disk`, the bytes that are kept go there, unless they are there already. */
async function readPicture(
  path: string,
  { decode, readBytes }: PictureStoreOptions,
  form: Kept,
  known: (key: string) => Entry | undefined,
  disk: PictureCache | undefined,
): Promise<Read | Error> {
  try {
    const bytes = await readBytes(path);
    const key = `${await sha256([bytes])}-${form.name}`;
    const entry = known(key);
    if (entry !== undefined) return { key, entry };
    const former = disk?.get(key);
    if (former && form.isWhole(former)) return { key, entry: key };
    const made = form.bytesOf(await decode(bytes));
    disk?.put(key, made);
    return { key, entry: disk ? key : made };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export function createPictureStore(options: PictureStoreOptions): PictureStore {
  const { rules, cache, memory = 2 ** 28, seed = 0 } = options;
  const form = keptBy(rules);
  const kept: Entry[] = [];
  const keys: string[] = [];
  const byKey = new Map<string, number>();
  let held = 0;

  const known = (key: string): Entry | undefined => kept[byKey.get(key) ?? -1];
  /** In the order of the paths, not of the decoding: a run is the same every time. */
  const enter = (made: Read | Error): number | Error => {
    if (made instanceof Error) return made;
    const number = byKey.get(made.key);
    if (number !== undefined) return number;
    held += made.entry.length;
    byKey.set(made.key, kept.length);
    keys.push(made.key);
    return kept.push(made.entry) - 1;
  };
  /** Squares are all of one size, so it is known beforehand whether all of them fit. */
  const isLarge = (more: number): boolean =>
    rules.crop ? held > memory : (kept.length + more) * 3 * rules.resolution ** 2 > memory;
  const bytesOf = (number: number): Uint8Array => {
    const entry = kept[number];
    const bytes = typeof entry === 'string' ? cache?.get(entry) : entry;
    if (bytes && form.isWhole(bytes)) return bytes;
    throw new Error(`the cached picture ${String(entry)} is gone: do not empty the cache during a run`);
  };
  const get = (number: number): Uint8Array => form.square(bytesOf(number));

  return {
    rules,
    size: patchNumbers(rules),
    get count() {
      return kept.length;
    },
    async addAll(paths) {
      const different = [...new Set(paths)];
      const large = isLarge(different.length);
      const numbers = new Map<string, number | Error>();
      for (let start = 0; start < different.length; start += TOGETHER) {
        const some = different.slice(start, start + TOGETHER);
        const disk = large || isLarge(0) ? cache : undefined;
        const made = await Promise.all(some.map((path) => readPicture(path, options, form, known, disk)));
        some.forEach((path, i) => numbers.set(path, enter(made[i] ?? new Error('not read'))));
      }
      return paths.map((path) => numbers.get(path) ?? new Error('not read'));
    },
    get,
    nameOf: (number) => keys[number] ?? '',
    write(number, out, seen) {
      const { crop, resolution } = rules;
      const picture = crop && seen && unpackPicture(bytesOf(number));
      if (!picture) return writePatches(get(number), rules, out);
      const random = createRandom(seed, 'crop', seen.data, seen.example, seen.epoch);
      writePatches(squareOf(picture, resolution, crop, random), rules, out);
    },
  };
}

/** The path of a picture that a data file names: relative to that file, unless it stands alone. */
export const besideFile = (file: string, path: string): string =>
  /^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(path) ? path : file.replace(/[^/\\]*$/, '') + path;

/** Why some pictures were left out, for a report: one line each, the first few of them. */
export function describeBad(bad: readonly BadPicture[], most = 5): string[] {
  const shown = bad.slice(0, most).map(({ where, image, reason }) => `${where}: ${image}: ${reason}`);
  return bad.length > most ? [...shown, `and ${bad.length - most} more`] : shown;
}

/** A record that was left out because of its picture. */
export interface BadPicture {
  readonly where: string;
  readonly image: string;
  readonly reason: string;
}

export const isBad = (error: unknown): error is PictureError => error instanceof PictureError;
