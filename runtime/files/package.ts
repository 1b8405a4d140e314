/** Packages on disk, in Node. */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Manifest } from '../../compiler/package/package.ts';
import { readText } from './read.ts';
import { InputError } from '../input-error.ts';
import { loadPackage, packageFiles } from '../package.ts';
import type { Package } from '../session.ts';

/** Writes a package beside its place and moves it there, so that no half of one is ever found. */
export async function writePackage(
  folder: string,
  manifest: Manifest,
  sources: ReadonlyMap<string, string>,
): Promise<void> {
  await requireOwn(folder);
  const fresh = `${resolve(folder)}.${process.pid}.new`;
  try {
    await mkdir(join(fresh, 'kernels'), { recursive: true });
    for (const [path, text] of packageFiles(manifest, sources)) await writeFile(join(fresh, path), text);
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(resolve(folder)), { recursive: true });
    await rename(fresh, folder);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw new InputError(
      `cannot write the package ${resolve(folder)}: ${String(cause)}`,
      'free some space, or write elsewhere',
      { cause },
    );
  }
}

/** What lay in the folder before is deleted, so it must be a package and nothing else. */
async function requireOwn(folder: string): Promise<void> {
  const there = await stat(folder).catch(() => null);
  if (there && !there.isDirectory())
    throw new InputError(`${resolve(folder)} is a file`, 'give a folder with --out: nothing is overwritten');
  const names = there ? await readdir(folder).catch(() => []) : [];
  const foreign = names.filter((name) => name !== 'kernels' && name !== 'manifest.json');
  if (foreign.length > 0)
    throw new InputError(
      `${resolve(folder)} holds ${foreign.slice(0, 3).join(', ')}, which is no part of a package`,
      'give a folder of its own with --out: a package replaces what is there',
    );
}

/** Reads a package from a folder. */
export const readPackage = (folder: string): Promise<Package> =>
  loadPackage((path) => readText(join(folder, path)), folder);
