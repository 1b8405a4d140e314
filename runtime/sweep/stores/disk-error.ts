/** Clear words when the disk of a sweep's folder does not play along. */
import { resolve, sep } from 'node:path';
import { InputError } from '../../input-error.ts';

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
