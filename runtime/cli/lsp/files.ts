/** The files of a language server: open documents laid over the disk, and the specs in the folders that are open. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Host } from '../../../compiler/host.ts';
import { cachedModel } from '../../hub/cached.ts';

/** A path for a file's URI; other URIs, of documents that were never saved, stand for themselves. */
export function pathOf(uri: string): string {
  try {
    return uri.startsWith('file:') ? fileURLToPath(uri) : uri;
  } catch {
    return uri;
  }
}

export const uriOf = (path: string): string => (isAbsolute(path) ? pathToFileURL(path).href : path);

export interface Files {
  readonly host: Host;
  /** Paths of the specs in the open folders and of the open documents. */
  readonly specs: () => readonly string[];
  readonly setFolders: (paths: readonly string[]) => void;
  /** Something on the disk is another than before. */
  readonly forget: () => void;
}

/** What is read from the disk is taken for true so long, in milliseconds; an editor asks many times for one answer. */
const FRESH = 1000;

/** Open documents. */
export interface Open {
  readonly text: (path: string) => string | undefined;
  readonly paths: () => readonly string[];
}

/** The files as a server sees them. */
export function createFiles(open: Open): Files {
  let folders: readonly string[] = [];
  let texts = new Map<string, string | null>();
  let listed: readonly string[] | null = null;
  let readAt = 0;

  const refresh = (): void => {
    if (Date.now() - readAt < FRESH) return;
    forget();
    readAt = Date.now();
  };
  const forget = (): void => {
    texts = new Map();
    listed = null;
  };
  const readFile = (path: string): string | null => {
    const written = open.text(path);
    if (written !== undefined) return written;
    refresh();
    const known = texts.get(path);
    if (known !== undefined) return known;
    const text = readText(path);
    texts.set(path, text);
    return text;
  };
  const resolve = (from: string, path: string): string =>
    isAbsolute(path) ? path : join(isAbsolute(from) ? dirname(from) : (folders[0] ?? '.'), path);
  const specs = (): readonly string[] => {
    refresh();
    listed ??= folders.flatMap(listSpecs);
    return [...new Set([...open.paths(), ...listed])];
  };
  return {
    host: { readFile, resolve, model: (name) => cachedModel(name) },
    specs,
    forget,
    setFolders: (paths) => (folders = paths),
  };
}

function readText(path: string): string | null {
  try {
    return isAbsolute(path) ? readFileSync(path, 'utf8') : null;
  } catch {
    return null;
  }
}

/** Folders that are looked into at most, so that a home directory can be opened. */
const MOST_FOLDERS = 5000;

/** Every `.adapter` file below a folder, hidden ones and those of packages left out. */
function listSpecs(root: string): string[] {
  const found: string[] = [];
  const queue = [root];
  for (let looked = 0; queue.length > 0 && looked < MOST_FOLDERS; looked++) {
    const folder = queue.shift() ?? root;
    for (const entry of entriesOf(folder)) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory()) queue.push(join(folder, entry.name));
      else if (entry.isFile() && entry.name.endsWith('.adapter')) found.push(join(folder, entry.name));
    }
  }
  return found;
}

function entriesOf(folder: string): readonly import('node:fs').Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
