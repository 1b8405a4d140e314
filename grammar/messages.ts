/** Every message about syntax. The checker's own are in `compiler/check`. */
import {
  EOF,
  tokenMatcher,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from 'chevrotain';
import { error, type Diagnostic } from './diagnostic.ts';
import type { Source, Span } from './source.ts';
import { nearest } from './suggest.ts';
import * as t from './tokens.ts';

/** What a rule of the grammar wants, in the user's words. */
const wanted: Readonly<Record<string, string>> = {
  file: 'a declaration',
  declaration: 'a declaration',
  item: 'a part, `group`, `task`, `expert`, `override` or `drop`',
  term: 'a value',
  expression: 'a value',
  number: 'a number',
  literal: 'a number',
  path: 'a name',
  segment: 'a name after the dot',
  edge: 'how many layers, as in `first 4`',
  condition: '`==` or `!=`',
  override: 'what to change',
};

const labelOf = (type: TokenType): string =>
  type === EOF ? 'a declaration' : type === t.Word ? 'a name' : (type.LABEL ?? type.name);

/** Chevrotain asks for texts; ours say what was wanted, and `syntaxError` adds what was found. */
export const messageProvider: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => labelOf(expected),
  buildNotAllInputParsedMessage: () => wanted['file'] ?? '',
  buildNoViableAltMessage: ({ ruleName }) => wanted[ruleName] ?? 'something else',
  buildEarlyExitMessage: ({ ruleName }) => wanted[ruleName] ?? 'something else',
};

interface Pair {
  readonly open: TokenType;
  readonly close: TokenType;
}

const pairs: ReadonlyMap<string, Pair> = new Map(
  (
    [
      [t.LeftBrace, t.RightBrace],
      [t.LeftParen, t.RightParen],
      [t.LeftBracket, t.RightBracket],
    ] as const
  ).map(([open, close]) => [labelOf(close), { open, close }]),
);

/**
 * Whether this complaint only follows from an earlier one: an adapter that broke off leaves its items behind, and a
 * name left over from a broken item looks like the kind of a part.
 */
export function isFollowUp(d: Diagnostic, e: IRecognitionException): boolean {
  const isItem = t.itemKeywords.includes(e.token.tokenType);
  if (d.code === 'A006') return isItem || tokenMatcher(e.token, t.RightBrace);
  return isItem && e.context.ruleStack.at(-1) === 'part';
}

/** What the parser could not read. */
export function syntaxError(
  source: Source,
  e: IRecognitionException,
  tokens: readonly IToken[],
  openBefore: OpenBefore,
): Diagnostic {
  const found = e.token;
  const span = found.tokenType === EOF ? endOf(source, tokens) : spanOf(source, found);
  const pair = pairs.get(e.message);
  if (pair !== undefined && startsSomethingNew(found)) return unclosed(source, pair, span, found, openBefore);
  if (e.message === wanted['file']) return notADeclaration(span, found);
  const expected = e.message === '`}`' ? 'an attribute or `}`' : e.message;
  return error('A003', span, `expected ${expected}, found ${describe(found)}`, {
    label: `expected ${expected}`,
    help: hint(e, found),
  });
}

const startsSomethingNew = (token: IToken): boolean =>
  token.tokenType === EOF ||
  tokenMatcher(token, t.Identifier) ||
  [...t.declarationKeywords, ...t.itemKeywords].includes(token.tokenType);

/** Finds the bracket of a sort that was opened last before a place and not closed. */
export type OpenBefore = (open: TokenType, place: number) => IToken | undefined;

interface Open {
  readonly token: IToken;
  readonly around: Open | undefined;
}

/** Follows the brackets of a text once, for all the mistakes in it. */
export function followBrackets(tokens: readonly IToken[]): OpenBefore {
  const states = new Map(
    [...pairs.values()].map(({ open }) => [
      open,
      { places: [-1], tops: [undefined] as (Open | undefined)[] },
    ]),
  );
  for (const token of tokens)
    for (const { open, close } of pairs.values()) {
      const state = states.get(open);
      const top = state?.tops.at(-1);
      if (state === undefined || (token.tokenType !== open && token.tokenType !== close)) continue;
      state.places.push(token.startOffset);
      state.tops.push(token.tokenType === open ? { token, around: top } : top?.around);
    }
  return (open, place) => {
    const state = states.get(open);
    return state?.tops[lastBelow(state.places, place)]?.token;
  };
}

