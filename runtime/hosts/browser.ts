/**
 * The world of a project in a web page: specs as texts, every other file by fetch. Paths count from the page, and a path in a
 * spec from the folder of the spec.
 */
import { checkSpec } from '../../compiler/check/check.ts';
import { type Host, memoryHost } from '../../compiler/host.ts';
import { sha256 } from '../hash.ts';
import { decodePicture } from '../images/browser.ts';
import type { ProjectHost } from '../project/host.ts';
import { splitSpec } from '../project/spec-name.ts';
import { fetchPackage, fetchTokenizer, fetchWeights, fetchWhole } from './fetch.ts';

export interface PageOptions {
  /** Texts of the spec and of those it imports, by path; `fetchSpecs` loads them. */
  readonly specs: Readonly<Record<string, string>>;
  /** Takes warnings and remarks; default the console. */
  readonly warn?: (text: string) => void;
}

/** What `openProject` asks of a page. Pictures stay in memory, and nothing is known of the machine. */
export function pageHost({ specs, warn = (text) => console.warn(text) }: PageOptions): ProjectHost {
  const readBytes = async (path: string) => new Uint8Array(await (await fetchWhole(path)).arrayBuffer());
  return {
    specs: pageSpecs(specs),
    warn,
    readBytes,
    readText: async (path) => (await fetchWhole(path)).text(),
    openWeights: fetchWeights,
    openTokenizer: fetchTokenizer,
    openPackage: async (path) => (splitSpec(path).path.endsWith('.adapter') ? null : fetchPackage(path)),
    decodePicture,
    pictureCache: null,
    contentKey: async (path) => sha256([await readBytes(path)]),
    memory: null,
  };
}

/** Specs by path; an address, such as `https://...`, stands for itself wherever it is written. */
function pageSpecs(texts: Readonly<Record<string, string>>): Host {
  const { readFile, resolve } = memoryHost(texts);
  return {
    readFile,
    resolve: (from, path) => (/^[a-z][a-z0-9+.-]*:/i.test(path) ? path : resolve(from, path)),
  };
}

/** Loads a spec and all that it imports. @throws InputError for one that cannot be loaded */
export async function fetchSpecs(path: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (let missing = new Set([path]); missing.size > 0;) {
    for (const file of missing) texts[file] = await (await fetchWhole(file)).text();
    missing = new Set();
    const { readFile, resolve } = pageSpecs(texts);
    // The checker asks for every import that it comes to; those that are not there yet come next.
    checkSpec(path, { resolve, readFile: (file) => readFile(file) ?? (missing.add(file), null) });
  }
  return texts;
}
