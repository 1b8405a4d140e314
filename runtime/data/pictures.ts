/** The pictures of a data source: each is decoded and cut once, and kept as the bytes an encoder looks at. */
import type { PixelRules } from '../../compiler/package/package.ts';
import { type DecodePicture, PictureError } from '../images/picture.ts';
import { cutPicture, patchPictures } from '../images/prepare.ts';
import type { Batches } from './batches.ts';
import type { Dataset } from './load.ts';

/** Cut pictures by number. */
export interface PictureStore {
  readonly rules: PixelRules;
  /** Different pictures it holds; two files of the same content are one. */
  readonly count: number;
  /**
   * Takes files in. What is wrong with one comes back in its place: a PictureError when it is no usable picture, or
   * what reading it threw.
   */
  addAll(paths: readonly string[]): Promise<(number | Error)[]>;
  /** [resolution, resolution, 3] */
  get(number: number): Uint8Array;
}

/** Bytes by a name that tells their content; `pictures-node.ts` has one on disk. */
export interface PictureCache {
  get(key: string): Uint8Array | null;
  put(key: string, bytes: Uint8Array): void;
}

export interface PictureStoreOptions {
  readonly rules: PixelRules;
  readonly decode: DecodePicture;
  readonly readBytes: (path: string) => Promise<Uint8Array>;
  /** Where pictures go that do not fit into memory. Without one everything stays in memory. */
  readonly cache?: PictureCache;
  /** Bytes of cut pictures that are kept in memory. Default 256 MiB: 1783 pictures of 224 x 224. */
  readonly memory?: number;
}

/** A cut picture, or the key it has on disk. */
type Entry = Uint8Array | string;

/** Files that are read at the same time: decoding runs in threads of its own. */
const TOGETHER = 8;

export function createPictureStore(options: PictureStoreOptions): PictureStore {
  const { rules, decode, readBytes, cache, memory = 2 ** 28 } = options;
  const size = 3 * rules.resolution ** 2;
  const kept: Entry[] = [];
  const byKey = new Map<string, number>();
  const cut = async (bytes: Uint8Array): Promise<Uint8Array> => cutPicture(await decode(bytes), rules);

  const read = async (path: string, large: boolean): Promise<{ key: string; entry: Entry } | Error> => {
    try {
      const bytes = await readBytes(path);
      const key = `${await hashOf(bytes)}-${rules.resolution}`;
      const known = byKey.get(key);
      if (known !== undefined) return { key, entry: kept[known] ?? key };
      const disk = large ? cache : undefined;
      if (disk?.get(key)?.length === size) return { key, entry: key };
      const pixels = await cut(bytes);
      disk?.put(key, pixels);
      return { key, entry: disk ? key : pixels };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  /** In the order of the paths, not of the decoding: a run is the same every time. */
  const enter = (made: { key: string; entry: Entry } | Error): number | Error => {
    if (made instanceof Error) return made;
    const number = byKey.get(made.key) ?? kept.push(made.entry) - 1;
    byKey.set(made.key, number);
    return number;
  };

  return {
    rules,
    get count() {
      return kept.length;
    },
    async addAll(paths) {
      const different = [...new Set(paths)];
      const large = (kept.length + different.length) * size > memory;
      const numbers = new Map<string, number | Error>();
      for (let start = 0; start < different.length; start += TOGETHER) {
        const some = different.slice(start, start + TOGETHER);
        const made = await Promise.all(some.map((path) => read(path, large)));
        some.forEach((path, i) => numbers.set(path, enter(made[i] ?? new Error('not read'))));
      }
      return paths.map((path) => numbers.get(path) ?? new Error('not read'));
    },
    get(number) {
      const entry = kept[number];
      const pixels = typeof entry === 'string' ? cache?.get(entry) : entry;
      if (pixels?.length === size) return pixels;
      throw new Error(`the cached picture ${String(entry)} is gone: do not empty the cache during a run`);
    },
  };
}

async function hashOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
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

/** The images of some examples of a data set, laid out for the device. */
export type ImagesOf = (examples: Uint32Array) => Float32Array;

/** Numbers of the examples' pictures. */
export function picturesOf({ name, pictures }: Dataset, examples: Uint32Array): number[] {
  if (!pictures) throw new Error(`internal error: data ${name} was loaded without its pictures`);
  return [...examples].map((example) => pictures[example] ?? 0);
}

/** Patches of the examples' pictures. */
export const patchesOf =
  (dataset: Dataset, store: PictureStore): ImagesOf =>
  (examples) =>
    patchPictures(
      picturesOf(dataset, examples).map((number) => store.get(number)),
      store.rules,
    );

/** Batches that bring an image for each of their rows. */
export const withImages = (batches: Batches, images: ImagesOf): Batches => ({
  ...batches,
  batchAt: (index) => {
    const batch = batches.batchAt(index);
    return { ...batch, image: images(batch.examples) };
  },
});
