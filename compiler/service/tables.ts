/** Which attributes a block may hold, and how their types are taken apart. */
import type { Declaration, Item } from '../../grammar/ast.ts';
import { baseFields } from '../check/bases.ts';
import { expertFields } from '../check/experts.ts';
import { recipeFields } from '../check/recipes.ts';
import { taskFields } from '../check/tasks.ts';
import { kindOf } from '../kinds/index.ts';
import type { Field, FieldType } from '../kinds/kind.ts';

export type Table = Readonly<Record<string, Field>>;

const tables: Readonly<Record<string, Table>> = {
  base: baseFields,
  recipe: recipeFields,
  task: taskFields,
  expert: expertFields,
};

/** The attributes of what begins with a word: `base`, `task`, or a kind of part. */
export const tableAfter = (head: string): Table | null =>
  (Object.hasOwn(tables, head) ? tables[head] : kindOf(head)?.fields) ?? null;

/** The attributes of a declaration or item, or null when it has none or nobody knows its kind. */
export const tableOf = (node: Declaration | Item): Table | null =>
  tableAfter(node.kind === 'part' ? node.type.text : node.kind);

/** The row of that name; a table's own, not an object's. */
export const rowOf = (table: Table | null, name: string): Field | undefined =>
  table !== null && Object.hasOwn(table, name) ? table[name] : undefined;

/** A type, or each of those it offers. */
export const alternatives = (type: FieldType): readonly FieldType[] =>
  type.kind === 'any' ? type.of.flatMap(alternatives) : [type];

/** The arguments of a call that a type offers. */
export function argumentsOf(
  type: FieldType,
  call: string,
): { readonly rows: Table; readonly rest: FieldType | undefined } | null {
  for (const t of alternatives(type)) {
    const rows = t.kind === 'call' && Object.hasOwn(t.calls, call) ? t.calls[call] : undefined;
    if (t.kind === 'call' && rows !== undefined) return { rows, rest: t.rest };
  }
  return null;
}

/** What the items of a list are, when a type offers a list. */
export function itemType(type: FieldType): FieldType | null {
  const list = alternatives(type).find((t) => t.kind === 'list');
  return list?.kind === 'list' ? list.of : null;
}

/** The type and documentation of an argument, by its name or its place. */
export function argumentRow(
  type: FieldType,
  call: string,
  name: string | null,
  index: number,
): { readonly name: string; readonly row: Field | null; readonly type: FieldType } | null {
  const known = argumentsOf(type, call);
  if (known === null) return null;
  const key = name ?? Object.keys(known.rows)[index];
  if (key === undefined) return null;
  const row = rowOf(known.rows, key) ?? null;
  const its = row?.type ?? known.rest;
  return its === undefined ? null : { name: key, row, type: its };
}
