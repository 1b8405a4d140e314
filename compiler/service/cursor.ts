/**
 * What is being written where the cursor stands: the brackets it is in, and in each the statement so far.
 *
 * This reads tokens and not the tree. While somebody types the tree is broken just there, but what stands before the
 * cursor is what completion has to go by.
 */
import { tokenMatcher, type IToken } from 'chevrotain';
import { lex } from '../../grammar/parser.ts';
import * as t from '../../grammar/tokens.ts';

/** One pair of brackets around the cursor; the outermost is the file. */
export interface Frame {
  readonly opens: 'file' | 'body' | 'block' | 'choice' | 'call' | 'list' | 'index' | 'paren';
  /** The statement, or the piece between commas, so far; what is in closed brackets is left out. */
  readonly tokens: readonly IToken[];
  /** Attributes, arguments or words of a choice that this frame has already. */
  readonly written: readonly string[];
  /** Commas so far. */
  readonly index: number;
}

export interface Cursor {
  /** From the file inwards. */
  readonly frames: readonly Frame[];
  /** The word being typed, up to the cursor; empty between words. */
  readonly word: { readonly start: number; readonly end: number };
}

interface OpenFrame extends Frame {
  tokens: IToken[];
  readonly written: string[];
  index: number;
}

const isWord = (token: IToken | undefined): boolean => token !== undefined && tokenMatcher(token, t.Word);
const isName = (token: IToken | undefined): boolean => token?.tokenType === t.Identifier;
const is = (token: IToken | undefined, ...types: (typeof t.Dot)[]): boolean =>
  token !== undefined && types.includes(token.tokenType);

/** Where the cursor stands; null in a comment, a string or a number, where nothing is proposed. */
export function readCursor(text: string, offset: number): Cursor | null {
  const { tokens, comments } = lex(text);
  if (comments.some((c) => c.startOffset < offset && offset <= endOf(c))) return null;
  const at = tokens.find((k) => k.startOffset < offset && offset <= endOf(k));
  if (at !== undefined && (is(at, t.NumberToken) || isInside(at, offset))) return null;
  const typed = isWord(at) ? at : undefined;
  const start = typed?.startOffset ?? offset;
  const before = tokens.filter((k) => endOf(k) <= start && k !== typed);
  const frames = before.reduce(
    (open: OpenFrame[], token, i) => read(open, token, before[i + 1]),
    [openFrame('file')],
  );
  const inner = frames.at(-1);
  inner?.written.push(...writtenAfter(inner.opens, tokens, offset));
  return { frames, word: { start, end: offset } };
}

const endOf = (token: IToken): number => token.startOffset + token.image.length;

/** A string that is not closed goes on behind the cursor. */
const isInside = (token: IToken, offset: number): boolean =>
  is(token, t.StringToken) && (offset < endOf(token) || !/^".*"$/s.test(token.image));

const openFrame = (opens: Frame['opens']): OpenFrame => ({
  ...{ opens, tokens: [], written: [], index: 0 },
});

/** Takes one token into the open frames. */
function read(open: OpenFrame[], token: IToken, next: IToken | undefined): OpenFrame[] {
  const frames = leaveUnclosed(open, token, next);
  const top = frames.at(-1) ?? openFrame('file');
  if (is(token, t.RightBrace, t.RightBracket, t.RightParen)) {
    if (frames.length === 1) return frames;
    if (top.opens === 'choice') remember(top, top.tokens.at(-1));
    const outer = frames.slice(0, -1);
    outer.at(-1)?.tokens.push(token);
    return outer;
  }
  if (is(token, t.Comma) && top.opens !== 'file' && top.opens !== 'body' && top.opens !== 'block') {
    if (top.opens === 'choice') remember(top, top.tokens.at(-1));
    top.tokens = [];
    top.index += 1;
    return frames;
  }
  const opens = frameOf(token, top, frames);
  if (startsStatement(token, next, top)) top.tokens = [];
  if (is(next, t.Equal) && top.opens === 'block' && top.tokens.length === 0) remember(top, token);
  if (is(next, t.Colon) && top.opens === 'call' && top.tokens.length === 0) remember(top, token);
  top.tokens.push(token);
  return opens === null ? frames : [...frames, openFrame(opens)];
}

function remember(frame: OpenFrame, token: IToken | undefined): void {
  if (token !== undefined) frame.written.push(token.image);
}

