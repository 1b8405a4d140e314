/** Files in Node, read whole or in pieces. */
import { isUtf8 } from 'node:buffer';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DataHost } from '../data/host.ts';
import { InputError } from '../input-error.ts';
import type { ByteSource } from '../weights/source.ts';

/** `ENOENT` and the like; empty for what is no system error. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Whether a process lives; one of another user lives too. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Says which path was tried and from where, since a relative path in a spec is relative to the spec. */
export function cannotRead(path: string, error: unknown): InputError {
  const full = resolve(path);
  const code = codeOf(error);
  const reason =
    { ENOENT: 'there is no such file', EACCES: 'no permission to read it', EISDIR: 'it is a folder' }[code] ??
    (error instanceof Error ? error.message : String(error));
  return new InputError(
    `cannot read ${full}: ${reason}`,
    path === full ? 'check the path' : `\`${path}\` was taken from ${process.cwd()}; check the path`,
    { cause: error },
  );
}

/**
 * Reads a text file as UTF-8.
 * @throws InputError with the path tried and the current folder, or the line that is no UTF-8: read as if it were, its
 * letters would be trained on as replacement characters
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  if (!isUtf8(bytes))
    throw new InputError(`${path}:${firstForeignLine(bytes)}: not UTF-8 text`, 'save it as UTF-8');
  try {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString('utf8')
      .replace(/^\ufeff/, '');
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Number of the first line that is no UTF-8. */
function firstForeignLine(bytes: Uint8Array): number {
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}

/** Names of what is in a folder; null where the path is no folder. */
export const readFolder = (path: string): Promise<string[] | null> =>
  stat(path).then(
    (found) => (found.isDirectory() ? readdir(path) : null),
    () => null,
  );

/** Reads a whole file. @throws InputError as `readText` does */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Opens a file to be read in pieces. @throws InputError as `readText` does */
export async function openFile(path: string): Promise<ByteSource> {
  try {
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return {
      name: path,
      size,
      async read(offset, length) {
        const bytes = new Uint8Array(length);
        // One call may return less than it was asked for, 2 GiB at most on Linux.
        for (let done = 0; done < length;) {
          const { bytesRead } = await handle.read(
            bytes,
            done,
            Math.min(length - done, 1 << 30),
            offset + done,
          );
          if (bytesRead === 0) {
            throw new InputError(`${path} became shorter while it was read`, 'do not write to a file in use');
          }
          done += bytesRead;
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Whether there is a file or a folder, or a link to one. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A JSON file. @throws InputError when it is not there or no JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new InputError(`${path} is not valid JSON: ${String(cause)}`, 'get the file again', { cause });
  }
}

/** Reads data files relative to a folder, such as that of the spec which names them. */
export function dataHost(folder: string): DataHost {
  return {
    readText: (path) => readText(resolve(folder, path)),
    readBytes: (path) => readBytes(resolve(folder, path)),
    readFolder: (path) => readFolder(resolve(folder, path)),
  };
}
