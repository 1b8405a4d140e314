/** Parts: kinds, places, sources and attributes of everything an adapter adds. */
import { singleName, type Expression, type PartItem } from '../../grammar/ast.ts';
import { kindOf, kinds } from '../kinds/index.ts';
import type { Kind, Selects } from '../kinds/kind.ts';
import type { FieldValue, Part, Site, SiteKind } from '../model/model.ts';
import type { CheckedPart, Values } from './checked.ts';
import type { BaseEnv } from './env.ts';
import { readFields } from './fields.ts';
import { layersOf } from './layers.ts';
import { missingAttribute } from './diagnostics/attributes.ts';
import {
  missingSource,
  needsPlace,
  noPlace,
  noSource,
  readsItself,
  unknownKind,
  unknownPart,
  wrongSource,
} from './diagnostics/parts.ts';
import { unknownModel } from './diagnostics/values.ts';
import { sitesSelected } from './selectors.ts';
import { checkSizes, ownLayers } from './part-sizes.ts';

/** Every part that could be made sense of, in the order written. */
export function checkParts(
  env: BaseEnv,
  items: readonly PartItem[],
  sites: readonly Site[],
): readonly CheckedPart[] {
  const done = new Map<string, CheckedPart | null>();
  const names = new Map(items.map((item) => [item.name.text, item]));
  /** Parts being checked, each the source of the one before. */
  const open: string[] = [];
  const resolve: Resolve = (item, reader) => {
    const name = item.name.text;
    if (reader?.from && open.includes(name)) {
      env.report(readsItself(reader.from, open.slice(open.indexOf(name))));
      return null;
    }
    const known = done.get(name);
    if (known !== undefined) return known;
    open.push(name);
    const checked = checkPart(env, item, sites, names, resolve);
    open.pop();
    done.set(name, checked);
    return checked;
  };
  return items.map((item) => resolve(item, null)).filter((p) => p !== null);
}

/** Checks a part that `reader` reads from, once. */
type Resolve = (item: PartItem, reader: PartItem | null) => CheckedPart | null;

function checkPart(
  env: BaseEnv,
  item: PartItem,
  sites: readonly Site[],
  names: ReadonlyMap<string, PartItem>,
  resolve: Resolve,
): CheckedPart | null {
  const kind = kindOf(item.type.text);
  if (kind === undefined) {
    if (item.type.text !== '')
      env.report(
        unknownKind(
          item.type,
          item.name,
          kinds.map((k) => k.name),
        ),
      );
    return null;
  }
  const read = readFields(env, item.fields, kind.fields, kind.name, item.name.span);
  // The graph scales what enters linears only: a norm would divide most of it out again.
  const accepts = read.values['side'] === 'input' ? (['linear'] as const) : accepted[kind.selects];
  const place = readPlace(env, kind, item, sites, accepts);
  const source = readSource(env, kind, item, names);
  if (place === null || source === undefined || !read.ok) return null;
  const from = source === null ? null : resolve(source, item);
  if (source !== null && from === null) return null;
  const fields = completed(env, kind, item, read, from?.part ?? null);
  if (fields === null) return null;
  const part: Part = {
    kind: kind.name,
    name: item.name.text,
    ...place,
    source: source?.name.text ?? null,
    fields,
    span: item.span,
  };
  return { part, kind, item, written: read.written };
}

/** The attributes with what follows from others and from the source filled in; null after a report. */
function completed(
  env: BaseEnv,
  kind: Kind,
  item: PartItem,
  { values, written }: Values,
  source: Part | null,
): Part['fields'] | null {
  const name = item.name.text;
  const gives = source === null ? {} : (kind.inherits?.(source, env.base) ?? {});
  const unwritten = Object.entries(gives).filter(([key]) => !written.has(key));
  const sized = { name, fields: values, written, span: item.name.span };
  const layers = ownLayers(env, kind, sized);
  if (layers === null) return null;
  const fields = { ...values, ...Object.fromEntries(unwritten), ...layers };
  if (!checkSizes(env, kind, { ...sized, fields }, source, gives)) return null;
  return isComplete(env, kind, item, source, fields) ? fields : null;
}

type Place = Pick<Part, 'layers' | 'sites' | 'input'>;

const nowhere: Place = { layers: [], sites: [], input: false };

/** What a kind can sit on when it sits on places. */
export const accepted: Readonly<Partial<Record<Selects, readonly SiteKind[]>>> = {
  linears: ['linear'],
  sites: ['linear', 'norm'],
  parameters: ['linear', 'norm', 'embedding'],
};

function readPlace(
  env: BaseEnv,
  kind: Kind,
  item: PartItem,
  sites: readonly Site[],
  accepts: readonly SiteKind[] | undefined,
): Place | null {
  const { on } = item;
  if (kind.selects === 'nothing') {
    if (on === null) return nowhere;
    env.report(noPlace(item, on, kind.reads !== undefined));
    return null;
  }
  if (on === null) {
    env.report(needsPlace(item, kind.selects));
    return null;
  }
  if (isInput(on) && kind.selects.endsWith('input')) return { ...nowhere, input: true };
  if (accepts === undefined) {
    const layers = layersOf(env, on);
    return layers === null ? null : { ...nowhere, layers };
  }
  const selected = sitesSelected(env, sites, on, { kind: kind.name, accepts });
  return selected === null ? null : { ...nowhere, sites: selected };
}

const isInput = (on: Expression): boolean => singleName(on)?.text === 'input';

/** The part named after `from`; null when there is rightly none, undefined after a report. */
function readSource(
  env: BaseEnv,
  kind: Kind,
  item: PartItem,
  names: ReadonlyMap<string, PartItem>,
): PartItem | null | undefined {
  if (item.from === null) {
    // What stands after `on` was complained about.
    const said = kind.selects === 'nothing' && item.on !== null;
    if (kind.reads?.required !== true) return null;
    if (said) return undefined;
    env.report(missingSource(item, kind.reads.kinds));
    return undefined;
  }
  if (kind.reads === undefined) {
    env.report(noSource(item, item.from));
    return undefined;
  }
  const { reads } = kind;
  const source = names.get(item.from.text);
  if (source === undefined) {
    const fitting = [...names.values()].filter((i) => i !== item && reads.kinds.includes(i.type.text));
    const candidates = fitting.map((i) => i.name.text);
    env.report(unknownPart(item.from, candidates, item.name.text));
    return undefined;
  }
  if (reads.kinds.includes(source.type.text)) return source;
  // A source of a kind that does not exist is complained about at its own line.
  if (kindOf(source.type.text) !== undefined) env.report(wrongSource(item, item.from, source, reads.kinds));
  return undefined;
}

/** Attributes that may be left out only because a source gives them. */
function isComplete(
  env: BaseEnv,
  kind: Kind,
  item: PartItem,
  from: Part | null,
  fields: Readonly<Record<string, FieldValue>>,
): boolean {
  const missing = (key: string): boolean => {
    const row = kind.fields[key];
    if (row !== undefined)
      env.report(missingAttribute(item.name.span, `\`${item.name.text}\``, key, row, item));
    return false;
  };
  const misnamed = kind.misnamed?.(fields) ?? null;
  if (misnamed !== null) {
    const call = item.fields.find((f) => f.name.text === misnamed.key);
    const id = call?.value.kind === 'call' ? call.value.arguments[0] : undefined;
    const text = id?.value.kind === 'string' ? id.value.value : '';
    env.report(unknownModel({ text, span: id?.value.span ?? item.name.span }, misnamed.known));
    return false;
  }
  const lacking = kind.lacks?.(fields, from !== null) ?? null;
  return lacking === null || missing(lacking);
}
