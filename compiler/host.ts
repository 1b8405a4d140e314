/** All that the compiler asks of the world: files. Node, a browser and a test each give their own. */
export interface Host {
  /** The text of a file, or null when there is none. */
  readonly readFile: (path: string) => string | null;
  /** The path that `path`, written inside the file `from`, stands for. */
  readonly resolve: (from: string, path: string) => string;
  /** The folder of a model that has been fetched before, by its name `ORG/NAME`, or null; absent: none is known. */
  readonly model?: (name: string) => string | null;
}

/** Files held in memory, by path; paths are joined with slashes. */
export function memoryHost(files: Readonly<Record<string, string>>): Host {
  return {
    readFile: (path) => (Object.hasOwn(files, path) ? (files[path] ?? null) : null),
    resolve: (from, path) => normalise(path.startsWith('/') ? path : `${from.replace(/[^/]*$/, '')}${path}`),
  };
}

function normalise(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.' || (part === '' && out.length > 0)) continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return out.join('/');
}
