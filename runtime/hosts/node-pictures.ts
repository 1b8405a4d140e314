/** Where cut pictures are kept on disk, on Node. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PictureCache } from '../data/picture-store.ts';
import { UNFINISHED } from '../files/write.ts';

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
      const unfinished = `${path}.${process.pid}${UNFINISHED}`;
      writeFileSync(unfinished, bytes);
      renameSync(unfinished, path);
    },
  };
}
