/**
 * Files in Node, written so that a half-written one is never taken for a whole one.
 *
 * A browser never loads this module. Every call goes through `FileSystem`, so tests can fill the disk.
 */
import * as fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../input-error.ts';
import { layoutSafetensors, type NewTensor } from '../weights/safetensors.ts';
import { codeOf, isAlive } from './read.ts';

/** What writing needs of a file system; Node's `fs/promises` fits. */
export interface FileSystem {
  open(path: string, flags: string): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

export interface WritableFile {
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

const nodeFs: FileSystem = fs;

/** Suffix of files being written; whatever bears it was left by a crash and may be deleted. */
export const UNFINISHED = '.unfinished';

/**
 * Writes a file as a whole or not at all: into a temporary file beside it, to the disk, then renamed over it.
 * @param size bytes in all, for the message when the disk is full
 * @throws InputError when the disk is full, or the folder cannot be written; the former file is untouched then
 */
export async function writeWhole(
  path: string,
  size: number,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  fileSystem: FileSystem = nodeFs,
): Promise<void> {
  const temporary = `${path}.${process.pid}${UNFINISHED}`;
  try {
    const file = await fileSystem.open(temporary, 'w');
    try {
      for await (const chunk of chunks) await writeAll(file, chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await fileSystem.rename(temporary, path);
    await syncFolder(dirname(path), fileSystem);
  } catch (error) {
    await fileSystem.unlink(temporary).catch(() => undefined);
    throw await cannotWrite(path, size, error);
  }
}

/** Deletes half-written files of crashed processes; a file that a live process is writing stays. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    const pid = new RegExp(`\\.(\\d+)\\${UNFINISHED}$`).exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      await fs.unlink(join(folder, name));
  }
}

async function writeAll(file: WritableFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes.subarray(done, done + (1 << 30)));
    if (bytesWritten === 0) throw Object.assign(new Error('the disk takes no more'), { code: 'ENOSPC' });
    done += bytesWritten;
  }
}

/** Makes the rename itself durable. Windows cannot open a folder, and needs none of it. */
async function syncFolder(folder: string, fileSystem: FileSystem): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fileSystem.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function cannotWrite(path: string, size: number, error: unknown): Promise<unknown> {
  const full = resolve(path);
  const help: Readonly<Record<string, string>> = {
    ENOSPC: `free some space (${(size / 2 ** 20).toFixed(1)} MiB are needed) or write elsewhere; what was there before is untouched`,
    EDQUOT: `your quota is used up (${(size / 2 ** 20).toFixed(1)} MiB are needed); what was there before is untouched`,
    ENOENT: 'the folder does not exist: make it first',
    EACCES: 'no permission: write elsewhere',
    EROFS: 'the file system is read-only: write elsewhere',
  };
  const code = codeOf(error);
  if (help[code] === undefined) return error;
  const free = await fs.statfs(dirname(full)).then(
    (info) => `, ${info.bavail * info.bsize} are free`,
    () => '',
  );
  const what =
    code === 'ENOSPC' || code === 'EDQUOT' ? `: the disk is full (${size} bytes needed${free})` : '';
  return new InputError(`cannot write ${full}${what}`, help[code], { cause: error });
}

/** Writes a text, whole or not at all. @throws InputError as `writeWhole` does */
export async function writeText(path: string, text: string, fileSystem: FileSystem = nodeFs): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  await writeWhole(path, bytes.length, [bytes], fileSystem);
}

/** Writes tensors as a safetensors file, whole or not at all. @throws InputError as `writeWhole` does */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<NewTensor>,
  metadata: Readonly<Record<string, string>> = {},
  fileSystem: FileSystem = nodeFs,
): Promise<void> {
  const { size, chunks } = layoutSafetensors(tensors, metadata);
  await writeWhole(path, size, chunks(), fileSystem);
}