/** The index of the last of some ascending numbers that is less than another. */
function lastBelow(numbers: readonly number[], bound: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((numbers[middle] ?? 0) < bound) low = middle;
    else high = middle - 1;
  }
  return low;
}

function unclosed(source: Source, pair: Pair, span: Span, found: IToken, openBefore: OpenBefore): Diagnostic {
  const opener = openBefore(pair.open, found.tokenType === EOF ? Infinity : found.startOffset);
  const sign = labelOf(pair.open);
  return error('A005', span, `${sign} is never closed`, {
    label: `expected ${labelOf(pair.close)} before ${describe(found)}`,
    related: opener === undefined ? [] : [{ span: spanOf(source, opener), label: 'opened here' }],
  });
}

function notADeclaration(span: Span, found: IToken): Diagnostic {
  const starts = t.declarationKeywords.map(labelOf).join(', ');
  const near = nearest(
    found.image,
    t.declarationKeywords.map((type) => (typeof type.PATTERN === 'string' ? type.PATTERN : type.name)),
  );
  return error('A006', span, `${describe(found)} does not start a declaration`, {
    notes: [`a file holds declarations, which start with ${starts}`],
    help: tokenMatcher(found, t.RightBrace)
      ? 'take the brace away, or look for one too many above'
      : near && `did you mean \`${near}\`?`,
    edits: near === undefined ? [] : [{ span, text: near }],
  });
}

function hint(e: IRecognitionException, found: IToken): string | undefined {
  if (tokenMatcher(found, t.Comma)) return 'attributes are separated by blanks or new lines, without commas';
  if (tokenMatcher(found, t.Colon) && e.message === '`=`') return 'attributes are written with `=`';
  if (tokenMatcher(found, t.Equal) && e.message === '`)`') return 'arguments are written with `:`';
  if (tokenMatcher(found, t.LeftBrace) && e.context.ruleStack.at(-1) === 'part') {
    return 'a part is written `KIND NAME on PLACE { ... }`; is `on` missing?';
  }
  const isKeyword = t.keywords.includes(found.tokenType);
  if (isKeyword && e.message === 'a name')
    return `\`${found.image}\` is a word of the language; choose another name`;
  return undefined;
}

const describe = (token: IToken): string =>
  token.tokenType === EOF
    ? 'the end of the file'
    : `\`${token.image.length > 30 ? `${token.image.slice(0, 27)}...` : token.image}\``;

const spanOf = (source: Source, token: IToken): Span => ({
  file: source.file,
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

function endOf(source: Source, tokens: readonly IToken[]): Span {
  const last = tokens.at(-1);
  const end = last === undefined ? source.text.length : last.startOffset + last.image.length;
  return { file: source.file, start: end, end };
}

/** Characters that start no token. */
export function lexicalError(source: Source, start: number, length: number): Diagnostic {
  const span = { file: source.file, start, end: start + Math.max(1, length) };
  const text = source.text.slice(span.start, span.end);
  const help: Readonly<Record<string, string>> = {
    '#': 'comments start with `//`',
    ';': 'nothing needs a semicolon here',
    '/': 'comments start with `//`',
  };
  return error('A001', span, `unexpected ${length > 1 ? 'characters' : 'character'} \`${text}\``, {
    help: help[text[0] ?? ''],
  });
}

/** A string whose line ends before its quote. */
export const unterminatedString = (span: Span): Diagnostic =>
  error('A002', span, 'the string is not closed', { label: 'no `"` before the end of the line' });

export const singleQuotes = (span: Span, text: string): Diagnostic =>
  error('A001', span, "unexpected character `'`", {
    help: 'strings are written with double quotes',
    edits: [{ span, text: JSON.stringify(text) }],
  });

/** `7Q`: a number with letters that mean nothing. */
export const unknownSuffix = (span: Span, text: string, suffix: string): Diagnostic =>
  error('A004', span, `\`${suffix}\` is not a unit that can follow a number`, {
    label: `in \`${text}\``,
    notes: [
      `known are ${Object.keys(t.suffixes)
        .map((s) => `\`${s}\``)
        .join(', ')}, and the words \`epochs\` and \`steps\``,
    ],
  });

/** Nested so deeply that reading on would exhaust the stack. */
export const tooDeep = (span: Span): Diagnostic =>
  error('A007', span, 'values are nested too deeply', { label: 'more than 100 levels' });

/** A sum is a tree as deep as it is long. */
export const tooLong = (span: Span): Diagnostic =>
  error('A007', span, 'the sum is too long', { label: 'more than 1000 operators' });
