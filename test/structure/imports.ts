/** Who imports whom, as the sources say: values and types, static and dynamic imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The imports among all source files below some folders of the repository, by their paths from its root. */
export function importsBelow(folders: readonly string[]): Graph {
  const files = folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(folder, file).replaceAll('\\', '/'),
      ),
    )
    .filter(
      (file) => /\.m?ts$|\.mjs$/.test(file) && !/\.d\.m?ts$/.test(file) && !/(^|\/)node_modules\//.test(file),
    );
  const known = new Set(files);
  return new Map(files.map((file) => [file, new Set(importsOf(file).filter((path) => known.has(path)))]));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\b(?:from|import|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    relative(root, join(root, dirname(file), path ?? '')).replaceAll('\\', '/'),
  );
}

/** Folders that hold a file of the graph somewhere below them. */
export const foldersOf = (graph: Graph): string[] =>
  [
    ...new Set(
      [...graph.keys()].flatMap((file) => {
        const parts = file.split('/').slice(0, -1);
        return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
      }),
    ),
  ].sort();

/** The same imports among the rooms of one folder: its sub-folders, and the files that lie in it by themselves. */
export function roomsOf(graph: Graph, folder: string): Graph {
  const room = (file: string): string | null =>
    file.startsWith(`${folder}/`) ? (file.slice(folder.length + 1).split('/')[0] ?? null) : null;
  const rooms = new Map<string, Set<string>>();
  for (const [file, imports] of graph) {
    const from = room(file);
    if (from === null) continue;
    const to = rooms.get(from) ?? new Set();
    rooms.set(from, to);
    for (const path of imports) {
      const target = room(path);
      if (target !== null && target !== from) to.add(target);
    }
  }
  return rooms;
}

/** Sets of nodes of which each reaches each other, of more than one node: Tarjan's strongly connected components. */
export function ringsOf(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const stack: string[] = [];
  const rings: string[][] = [];
  const visit = (node: string): number => {
    const own = index.size;
    index.set(node, own);
    let least = own;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) least = Math.min(least, visit(next));
      else if (stack.includes(next)) least = Math.min(least, index.get(next) ?? own);
    }
    if (least < own) return least;
    const ring = stack.splice(stack.indexOf(node));
    if (ring.length > 1) rings.push(ring.sort());
    return least;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return rings;
}
