/** Files of a sweep: what tells them apart by their contents, and clear words when the disk does not play along. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { openFile, readBytes } from '../files.ts';
import { InputError } from '../input-error.ts';

/** Larger files are told apart by their size and their ends: hashing weights of many GiB would take minutes. */
const WHOLE = 2 ** 26;
const END = 2 ** 20;

/** A function that gives one key for the contents of several files or folders; each is read once. */
export function fileKeys(): (paths: readonly string[]) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  const keyOf = (path: string): Promise<string> => {
    const key = known.get(path) ?? contentKey(path);
    known.set(path, key);
    return key;
  };
  return async (paths) => {
    const keys: string[] = [];
    for (const path of paths) keys.push(await keyOf(path));
    return createHash('sha256').update(keys.join(' ')).digest('hex');
  };
}

async function contentKey(path: string): Promise<string> {
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

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'your quota is used up: free some space',
  EROFS: 'the file system is read-only: give another folder with --out',
};
/** These are about the folder only when they name it: data may be out of reach as well. */
const REFUSED: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there: give another folder with --out',
  EPERM: 'no permission to write there: give another folder with --out',
  ENOTDIR: 'a part of the path is a file: give another folder with --out',
  EEXIST: 'there is a file of that name: give another folder with --out',
};

/** What every later write to a folder would meet as well, in the user's words; null for any other error. */
export function diskError(error: unknown, folder: string): InputError | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code = '', path = '' } = at as NodeJS.ErrnoException;
    const inside = path !== '' && (resolve(path) + sep).startsWith(resolve(folder) + sep);
    const above = path !== '' && (resolve(folder) + sep).startsWith(resolve(path) + sep);
    const help = FULL[code] ?? (inside || above ? REFUSED[code] : undefined);
    if (help !== undefined)
      return new InputError(`cannot write into ${folder}: ${at.message}`, `${help}; what is finished stays`, {
        cause: error,
      });
  }
  return null;
}
