/** Reading Chevrotain's concrete tree, in which every child may be absent after a recovery. */
import type { CstNode, IToken } from 'chevrotain';
import type { Comment, Name, StringLiteral } from './ast.ts';
import type { Diagnostic } from './diagnostic.ts';
import { singleQuotes, unterminatedString } from './diagnostics/characters.ts';
import type { Source, Span } from './source.ts';

/** What is at hand while a tree is built. */
export interface Context {
  readonly source: Source;
  readonly comments: readonly Comment[];
  readonly diagnostics: Diagnostic[];
}

export function nodes(node: CstNode | undefined, rule: string): CstNode[] {
  return (node?.children[rule] ?? []).filter((e): e is CstNode => 'children' in e);
}

export const child = (node: CstNode | undefined, rule: string, index = 0): CstNode | undefined =>
  nodes(node, rule)[index];

/** Tokens the user wrote; those that recovery invented have no place and are left out. */
export function written(node: CstNode | undefined, type: string): IToken[] {
  return (node?.children[type] ?? []).filter(
    (e): e is IToken => 'image' in e && !Number.isNaN(e.startOffset),
  );
}

export const has = (node: CstNode | undefined, type: string): boolean => written(node, type).length > 0;

export function span(c: Context, node: CstNode | undefined): Span {
  const at = node?.location;
  const start = at === undefined || Number.isNaN(at.startOffset) ? 0 : at.startOffset;
  const end = at?.endOffset === undefined || Number.isNaN(at.endOffset) ? start : at.endOffset + 1;
  return { file: c.source.file, start, end: Math.max(start, end) };
}

export const tokenSpan = (c: Context, token: IToken): Span => ({
  file: c.source.file,
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

export const toName = (c: Context, token: IToken): Name => ({ text: token.image, span: tokenSpan(c, token) });

/** The index-th name of a node; an empty one stands for a name that is missing and was complained about. */
export function name(c: Context, node: CstNode | undefined, type = 'Identifier', index = 0): Name {
  // Invented tokens count here, or the adapter of `recipe for A` would become the recipe's name.
  const token = node?.children[type]?.[index];
  const isWritten = token !== undefined && 'image' in token && !Number.isNaN(token.startOffset);
  return isWritten ? toName(c, token) : { text: '', span: span(c, node) };
}

/** `on NAME`, `from NAME`, `extends NAME`, when it is there. */
export function nameAfter(c: Context, node: CstNode | undefined, rule: string): Name | null {
  const inner = child(node, rule);
  return inner === undefined || !has(inner, 'Identifier') ? null : name(c, inner);
}

/** `from "MODEL"`, when it is there. */
export function stringAfter(c: Context, node: CstNode | undefined, rule: string): StringLiteral | null {
  const token = written(child(node, rule), 'String')[0];
  return token === undefined
    ? null
    : { kind: 'string', value: unquote(c, token), text: token.image, span: tokenSpan(c, token) };
}

export function unquote(c: Context, token: IToken): string {
  const text = token.image;
  if (text.startsWith("'")) {
    const inner = text.replace(/^'|'$/g, '');
    c.diagnostics.push(singleQuotes(tokenSpan(c, token), inner));
    return inner;
  }
  const closed = text.length > 1 && text.endsWith('"') && !/[^\\](\\\\)*\\"$/.test(text);
  if (!closed) c.diagnostics.push(unterminatedString(tokenSpan(c, token), text));
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t' };
  return text
    .slice(1, closed ? -1 : undefined)
    .replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}

/** The `///` lines that end right above a place, without their slashes. One behind something else documents nothing. */
export function docAt(c: Context, start: number): string {
  const { text } = c.source;
  const lines: string[] = [];
  let below = start;
  for (let i = commentsBefore(c, start) - 1; i >= 0; i--) {
    const comment = c.comments[i];
    if (comment === undefined || !comment.doc || !startsItsLine(text, comment.span.start)) break;
    if (lineBreaks(text.slice(comment.span.end, below)) !== 1) break;
    lines.unshift(comment.text.replace(/^\/\/\/ ?/, '').trimEnd());
    below = comment.span.start;
  }
  return lines.join('\n');
}

/** How many comments end at or before a place; they are in order. */
function commentsBefore(c: Context, place: number): number {
  let [low, high] = [0, c.comments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((c.comments[middle]?.span.end ?? Infinity) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Line breaks in a blank text; NaN when it is not blank. */
const lineBreaks = (gap: string): number =>
  gap.trim() === '' ? (gap.match(/\r\n|\r|\n/g)?.length ?? 0) : NaN;

function startsItsLine(text: string, place: number): boolean {
  let at = place - 1;
  while (at >= 0 && /[^\S\r\n]/.test(text[at] ?? '')) at--;
  return at < 0 || text[at] === '\n' || text[at] === '\r';
}
