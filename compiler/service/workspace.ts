/**
 * What an editor has in front of it: specs by path, read through a Host in which open documents lie over the disk.
 *
 * Everything here is a function of the texts the host gives. What was made of them is kept, and made again when one
 * of the texts it came from is another.
 */
import type { File } from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { parse, type Parsed } from '../../grammar/parser.ts';
import type { Source } from '../../grammar/source.ts';
import { checkLoaded, type Checked } from '../check/check.ts';
import { loadFiles, type Loaded } from '../check/load.ts';
import type { Host } from '../host.ts';
import { nameFiles, type Names } from './names.ts';
import { remembering, type Memory } from './remember.ts';

/** A spec with everything it imports. */
export interface Analysis {
  readonly path: string;
  /** What is imported comes first, the spec itself last. */
  readonly files: readonly File[];
  readonly sources: ReadonlyMap<string, string>;
  /** What an editor shows of it; sweeps, whose values are tried one by one, are left alone. */
  readonly checked: () => Checked;
  /** Everything that is wrong with it. */
  readonly diagnostics: () => readonly Diagnostic[];
  readonly names: () => Names;
}

export interface Workspace {
  readonly host: Host;
  /** The tree of one file; null when it is not there. */
  readonly parsed: (path: string) => Parsed | null;
  /** One file as the spec that is checked; null when it is not there. */
  readonly analysis: (path: string) => Analysis | null;
  /** Every spec that reads a file: itself first, then those that import it, one after the other as they are asked for. */
  readonly views: (path: string) => Iterable<Analysis>;
}

/** Prepares a workspace. `specs` lists the paths of all specs in it, among which importers are looked for. */
export function createWorkspace(host: Host, specs: () => readonly string[] = () => []): Workspace {
  const trees = new Map<string, { readonly text: string; readonly parsed: Parsed }>();
  const memories = new Map<string, Memory>();
  const known = new Map<string, { readonly reads: Reads; readonly analysis: Analysis }>();

  const read = ({ file, text }: Source): Parsed => {
    const before = trees.get(file);
    if (before?.text === text) return before.parsed;
    const parsed = parse({ file, text });
    trees.set(file, { text, parsed });
    return parsed;
  };
  const parsed = (path: string): Parsed | null => {
    const text = host.readFile(path);
    return text === null ? null : read({ file: path, text });
  };
  const analysis = (path: string): Analysis | null => {
    const before = known.get(path);
    if (before !== undefined && isCurrent(before.reads)) return before.analysis;
    const reads: Reads = new Map();
    const recorder = recording(host, reads);
    const loaded = loadFiles(path, recorder, read);
    if (loaded === null) return null;
    const memory = memories.get(path) ?? new Map();
    memories.set(path, memory);
    const made = analyse(path, loaded, recorder, memory);
    known.set(path, { reads, analysis: made });
    return made;
  };
  function* views(path: string): Iterable<Analysis> {
    const own = analysis(path);
    if (own !== null) yield own;
    for (const spec of specs()) {
      const view = spec === path ? null : analysis(spec);
      if (view?.sources.has(path) === true) yield view;
    }
  }
  return { host, parsed, analysis, views };
}

/** What a view asked of its host, with the answers: texts and folders, null for what was not there. */
type Reads = Map<string, { readonly ask: () => string | null; readonly answer: string | null }>;

function recording(host: Host, reads: Reads): Host {
  const record = (key: string, ask: () => string | null): string | null => {
    const answer = ask();
    reads.set(key, { ask, answer });
    return answer;
  };
  return {
    ...host,
    readFile: (path) => record(`file ${path}`, () => host.readFile(path)),
    model: (name) => record(`model ${name}`, () => host.model?.(name) ?? null),
  };
}

const isCurrent = (reads: Reads): boolean => [...reads.values()].every(({ ask, answer }) => ask() === answer);

function analyse(path: string, loaded: Loaded, host: Host, memory: Memory): Analysis {
  const remember = remembering(memory, loaded.sources);
  const check = (withoutSweeps: boolean): Checked =>
    checkLoaded({ ...loaded, sources: new Map(loaded.sources) }, path, host, { remember, withoutSweeps });
  return {
    path,
    files: loaded.files,
    sources: loaded.sources,
    checked: once(() => check(true)),
    diagnostics: once(() => check(false).diagnostics),
    names: once(() => nameFiles(loaded.files)),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** The tree of the file a view was asked for. */
export const ownFile = (analysis: Analysis): File | undefined =>
  analysis.files.find((f) => f.file === analysis.path);
