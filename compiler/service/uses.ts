/** Which names a declaration uses, and what each is looked for among. */
import {
  singleName,
  type Declaration,
  type Expression,
  type Field,
  type Item,
  type Name,
  type OverrideItem,
  type PartItem,
  type SweepDeclaration,
} from '../../grammar/ast.ts';
import { namesIn } from '../check/scope.ts';
import { isOwnWord } from '../check/values.ts';
import type { FieldType } from '../kinds/kind.ts';
import { alternatives, argumentRow, argumentsOf, itemType, rowOf, tableOf, type Table } from './tables.ts';

/** A name, and the sort of thing it is looked for among; a member is an item of the adapter at hand. */
export interface Use {
  readonly name: Name;
  readonly of: 'base' | 'param' | 'data' | 'adapter' | 'recipe' | 'member' | 'task';
}

/** Names in layers, in places and in values nobody has a type for. */
const looseUses = (e: Expression): Use[] => namesIn(e).map((name) => ({ name, of: 'param' }));

/** Names in `words + norms - base`, less those behind a dot. */
function memberUses(e: Expression): Use[] {
  if (e.kind === 'binary') return [...memberUses(e.left), ...memberUses(e.right)];
  if (e.kind !== 'path') return [];
  const [head] = e.segments;
  return head?.kind === 'name' && head.name.text !== 'base' ? [{ name: head.name, of: 'member' }] : [];
}

/** Names in the value of an attribute. */
function valueUses(e: Expression, type: FieldType): Use[] {
  const name = singleName(e);
  if (name !== null) {
    const types = alternatives(type);
    if (types.some((t) => t.kind !== 'name' && isOwnWord(name.text, t))) return [];
    const named = types.find((t) => t.kind === 'name');
    if (named === undefined) return [{ name, of: 'param' }];
    return [{ name, of: named.of === 'data' ? 'data' : 'member' }];
  }
  if (e.kind === 'list') {
    const of = itemType(type);
    return of === null ? looseUses(e) : e.items.flatMap((item) => valueUses(item, of));
  }
  if (e.kind !== 'call') return looseUses(e);
  const { rows, rest } = argumentsOf(type, e.name.text) ?? {};
  if (rows === undefined) return looseUses(e);
  return e.arguments.flatMap((argument, i): Use[] => {
    const row = argumentRow(type, e.name.text, argument.name?.text ?? null, i);
    const own = row === null ? looseUses(argument.value) : valueUses(argument.value, row.type);
    // Names of arguments that a call takes whatever they are called: tasks, in `alternate(caption: 1)`.
    const counted = argument.name !== null && rest !== undefined && !Object.hasOwn(rows, argument.name.text);
    return counted && argument.name !== null ? [{ name: argument.name, of: 'task' }, ...own] : own;
  });
}

/** Items of the adapter at hand by name, which say what an override changes. */
type ItemNamed = (name: string) => Declaration | Item | undefined;

/** Every name a declaration uses, with those in its items. */
export function usesOf(d: Declaration, itemNamed: ItemNamed): Use[] {
  const use = (of: Use['of'], name: Name | null): Use[] => (name === null ? [] : [{ name, of }]);
  switch (d.kind) {
    case 'import':
    case 'data':
      return [];
    case 'param':
      return looseUses(d.value);
    case 'base':
      return fieldUses(d.fields, tableOf(d));
    case 'recipe':
      return [...use('adapter', d.adapter), ...fieldUses(d.fields, tableOf(d))];
    case 'sweep':
      return [...use('adapter', d.adapter), ...use('recipe', d.recipe), ...sweepUses(d)];
    case 'adapter':
      return [
        ...use('base', d.base),
        ...use('adapter', d.parent),
        ...d.items.flatMap((item) => itemUses(item, itemNamed)),
      ];
  }
}

const fieldUses = (fields: readonly Field[], table: Table | null): Use[] =>
  fields.flatMap((field) => {
    const row = rowOf(table, field.name.text);
    return row === undefined ? looseUses(field.value) : valueUses(field.value, row.type);
  });

const sweepUses = (d: SweepDeclaration): Use[] => [
  ...d.fields.flatMap((field): Use[] => {
    const words = field.name.text === 'measure' || field.name.text === 'seed';
    return words ? [] : [{ name: field.name, of: 'param' }, ...looseUses(field.value)];
  }),
  ...d.conditions.flatMap((c) => [...looseUses(c.left), ...looseUses(c.right)]),
];

function itemUses(item: Item, itemNamed: ItemNamed): Use[] {
  switch (item.kind) {
    case 'part':
      return [...placeUses(item), ...fieldUses(item.fields, tableOf(item))];
    case 'group':
      return memberUses(item.value);
    case 'task':
      return [
        { name: item.data, of: 'data' },
        ...memberUses(item.trains),
        ...fieldUses(item.fields, tableOf(item)),
      ];
    case 'expert':
      return fieldUses(item.fields, tableOf(item));
    case 'override':
      return overrideUses(item, itemNamed);
    case 'drop':
      return [];
  }
}

const placeUses = ({ on, from }: PartItem | OverrideItem): Use[] => [
  ...(on === null ? [] : looseUses(on)),
  ...(from === null ? [] : [{ name: from, of: 'member' } as const]),
];

function overrideUses(item: OverrideItem, itemNamed: ItemNamed): Use[] {
  const node = itemNamed(item.name.text);
  return [
    ...(item.value === null ? [] : memberUses(item.value)),
    ...placeUses(item),
    ...(item.trains === null ? [] : memberUses(item.trains)),
    ...fieldUses(item.fields, node === undefined ? null : tableOf(node)),
  ];
}