function frameOf(token: IToken, top: OpenFrame, frames: readonly Frame[]): Frame['opens'] | null {
  const last = top.tokens.at(-1);
  if (is(token, t.LeftParen)) return isName(last) ? 'call' : 'paren';
  if (is(token, t.LeftBracket)) return isWord(last) && !is(last, t.In, t.On) ? 'index' : 'list';
  if (!is(token, t.LeftBrace)) return null;
  if (is(last, t.Dot)) return 'choice';
  return frames.length === 1 && is(top.tokens[0], t.Adapter) ? 'body' : 'block';
}

/** Signs and words behind which an operand is still to come. */
const expectant = [
  ...[t.Equal, t.EqualEqual, t.NotEqual, t.Plus, t.Minus, t.Ampersand, t.Dot, t.DotDot, t.Comma, t.Colon],
  ...[t.LeftParen, t.LeftBracket, t.LeftBrace, t.On, t.From, t.Extends, t.Trains, t.For, t.Over, t.With],
  ...[t.Where, t.First, t.Last, t.Every, t.In, t.By],
];

/** Whether a value or a name has to follow these tokens. */
export function expectsOperand(tokens: readonly IToken[]): boolean {
  const last = tokens.at(-1);
  // A keyword behind a dot is a word of a path.
  return last === undefined || (is(last, ...expectant) && !(isWord(last) && is(tokens.at(-2), t.Dot)));
}

function startsStatement(token: IToken, next: IToken | undefined, top: OpenFrame): boolean {
  if (top.tokens.length === 0 || is(top.tokens.at(-1), t.Dot)) return false;
  if (top.opens === 'file') return is(token, ...t.declarationKeywords) && !expectsOperand(top.tokens);
  if (top.opens === 'body') {
    if (is(token, ...t.itemKeywords)) return true;
    return isName(token) && top.tokens.length > 1 && !expectsOperand(top.tokens);
  }
  return top.opens === 'block' && (is(token, t.Where) || (isWord(token) && is(next, t.Equal)));
}

/** A bracket that was never closed ends where something begins that cannot be inside of it, as the parser has it. */
function leaveUnclosed(frames: OpenFrame[], token: IToken, next: IToken | undefined): OpenFrame[] {
  const depth = depthOf(frames, token, next);
  if (depth === frames.length) return frames;
  const left = frames.slice(0, depth);
  const top = left.at(-1);
  if (top !== undefined) top.tokens = [];
  return left;
}

/** How many of the open frames a token can be in. */
function depthOf(frames: readonly OpenFrame[], token: IToken, next: IToken | undefined): number {
  const { opens, tokens } = frames.at(-1) ?? openFrame('file');
  const last = tokens.at(-1);
  if (opens === 'file' || is(last, t.Dot)) return frames.length;
  const named = isName(next) || (is(token, t.Import) && is(next, t.StringToken));
  const operand = is(last, t.Plus, t.Minus, t.Ampersand, t.Equal, t.Trains);
  if (named && !operand && is(token, ...t.declarationKeywords)) return 1;
  const body = frames.findIndex((f) => f.opens === 'body') + 1;
  if (body === 0 || opens === 'body') return frames.length;
  if (named && is(token, ...t.itemKeywords)) return body;
  // Two words in a row, in a block, are a part; `2 epochs batch` are a unit and an attribute.
  const twoWords = opens === 'block' && isWord(token) && isWord(next);
  const isUnit = is(last, t.NumberToken) && t.units.includes(token.image);
  const begins = last === undefined || !expectsOperand([last]);
  return twoWords && begins && !isUnit ? body : frames.length;
}

/** Names that the bracket around the cursor has behind it. */
function writtenAfter(opens: Frame['opens'], tokens: readonly IToken[], offset: number): string[] {
  const sign = opens === 'block' ? t.Equal : opens === 'call' ? t.Colon : null;
  const names: string[] = [];
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (token.startOffset < offset || sign === null) continue;
    if (is(token, t.RightBrace, t.RightBracket, t.RightParen) && depth-- === 0) break;
    if (is(token, t.LeftBrace, t.LeftBracket, t.LeftParen)) depth++;
    if (depth === 0 && is(tokens[i + 1], sign) && isWord(token)) names.push(token.image);
  }
  return names;
}
