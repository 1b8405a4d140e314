/**
 * Checkpoints of a training run: a folder of `step-00000120.safetensors`, each written whole or not at all.
 *
 * A run can be stopped at any instant, by a full disk or a lost machine, and continues from the last undamaged file.
 * Each file carries a sha256 of its contents; a file that does not match its sha256 is skipped, and the one before it
 * is tried.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, unlink } from 'node:fs/promises';
import * as fs from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openFile } from '../files.ts';
import { type FileSystem, removeUnfinished, writeWhole } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import { toFloat32 } from '../weights/dtypes.ts';
import { layoutSafetensors, openSafetensors } from '../weights/safetensors.ts';
import type { Checkpoint, CheckpointMeta, CheckpointTensor, LoadedCheckpoint } from './run-store.ts';

export interface SaveOptions {
  /** Files kept, the new one included. Default 2. */
  readonly keep?: number;
  readonly fileSystem?: FileSystem;
}

const fileName = (step: number): string => `step-${String(step).padStart(8, '0')}.safetensors`;
const pattern = /^step-(\d{8,})\.safetensors$/;

/**
 * Saves a checkpoint, then removes the oldest beyond `keep`.
 * @returns the path of the new file
 * @throws InputError when it cannot be written, with the bytes it needs; earlier checkpoints are untouched then
 */
export async function saveCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  options: SaveOptions = {},
): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new InputError(`cannot make the folder ${resolve(folder)}: ${String(cause)}`, 'write elsewhere', {
      cause,
    });
  }
  await removeUnfinished(folder);
  const meta = JSON.stringify(checkpoint.meta);
  const sha256 = hash(meta, layoutSafetensors(checkpoint.tensors).chunks());
  const { size, chunks } = layoutSafetensors(checkpoint.tensors, {
    format: 'graft-checkpoint/1',
    meta,
    sha256,
  });
  const path = join(folder, fileName(checkpoint.meta.step));
  await writeWhole(path, size, chunks(), options.fileSystem ?? fs);
  for (const old of (await list(folder)).slice(options.keep ?? 2)) await unlink(join(folder, old));
  return path;
}

/** sha256 of the metadata and the tensors' bytes; the first chunk is the header, which will hold it. */
function hash(meta: string, chunks: Iterator<Uint8Array>): string {
  const sha256 = createHash('sha256').update(meta);
  chunks.next();
  for (let next = chunks.next(); !next.done; next = chunks.next()) sha256.update(next.value);
  return sha256.digest('hex');
}

/** Names of checkpoints, the newest first; none when there is no such folder. */
async function list(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const step = (name: string): number => Number(pattern.exec(name)![1]);
  return names.filter((name) => pattern.test(name)).sort((a, b) => step(b) - step(a));
}

/**
 * Loads the newest whole checkpoint of a folder.
 * @returns null when there is none yet
 * @throws InputError when there are some and all of them are damaged
 */
export async function loadCheckpoint(folder: string): Promise<LoadedCheckpoint | null> {
  const names = await list(folder);
  if (names.length === 0) return null;
  await removeUnfinished(folder);
  const skipped: { path: string; reason: string }[] = [];
  for (const name of names) {
    const path = join(folder, name);
    try {
      return { ...(await readCheckpoint(path)), path, skipped };
    } catch (error) {
      skipped.push({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  throw new InputError(
    `every checkpoint in ${resolve(folder)} is damaged:${skipped.map(({ reason }) => `\n  ${reason}`).join('')}`,
    'start the run again, or copy a whole checkpoint into the folder',
  );
}

async function readCheckpoint(path: string): Promise<Pick<LoadedCheckpoint, 'tensors' | 'meta'>> {
  const source = await openFile(path);
  try {
    const file = await openSafetensors(source);
    const { meta, sha256 } = file.metadata;
    if (meta === undefined || sha256 === undefined) {
      throw new InputError(`${path} is no checkpoint of a run`, 'take it out of the folder');
    }
    const actual = createHash('sha256').update(meta);
    const tensors = new Map<string, CheckpointTensor>();
    // The checksum is over the bytes in the order they lie in.
    for (const { name, shape, dtype } of [...file.tensors.values()].sort((a, b) => a.offset - b.offset)) {
      const bytes = await file.readBytes(name);
      actual.update(bytes);
      tensors.set(name, { name, shape, values: toFloat32(bytes, dtype) });
    }
    if (actual.digest('hex') !== sha256)
      throw new InputError(`${path}: the checksum does not match`, 'the file is damaged');
    return { tensors, meta: JSON.parse(meta) as CheckpointMeta };
  } finally {
    await source.close();
  }
}
