/** What an editor shows about the word under the pointer. */
import type { Declaration, Expression, Item } from '../../grammar/ast.ts';
import { lex } from '../../grammar/parser.ts';
import type { Span } from '../../grammar/source.ts';
import { keywords } from '../../grammar/tokens.ts';
import type { Subject } from '../check/check.ts';
import { dataFormats } from '../check/data.ts';
import { accepted } from '../check/parts.ts';
import { sitesSelected } from '../check/selectors.ts';
import { kindOf } from '../kinds/index.ts';
import type { Kind } from '../kinds/kind.ts';
import { sitesOf } from '../families/sites.ts';
import { describeSites } from './describe.ts';
import { describeNamed, layerFacts } from './describe-names.ts';
import { describeAttribute, describeKind } from './describe-tables.ts';
import { occurrenceAt } from './names.ts';
import { holds, spotAt, type Spot } from './spot.ts';
import { argumentRow, rowOf, tableOf } from './tables.ts';
import { inputWord, layerWords, siteWords, wordDocs } from './keyword-docs.ts';
import { ownFile, type Analysis, type Workspace } from './workspace.ts';

export interface Hover {
  readonly span: Span;
  /** Markdown. */
  readonly text: string;
}

/**
 * What there is to say about a place, or null. A file without adapters is seen from one that imports it: only there do
 * its layers have a base.
 */
export function hover(workspace: Workspace, path: string, offset: number): Hover | null {
  let first: Hover | null = null;
  for (const view of workspace.views(path)) {
    const found = hoverIn(view, path, offset);
    if (found !== null && view.checked().subjects.size > 0) return found;
    first ??= found;
  }
  return first;
}

function hoverIn(view: Analysis, path: string, offset: number): Hover | null {
  const file = view.files.find((f) => f.file === path) ?? ownFile(view);
  if (file === undefined) return null;
  const occurrence = occurrenceAt(view.names(), path, offset);
  if (occurrence !== undefined) {
    const { span, named, within } = occurrence;
    return { span, text: describeNamed(named, view, within?.name.text ?? null) };
  }
  const spot = spotAt(file, offset);
  return (
    hoverKind(spot, offset) ??
    hoverField(spot, view, offset) ??
    hoverPlace(spot, view) ??
    hoverData(spot, offset) ??
    hoverModel(spot, view, offset) ??
    hoverWord(view.sources.get(path) ?? '', path, offset)
  );
}

function hoverKind({ item }: Spot, offset: number): Hover | null {
  if (item?.kind !== 'part' || !holds(item.type.span, offset)) return null;
  const kind = kindOf(item.type.text);
  return kind === undefined ? null : { span: item.type.span, text: describeKind(kind) };
}

/** The item at hand; for an override, the one it changes. */
function changedItem({ item, declaration }: Spot, view: Analysis): Declaration | Item | null {
  if (item?.kind !== 'override' || declaration?.kind !== 'adapter') return item;
  return view.names().members(declaration.name.text).get(item.name.text)?.node ?? item;
}

/** An attribute, by its name or its value; an argument, when the place is inside of a call. */
function hoverField(spot: Spot, view: Analysis, offset: number): Hover | null {
  const { field, calls } = spot;
  const node = changedItem(spot, view) ?? spot.declaration;
  if (field === null || node === null) return null;
  const row = rowOf(tableOf(node), field.name.text);
  if (row === undefined) return null;
  const owner = node.kind === 'part' ? node.type.text : node.kind;
  const whole: Hover = {
    span: holds(field.name.span, offset) ? field.name.span : field.span,
    text: describeAttribute(field.name.text, owner, row),
  };
  let { type } = row;
  let found = whole;
  for (const { call, argument } of calls) {
    if (argument === null) break;
    const at = argumentRow(
      type,
      call.name.text,
      argument.name?.text ?? null,
      call.arguments.indexOf(argument),
    );
    if (at === null) break;
    type = at.type;
    if (at.row !== null)
      found = { span: argument.span, text: describeAttribute(at.name, `${call.name.text}(...)`, at.row) };
  }
  return found;
}

/** The layers or places that an expression means. */
function hoverPlace(spot: Spot, view: Analysis): Hover | null {
  const { role, declaration } = spot;
  const e = resolvable(spot.expressions);
  if (e === null || (role !== 'place' && role !== 'layers')) return null;
  const checked = view.checked();
  const adapter = declaration?.kind === 'adapter' ? declaration.name.text : '';
  const subject = checked.subjects.get(adapter) ?? null;
  const item = changedItem(spot, view);
  const kind = item?.kind === 'part' ? kindOf(item.type.text) : undefined;
  const outermost = spot.expressions.every((outer) => outer === e || outer.kind === 'binary');
  const facts =
    role === 'place' && outermost && kind !== undefined && accepted[kind.selects] !== undefined
      ? placeFacts(e, subject, kind)
      : layerFacts(e, checked, subject);
  return facts.length === 0 ? null : { span: e.span, text: facts.map((f) => `- ${f}`).join('\n') };
}

/** The innermost expression that means layers or places by itself: not the count of an edge, nor an end of a range. */
function resolvable(expressions: readonly Expression[]): Expression | null {
  const inner = expressions.at(-1);
  const outer = expressions.at(-2);
  if (inner === undefined) return null;
  const isPiece =
    outer?.kind === 'range' || (outer?.kind === 'edge' && inner === outer.count) || inner.kind === 'missing';
  return isPiece ? (outer ?? null) : inner;
}

function placeFacts(e: Expression, subject: Subject | null, kind: Kind): string[] {
  if (subject === null) return [];
  const { base } = subject.env;
  const env = { ...subject.env, report: () => undefined };
  const target = { kind: kind.name, accepts: accepted[kind.selects] ?? [] };
  const sites = sitesSelected(env, sitesOf(base), e, target);
  return sites === null ? [] : describeSites(sites, base);
}

function hoverData({ declaration }: Spot, offset: number): Hover | null {
  if (declaration?.kind !== 'data' || declaration.value.kind !== 'call') return null;
  const { name } = declaration.value;
  const format = Object.hasOwn(dataFormats, name.text) ? dataFormats[name.text] : undefined;
  return format === undefined || !holds(name.span, offset)
    ? null
    : { span: name.span, text: `**${name.text}**: ${format.doc}` };
}

/** The model that a base is read from. */
function hoverModel({ declaration }: Spot, view: Analysis, offset: number): Hover | null {
  if (declaration?.kind !== 'base' || declaration.from === null) return null;
  const { span } = declaration.from;
  const named = view.names().globals.base.get(declaration.name.text);
  return named === undefined || !holds(span, offset)
    ? null
    : { span, text: describeNamed(named, view, null) };
}

const words: Readonly<Record<string, string>> = { ...siteWords, ...layerWords, input: inputWord };

/** A keyword, or a word that means layers or places. */
function hoverWord(text: string, file: string, offset: number): Hover | null {
  const token = lex(text).tokens.findLast(
    (k) => k.startOffset <= offset && offset <= k.startOffset + k.image.length,
  );
  if (token === undefined) return null;
  const { image, startOffset } = token;
  const docs = keywords.includes(token.tokenType) ? wordDocs : words;
  if (!Object.hasOwn(docs, image)) return null;
  const span = { file, start: startOffset, end: startOffset + image.length };
  return { span, text: `**${image}**: ${docs[image] ?? ''}` };
}
