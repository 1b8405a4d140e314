/** `extends`, `override` and `drop` worked out: an adapter as if it had been written in one piece. */
import type {
  AdapterDeclaration,
  ExpertItem,
  Field,
  GroupItem,
  Item,
  Name,
  OverrideItem,
  PartItem,
  TaskItem,
} from '../../grammar/ast.ts';
import { kindOf, kinds } from '../kinds/index.ts';
import type { Env } from './env.ts';
import {
  cannotOverride,
  declaredTwice,
  extendsCycle,
  inheritedTwice,
  noBase,
  nothingToChange,
  unknownDeclaration,
} from './diagnostics/declarations.ts';
import { MAX_DEPTH, tooLarge } from './diagnostics/params.ts';
import { unknownKind } from './diagnostics/parts.ts';

/** An item and how deep in the chain of `extends` it was last written: 0 is the root. */
export type FlatItem = (PartItem | GroupItem | TaskItem | ExpertItem) & { readonly depth: number };

export interface FlatAdapter {
  readonly declaration: AdapterDeclaration;
  readonly base: Name;
  /** Names of the adapters it stems from, itself last. */
  readonly chain: readonly string[];
  /** In the order they were first written; an override keeps its place. */
  readonly items: readonly FlatItem[];
  /** Dropped names and the depth of the `drop`. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** The adapter in one piece, or null when it has no base to stand on. */
export function flattenAdapter(env: Env, declaration: AdapterDeclaration): FlatAdapter | null {
  const chain = chainOf(env, declaration);
  if (chain === null) return null;
  const base = chain.findLast((d) => d.base !== null)?.base ?? null;
  if (base === null) {
    env.report(noBase(declaration.name, [...env.scope.bases.keys()]));
    return null;
  }
  const items = new Map<string, FlatItem>();
  const dropped = new Map<string, number>();
  chain.forEach((adapter, depth) => {
    for (const item of adapter.items) apply(env, item, depth, items, dropped);
  });
  return { declaration, base, chain: chain.map((d) => d.name.text), items: [...items.values()], dropped };
}

/** From the root to the adapter itself. */
function chainOf(env: Env, declaration: AdapterDeclaration): AdapterDeclaration[] | null {
  const chain = [declaration];
  for (let at = declaration; at.parent !== null;) {
    const parent = env.scope.adapters.get(at.parent.text);
    if (parent === undefined) {
      env.report(unknownDeclaration(at.parent, 'adapter', [...env.scope.adapters.keys()]));
      return null;
    }
    if (chain.includes(parent)) {
      env.report(
        extendsCycle(
          at.parent,
          chain.map((d) => d.name.text),
        ),
      );
      return null;
    }
    if (chain.length >= MAX_DEPTH) {
      env.report(tooLarge(declaration.name, 'adapter'));
      return null;
    }
    chain.unshift(parent);
    at = parent;
  }
  return chain;
}

function apply(
  env: Env,
  item: Item,
  depth: number,
  items: Map<string, FlatItem>,
  dropped: Map<string, number>,
): void {
  const name = item.name.text;
  if (name === '') return;
  const old = items.get(name);
  if (item.kind === 'drop' || item.kind === 'override') {
    if (old === undefined) env.report(nothingToChange(item, [...items.keys()], depth > 0));
    else if (item.kind === 'drop') {
      items.delete(name);
      dropped.set(name, depth);
    } else items.set(name, overridden(env, old, item, depth));
  } else if (old !== undefined && item.kind === 'part' && kindOf(item.type.text) === undefined) {
    const known = kinds.map((kind) => kind.name);
    env.report(unknownKind(item.type, item.name, known));
  } else if (old !== undefined) {
    env.report(old.depth < depth ? inheritedTwice(item, old) : declaredTwice(item.name, item.kind, old.name));
  } else {
    items.set(name, { ...item, depth });
    dropped.delete(name);
  }
}

function overridden(env: Env, old: FlatItem, change: OverrideItem, depth: number): FlatItem {
  const { value, on, from, trains } = change;
  const misplaced = (clause: string): FlatItem => {
    env.report(cannotOverride(change, old.kind, clause));
    return old;
  };
  if (value !== null && old.kind !== 'group') return misplaced('=');
  if (from !== null && old.kind !== 'part') return misplaced('from');
  if (trains !== null && old.kind !== 'task') return misplaced('trains');
  const fields = 'fields' in old ? merged(old.fields, change.fields) : [];
  switch (old.kind) {
    case 'group':
      return value === null ? misplaced('attributes') : { ...old, value, depth };
    case 'part':
      return { ...old, on: on ?? old.on, from: from ?? old.from, fields, depth };
    case 'expert':
      return on === null ? { ...old, fields, depth } : misplaced('on');
    case 'task': {
      if (trains === null) return on === null ? { ...old, fields } : misplaced('on');
      return on === null ? { ...old, trains, fields, depth } : misplaced('on');
    }
  }
}

/** Attributes written in an override take the place of inherited ones of the same name. */
function merged(old: readonly Field[], changes: readonly Field[]): Field[] {
  const changed = new Set(changes.map((f) => f.name.text));
  return [...old.filter((f) => !changed.has(f.name.text)), ...changes];
}
