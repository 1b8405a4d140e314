/** Parts: kinds, places, sources and attributes of everything an adapter adds. */
import { singleName, type Expression, type PartItem } from '../../grammar/ast.ts';
import { clipNames, visionOf } from '../kinds/encoder.ts';
import { kindOf, kinds } from '../kinds/index.ts';
import type { Kind, Selects } from '../kinds/kind.ts';
import type { FieldValue, Part, Site, SiteKind } from '../model/model.ts';
import type { BaseEnv } from './env.ts';
import { readFields, type Values } from './fields.ts';
import { layersOf } from './layers.ts';
import { missingAttribute, unknownChoice } from './messages/fields.ts';
import { unknownKind, unknownPart } from './messages/names.ts';
import { missingSource, needsPlace, noPlace, noSource, wrongSource } from './messages/parts.ts';
import { sitesSelected } from './selectors.ts';
import { checkSizes } from './vision.ts';

/** A part and the lines it comes from, for the checks that follow. */
export interface CheckedPart {
  readonly part: Part;
  readonly kind: Kind;
  readonly item: PartItem;
  readonly written: Values['written'];
}

/** Every part that could be made sense of, in the order written. */
export function checkParts(
  env: BaseEnv,
  items: readonly PartItem[],
  sites: readonly Site[],
): readonly CheckedPart[] {
  const done = new Map<string, CheckedPart | null>();
  const names = new Map(items.map((item) => [item.name.text, item]));
  const resolve = (item: PartItem): CheckedPart | null => {
    const known = done.get(item.name.text);
    if (known !== undefined) return known;
    // Sources are of other kinds than their readers, so this ends; the null guards a part that reads itself.
    done.set(item.name.text, null);
    const checked = checkPart(env, item, sites, (name) => names.get(name), resolve);
    done.set(item.name.text, checked);
    return checked;
  };
  return items.map(resolve).filter((p) => p !== null);
}

function checkPart(
  env: BaseEnv,
  item: PartItem,
  sites: readonly Site[],
  itemOf: (name: string) => PartItem | undefined,
  resolve: (item: PartItem) => CheckedPart | null,
): CheckedPart | null {
  const kind = kindOf(item.type.text);
  if (kind === undefined) {
    if (item.type.text !== '')
      env.report(
        unknownKind(
          item.type,
          kinds.map((k) => k.name),
        ),
      );
    return null;
  }
  const read = readFields(env, item.fields, kind.fields, kind.name, item.name.span);
  // The graph scales what enters linears only: a norm would divide most of it out again.
  const accepts = read.values['side'] === 'input' ? (['linear'] as const) : accepted[kind.selects];
  const place = readPlace(env, kind, item, sites, accepts);
  const source = readSource(env, kind, item, itemOf);
  if (place === null || source === undefined || !read.ok) return null;
  const from = source === null ? null : resolve(source);
  if (source !== null && from === null) return null;
  const fields = { ...read.values, ...inherited(kind, from, read.written) };
  const sized = {
    name: item.name.text,
    kind: kind.name,
    fields,
    written: read.written,
    span: item.name.span,
  };
  const gives = from === null ? {} : (kind.inherits?.(from.part) ?? {});
  if (!checkSizes(env, sized, from?.part ?? null, gives)) return null;
  if (!complete(env, kind, item, from, fields)) return null;
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
    env.report(noPlace(item, on));
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
  itemOf: (name: string) => PartItem | undefined,
): PartItem | null | undefined {
  if (item.from === null) {
    if (kind.reads?.required !== true) return null;
    env.report(missingSource(item, kind.reads.kinds));
    return undefined;
  }
  if (kind.reads === undefined) {
    env.report(noSource(item, item.from));
    return undefined;
  }
  const source = itemOf(item.from.text);
  if (source === undefined) {
    env.report(unknownPart(item.from, [], item.name.text));
    return undefined;
  }
  if (kind.reads.kinds.includes(source.type.text)) return source;
  // A source of a kind that does not exist is complained about at its own line.
  if (kindOf(source.type.text) !== undefined)
    env.report(wrongSource(item, item.from, source, kind.reads.kinds));
  return undefined;
}

function inherited(
  kind: Kind,
  from: CheckedPart | null,
  written: Values['written'],
): Record<string, FieldValue> {
  if (from === null || kind.inherits === undefined) return {};
  return Object.fromEntries(Object.entries(kind.inherits(from.part)).filter(([key]) => !written.has(key)));
}

/** Attributes that may be left out only because a source gives them. */
function complete(
  env: BaseEnv,
  kind: Kind,
  item: PartItem,
  from: CheckedPart | null,
  fields: Readonly<Record<string, FieldValue>>,
): boolean {
  const missing = (key: string): boolean => {
    const row = kind.fields[key];
    if (row !== undefined) env.report(missingAttribute(item.name.span, `\`${item.name.text}\``, key, row));
    return false;
  };
  if (kind.name === 'prompt' && fields['length'] === null) return missing('length');
  if (kind.name === 'encoder' && visionOf(fields['model']) === null) {
    const model = item.fields.find((f) => f.name.text === 'model');
    const id = model?.value.kind === 'call' ? model.value.arguments[0] : undefined;
    const text = id?.value.kind === 'string' ? id.value.value : '';
    env.report(unknownChoice({ text, span: id?.span ?? item.name.span }, clipNames));
    return false;
  }
  return !(kind.name === 'project' && from !== null && fields['width'] === null) || missing('width');
}
