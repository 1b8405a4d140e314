/** Pictures in Node: read from files, decoded by sharp, the many kept on disk. A browser never loads this module. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PixelRules } from '../../compiler/package/package.ts';
import { readBytes } from '../files.ts';
import { decodePicture } from '../images/node.ts';
import { createPictureStore, type PictureCache, type PictureStore } from '../data/picture-store.ts';

/** A folder of pictures by the hash of the files they came from. */
export function pictureFolder(folder: string): PictureCache {
  const pathOf = (key: string): string => join(folder, key.slice(0, 2), `${key}.rgb`);
  return {
    get(key) {
      try {
        return readFileSync(pathOf(key));
      } catch {
        return null;
      }
    },
    put(key, bytes) {
      const path = pathOf(key);
      mkdirSync(join(path, '..'), { recursive: true });
      // Another process may write the same picture: whoever comes last puts the same bytes there.
      const unfinished = `${path}.${process.pid}.unfinished`;
      writeFileSync(unfinished, bytes);
      renameSync(unfinished, path);
    },
  };
}

/** A store of picture files; what does not fit into memory goes to `.cache/images` of the current folder. */
export const openPictures = (rules: PixelRules, seed = 0): PictureStore =>
  createPictureStore({
    rules,
    decode: decodePicture,
    readBytes,
    cache: pictureFolder('.cache/images'),
    seed,
  });
