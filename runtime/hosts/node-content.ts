/** What tells the contents of files and folders apart, on Node. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFile, readBytes } from '../files.ts';

/** Larger files are told apart by their size and their ends: hashing weights of many GiB would take minutes. */
const WHOLE = 2 ** 26;
const END = 2 ** 20;

/** A hash of a file, or of the names and files of a folder. @throws InputError when it cannot be read */
export async function contentKey(path: string): Promise<string> {
  const info = await stat(path).catch(() => null);
  const hash = createHash('sha256');
  if (info?.isDirectory() === true) {
    for (const name of (await readdir(path)).sort()) {
      const inside = join(path, name);
      if ((await stat(inside)).isFile()) hash.update(name).update(await contentKey(inside));
    }
  } else if (info === null || info.size <= WHOLE) hash.update(await readBytes(path));
  else {
    const file = await openFile(path);
    try {
      hash
        .update(String(file.size))
        .update(await file.read(0, END))
        .update(await file.read(file.size - END, END));
    } finally {
      await file.close();
    }
  }
  return hash.digest('hex');
}
