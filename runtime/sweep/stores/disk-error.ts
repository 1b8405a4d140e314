/** Messages for errors of the disk that a sweep's folder is on. */
import { resolve, sep } from 'node:path';
import { InputError } from '../../input-error.ts';

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'your quota is used up: free some space',
  EROFS: 'the file system is read-only: give another folder with --out',
};
/** Errors that concern the folder only when they name a path in it, since data files can cause them too. */
const REFUSED: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there: give another folder with --out',
  EPERM: 'no permission to write there: give another folder with --out',
  ENOTDIR: 'a part of the path is a file: give another folder with --out',
  EEXIST: 'there is a file of that name: give another folder with --out',
};

/**
 * For an error that every later write to the folder would meet too, the message for the user; null for any other error.
 */
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
