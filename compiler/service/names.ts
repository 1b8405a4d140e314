/**
 * Every name in a spec and its imports: where it is declared and where it is used.
 *
 * The checker resolves names on its way to a Model and forgets where they stood; this is the same resolution for
 * editors. It says nothing about mistakes: a name that leads nowhere has no occurrence.
 */
import type { AdapterDeclaration, Declaration, File, Item, Name } from '../../grammar/ast.ts';
import { usesOf, type Use } from './uses.ts';

export type GlobalKind = 'base' | 'param' | 'data' | 'adapter' | 'recipe' | 'sweep';
type MemberKind = 'part' | 'group' | 'task' | 'expert';

/** Something with a name. */
export interface Named {
  readonly kind: GlobalKind | MemberKind;
  readonly name: Name;
  readonly node: Declaration | Item;
  /** The adapter it is an item of. */
  readonly adapter: AdapterDeclaration | null;
}

/** One place where a name is written. */
export interface Occurrence {
  readonly span: Name['span'];
  readonly named: Named;
  readonly declares: boolean;
  /** The adapter that is being written there, in which an inherited name may have a meaning of its own. */
  readonly within: AdapterDeclaration | null;
}

export type Members = ReadonlyMap<string, Named>;

export interface Names {
  /** In no particular order. */
  readonly occurrences: readonly Occurrence[];
  readonly globals: Readonly<Record<GlobalKind, ReadonlyMap<string, Named>>>;
  /** Parts, groups, tasks and experts of an adapter, inherited ones with them. */
  readonly members: (adapter: string) => Members;
}

/** Collects the names of files that were loaded together. */
export function nameFiles(files: readonly File[]): Names {
  const declarations = files.flatMap((f) => f.declarations);
  const occurrences: Occurrence[] = [];
  const globals = collectGlobals(declarations, occurrences);
  const bodies = readBodies(globals, occurrences);
  const bodyNamed = (name: string): Body => {
    const node = globals.adapter.get(name)?.node;
    return node?.kind === 'adapter' ? bodies(node) : emptyBody;
  };
  for (const d of declarations) {
    const within = d.kind === 'adapter' ? d : null;
    const own =
      d.kind === 'adapter' ? bodies(d) : d.kind === 'recipe' ? bodyNamed(d.adapter.text) : emptyBody;
    for (const use of usesOf(d, (name) => own.items.get(name)?.node)) {
      const named = resolve(use, globals, own.items);
      if (named !== undefined) occurrences.push({ span: use.name.span, named, declares: false, within });
    }
  }
  const members = (name: string): Members => {
    const { items, dropped } = bodyNamed(name);
    return new Map([...items].filter(([item]) => !dropped.has(item)));
  };
  return { occurrences, globals, members };
}

/** The name written at a place, whose end counts too. */
export const occurrenceAt = (names: Names, file: string, offset: number): Occurrence | undefined =>
  names.occurrences.find(
    ({ span }) => span.file === file && span.start <= offset && offset <= span.end && span.start < span.end,
  );

/** Two are the same when they are declared in the same place. */
export const sameNamed = (a: Named, b: Named): boolean =>
  a.name.span.file === b.name.span.file && a.name.span.start === b.name.span.start;

function resolve({ name, of }: Use, globals: Globals, items: Members): Named | undefined {
  if (of !== 'member' && of !== 'task') return globals[of].get(name.text);
  const named = items.get(name.text);
  return of === 'task' && named?.kind !== 'task' ? undefined : named;
}

type Globals = Record<GlobalKind, Map<string, Named>>;

function collectGlobals(declarations: readonly Declaration[], occurrences: Occurrence[]): Globals {
  const globals: Globals = {
    ...{ base: new Map(), param: new Map(), data: new Map() },
    ...{ adapter: new Map(), recipe: new Map(), sweep: new Map() },
  };
  for (const d of declarations) {
    if (d.kind === 'import' || d.name.text === '') continue;
    const named: Named = { kind: d.kind, name: d.name, node: d, adapter: null };
    occurrences.push({ span: d.name.span, named, declares: true, within: null });
    if (!globals[d.kind].has(d.name.text)) globals[d.kind].set(d.name.text, named);
  }
  return globals;
}

/** An adapter's items by name. What was dropped still means what it meant, and its name is free again. */
interface Body {
  readonly items: Members;
  readonly dropped: ReadonlySet<string>;
}

const emptyBody: Body = { items: new Map(), dropped: new Set() };

/** What each adapter has after its `extends`, `override` and `drop`. */
function readBodies(globals: Globals, occurrences: Occurrence[]): (d: AdapterDeclaration) => Body {
  const done = new Map<AdapterDeclaration, Body>();
  const of = (adapter: AdapterDeclaration): Body => {
    const known = done.get(adapter);
    if (known !== undefined) return known;
    // An adapter that extends itself inherits nothing.
    done.set(adapter, emptyBody);
    const parent = globals.adapter.get(adapter.parent?.text ?? '')?.node;
    const body = readBody(adapter, parent?.kind === 'adapter' ? of(parent) : emptyBody, occurrences);
    done.set(adapter, body);
    return body;
  };
  return of;
}

function readBody(adapter: AdapterDeclaration, inherited: Body, occurrences: Occurrence[]): Body {
  const items = new Map(inherited.items);
  const dropped = new Set(inherited.dropped);
  for (const item of adapter.items) {
    const { name } = item;
    if (name.text === '') continue;
    const before = items.get(name.text);
    if (item.kind === 'override' || item.kind === 'drop') {
      if (before === undefined) continue;
      occurrences.push({ span: name.span, named: before, declares: false, within: adapter });
      if (item.kind === 'drop') dropped.add(name.text);
    } else {
      const named: Named = { kind: item.kind, name, node: item, adapter };
      occurrences.push({ span: name.span, named, declares: true, within: adapter });
      if (before === undefined || dropped.delete(name.text)) items.set(name.text, named);
    }
  }
  return { items, dropped };
}
