/** Packages as folders: `manifest.json` and one `kernels/NAME.wgsl` a kernel. Reading works over any transport. */
import { type Manifest, PACKAGE_FORMAT } from '../compiler/package/package.ts';
import { InputError } from './input-error.ts';
import type { Package } from './session.ts';

/** Reads a text file of the package by its path inside: from disk, by fetch, from memory. */
export type ReadText = (path: string) => Promise<string>;

/** A package's files by path. */
export function packageFiles(manifest: Manifest, sources: ReadonlyMap<string, string>): Map<string, string> {
  const files = new Map([...sources].map(([name, code]) => [`kernels/${name}.wgsl`, code]));
  // The manifest comes last: a folder without one is not a package yet.
  return files.set('manifest.json', `${JSON.stringify(manifest)}\n`);
}

/**
 * Loads a package.
 * @throws InputError when the manifest is no manifest, is of another version, or a kernel is missing
 */
export async function loadPackage(read: ReadText, where: string): Promise<Package> {
  const manifest = parseManifest(await read('manifest.json'), where);
  const codes = manifest.kernels.map(async ({ name }) => [name, await read(`kernels/${name}.wgsl`)] as const);
  return { manifest, shaders: Object.fromEntries(await Promise.all(codes)) };
}

/** Without these nothing can be run; what they hold was written by the compiler. */
const LISTS: (keyof Manifest)[] = ['parameters', 'cells', 'tasks', 'constants', 'kernels', 'programs'];

function parseManifest(text: string, where: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputError(
      `${where}/manifest.json is not valid JSON: ${String(cause)}`,
      'build the package again',
      { cause },
    );
  }
  const manifest = value as Partial<Manifest> | null;
  if (manifest?.format === PACKAGE_FORMAT) {
    const broken = LISTS.filter((key) => !Array.isArray(manifest[key]));
    if (typeof manifest.buffers !== 'object' || manifest.buffers === null) broken.push('buffers');
    if (broken.length === 0) return manifest as Manifest;
    throw new InputError(
      `${where}/manifest.json is damaged: it has no \`${broken[0]}\``,
      'build the package again',
    );
  }
  throw new InputError(
    `${where}/manifest.json is ${manifest?.format === undefined ? 'no package' : `a package of format ${manifest.format}, this runtime reads ${PACKAGE_FORMAT}`}`,
    'build the package again with this version: `graft build SPEC --out FOLDER`',
  );
}
