/** One file of the hub into the cache: resumed where an earlier attempt ended, and checked before it counts. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { exists } from '../files/read.ts';
import { InputError } from '../input-error.ts';

/** What the hub says of a file. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Its git object id: SHA-1 of the contents behind a header. */
  readonly oid: string;
  /** SHA-256 of the contents, for large files. */
  readonly sha256: string | null;
}

/**
 * Name of a file's contents in the cache, as Hugging Face's own tools name it.
 * @throws InputError when the hub gives no hash for it, which a path elsewhere would not be either
 */
function blobName({ path, oid, sha256 }: HubFile): string {
  const name = sha256 ?? oid;
  if (/^[0-9a-f]{40,64}$/.test(name)) return name;
  throw new InputError(
    `${path}: the hub names its contents \`${name}\`, which is no hash`,
    'check that HF_ENDPOINT is the address of a hub',
  );
}

/** Ends the names of files that are still being fetched. */
const INCOMPLETE = '.incomplete';

/**
 * Fetches the contents into `blobs` unless they are there, from the byte where an earlier attempt ended.
 * @param contents the file as it is on the hub; its slices are fetched when they are read
 * @param onBytes called with the bytes that are there by now
 * @throws InputError when the connection ends early (what came is kept) or when the contents are not what the hub says
 */
export async function fetchBlob(
  file: HubFile,
  blobs: string,
  contents: () => Promise<Blob>,
  onBytes: (done: number) => void,
): Promise<string> {
  const blob = join(blobs, blobName(file));
  if (await exists(blob)) return blob;
  await mkdir(blobs, { recursive: true });
  const partial = blob + INCOMPLETE;
  let done = await sizeOf(partial);
  if (done > file.size) {
    // Larger than the file can be: left by something else.
    await rm(partial);
    done = 0;
  }
  onBytes(done);
  if (done < file.size) done = await append(file, partial, done, await contents(), onBytes);
  if (done < file.size)
    throw new InputError(
      `${file.path}: the connection ended after ${done} of ${file.size} bytes`,
      'run the same command again: it goes on from there',
    );
  await check(file, partial);
  await rename(partial, blob);
  return blob;
}

async function append(
  file: HubFile,
  partial: string,
  from: number,
  contents: Blob,
  onBytes: (done: number) => void,
): Promise<number> {
  const handle = await open(partial, 'a');
  let done = from;
  try {
    for await (const chunk of (from === 0 ? contents : contents.slice(from)).stream()) {
      if (done + chunk.length > file.size)
        throw new InputError(
          `${file.path}: the hub sends more than the ${file.size} bytes it announced`,
          'the file may just have changed: run the same command again',
        );
      await handle.write(chunk);
      done += chunk.length;
      onBytes(done);
    }
    // What has the name of a whole file is never looked at again, so its bytes are on the disk before it gets it.
    await handle.sync();
  } finally {
    await handle.close();
  }
  return done;
}

/** Whether the contents are what the hub says; if not they are deleted, so that they are fetched anew. */
async function check(file: HubFile, path: string): Promise<void> {
  const hash: Hash = createHash(file.sha256 === null ? 'sha1' : 'sha256');
  if (file.sha256 === null) hash.update(`blob ${file.size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  const found = hash.digest('hex');
  const wanted = blobName(file);
  if (found === wanted) return;
  await rm(path);
  throw new InputError(
    `${file.path}: its contents have the hash ${found}, the hub says ${wanted}`,
    'it was damaged on the way and is deleted: run the same command again',
  );
}

/** Makes `pointer` stand for `blob`, by a symbolic link as in the cache of Hugging Face's own tools. */
export async function point(pointer: string, blob: string): Promise<void> {
  if (await exists(pointer)) return;
  await mkdir(dirname(pointer), { recursive: true });
  await rm(pointer, { force: true });
  await symlink(relative(dirname(pointer), blob), pointer);
}

/** Bytes of a file that are there already, whole or in part. */
export async function bytesThere(file: HubFile, blobs: string): Promise<number> {
  const blob = join(blobs, blobName(file));
  return (await exists(blob)) ? file.size : Math.min(file.size, await sizeOf(blob + INCOMPLETE));
}

const sizeOf = async (path: string): Promise<number> => ((await exists(path)) ? (await stat(path)).size : 0);
