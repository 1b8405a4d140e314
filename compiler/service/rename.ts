/**
 * Renaming, across imports. The new names are tried before they are proposed: when any name of any spec that knows
 * the old one would mean something else afterwards, the rename is refused.
 */
import type { Span } from '../../grammar/source.ts';
import { keywords, spelling } from '../../grammar/tokens.ts';
import type { Host } from '../host.ts';
import { sameNamed, type GlobalKind, type Named, type Names, type Occurrence } from './names.ts';
import { namedAt, occurrencesOf } from './references.ts';
import { createWorkspace, type Analysis, type Workspace } from './workspace.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** The edits, or why there are none. */
type Renamed =
  { readonly ok: true; readonly edits: readonly Edit[] } | { readonly ok: false; readonly reason: string };

const refuse = (reason: string): Renamed => ({ ok: false, reason });

/** The name at a place, when it is one that can be given another. */
export const prepareRename = (workspace: Workspace, path: string, offset: number): Occurrence | null =>
  namedAt(workspace, path, offset);

/** Gives the thing named at a place another name. */
export function rename(workspace: Workspace, path: string, offset: number, text: string): Renamed {
  const occurrence = namedAt(workspace, path, offset);
  if (occurrence === null) return refuse('there is no name here');
  const { named } = occurrence;
  if (named.name.text === text) return { ok: true, edits: [] };
  const views = [...workspace.views(named.name.span.file)];
  const reason = unfit(named, text) ?? clash(views, named, text);
  if (reason !== null) return refuse(reason);
  const edits = occurrencesOf(workspace, named).map(({ span }) => ({ span, text }));
  const other = createWorkspace(edited(workspace.host, edits));
  const same = views.every((view) => {
    const after = other.analysis(view.path);
    return after !== null && meansTheSame(view.names(), after.names(), edits);
  });
  return same ? { ok: true, edits } : refuse(`\`${text}\` would then mean something else elsewhere`);
}

/** Words that mean something of their own where a param can stand. */
const valueWords = ['all', 'none', 'layers', 'input', 'true', 'false'];

function unfit(named: Named, text: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text))
    return `\`${text}\` is not a name: names are made of letters, digits and \`_\`, and do not begin with a digit`;
  const isKeyword = keywords.some((k) => spelling(k) === text);
  if (isKeyword || (named.kind === 'param' && valueWords.includes(text)))
    return `\`${text}\` is a word of the language`;
  return null;
}

const isGlobal = (kind: Named['kind']): kind is GlobalKind =>
  !['part', 'group', 'task', 'expert'].includes(kind);

/** Who has the new name already, where it would be given a second time. */
function clash(views: readonly Analysis[], named: Named, text: string): string | null {
  for (const view of views) {
    const names = view.names();
    if (isGlobal(named.kind) && names.globals[named.kind].has(text))
      return `there is a ${named.kind} \`${text}\` already`;
    for (const adapter of names.globals.adapter.keys()) {
      const members = names.members(adapter);
      const holds = [...members.values()].some((m) => sameNamed(m, named));
      const other = members.get(text);
      if (holds && other !== undefined) return `\`${adapter}\` has a ${other.kind} \`${text}\` already`;
    }
  }
  return null;
}

/** The host's files as they are after some edits. */
function edited(host: Host, edits: readonly Edit[]): Host {
  return {
    ...host,
    readFile: (path) => {
      const text = host.readFile(path);
      return text === null ? null : applyEdits(text, editsIn(path, edits));
    },
  };
}

const editsIn = (file: string, edits: readonly Edit[]): Edit[] =>
  edits.filter((e) => e.span.file === file).sort((a, b) => a.span.start - b.span.start);

function applyEdits(text: string, edits: readonly Edit[]): string {
  let out = '';
  let from = 0;
  for (const { span, text: replacement } of edits) {
    out += text.slice(from, span.start) + replacement;
    from = span.end;
  }
  return out + text.slice(from);
}

/** Where a place is after the edits before it. */
function moved(span: Span, edits: readonly Edit[]): string {
  const before = edits.filter((e) => e.span.file === span.file && e.span.start < span.start);
  const shift = before.reduce((sum, e) => sum + e.text.length - (e.span.end - e.span.start), 0);
  return `${span.file}:${span.start + shift}`;
}

/** Whether the same places are names of the same things. */
function meansTheSame(before: Names, after: Names, edits: readonly Edit[]): boolean {
  const list = (names: Names, place: (span: Span) => string): string[] =>
    names.occurrences.map((o) => `${place(o.span)} ${place(o.named.name.span)}`).sort();
  const old = list(before, (span) => moved(span, edits));
  const now = list(after, (span) => moved(span, []));
  return old.length === now.length && old.every((line, i) => line === now[i]);
}
