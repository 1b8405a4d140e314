/** Where a name is declared and where it is used, across every spec that knows it. */
import type { Span } from '../../grammar/source.ts';
import { occurrenceAt, sameNamed, type Named, type Occurrence } from './names.ts';
import { holds } from './spot.ts';
import { ownFile, type Workspace } from './workspace.ts';

/** What is named at a place, as the file itself or a spec that imports it understands it. */
export function namedAt(workspace: Workspace, path: string, offset: number): Occurrence | null {
  for (const view of workspace.views(path)) {
    const found = occurrenceAt(view.names(), path, offset);
    if (found !== undefined) return found;
  }
  return null;
}

/** Where the name at a place is declared; for an import, its file, and for the model of a base, its config.json. */
export function definition(workspace: Workspace, path: string, offset: number): Span | null {
  const occurrence = namedAt(workspace, path, offset);
  if (occurrence !== null) return occurrence.named.name.span;
  const view = workspace.analysis(path);
  for (const d of (view === null ? undefined : ownFile(view))?.declarations ?? []) {
    if (d.kind === 'base' && d.from !== null && holds(d.from.span, offset)) {
      const config = view?.checked().bases[d.name.text]?.config;
      return config === undefined ? null : { file: config, start: 0, end: 0 };
    }
    if (d.kind !== 'import' || !holds(d.pathSpan, offset)) continue;
    const file = workspace.host.resolve(path, d.path);
    return view?.sources.has(file) === true ? { file, start: 0, end: 0 } : null;
  }
  return null;
}

/** Every place where the thing named at a place is written, in the order of files and places. */
export function references(workspace: Workspace, path: string, offset: number): readonly Occurrence[] {
  const occurrence = namedAt(workspace, path, offset);
  return occurrence === null ? [] : occurrencesOf(workspace, occurrence.named);
}

/** Every occurrence of one thing, each place once. */
export function occurrencesOf(workspace: Workspace, named: Named): readonly Occurrence[] {
  const found = new Map<string, Occurrence>();
  for (const view of workspace.views(named.name.span.file)) {
    for (const o of view.names().occurrences)
      if (sameNamed(o.named, named)) found.set(`${o.span.file}\n${o.span.start}`, o);
  }
  return [...found.values()].sort(
    (a, b) =>
      (a.span.file < b.span.file ? -1 : a.span.file > b.span.file ? 1 : 0) || a.span.start - b.span.start,
  );
}
