/** The words and signs of the token table as a mode for CodeMirror 6, line by line, without a tree. */
import { StreamLanguage, type StringStream } from '@codemirror/language';
import type { TokenType } from 'chevrotain';
import * as t from './tokens.ts';

interface State {
  /** Brackets that are open, for the indentation of new lines. */
  depth: number;
  /** The sort of the last token but blanks and comments. */
  last: TokenType | null;
}

/** A pattern of the table that matches where the stream stands. */
const matcher = ({ PATTERN }: TokenType): RegExp | string =>
  PATTERN instanceof RegExp
    ? new RegExp(`^(?:${PATTERN.source})`)
    : typeof PATTERN === 'string'
      ? PATTERN
      : /^$/;

/** In the order of the lexer; words are read whole and told apart afterwards. */
const readers = t.tokens
  .filter((type) => type !== t.Word && !t.keywords.includes(type))
  .map((type) => ({ type, pattern: matcher(type) }));

const keywords: ReadonlyMap<string, TokenType> = new Map(t.keywords.map((k) => [t.spelling(k), k]));

const opening: readonly TokenType[] = [t.LeftBrace, t.LeftBracket, t.LeftParen];
const closing: readonly TokenType[] = [t.RightBrace, t.RightBracket, t.RightParen];
const operators: readonly TokenType[] = [
  ...[t.Equal, t.EqualEqual, t.NotEqual, t.Plus, t.Minus, t.Ampersand, t.DotDot, t.Star, t.StarStar],
];

/** The language, with `//` for comments and brackets that indent. */
export const adapterLanguage = StreamLanguage.define<State>({
  name: 'adapter',
  startState: () => ({ depth: 0, last: null }),
  token: (stream, state) => {
    const type = read(stream);
    if (type === null) {
      stream.next();
      return 'invalid';
    }
    if (type.GROUP !== undefined) return styleOutside(type, stream.current());
    const style = styleOf(type, stream, state.last);
    if (opening.includes(type)) state.depth += 1;
    if (closing.includes(type)) state.depth = Math.max(0, state.depth - 1);
    state.last = type;
    return style;
  },
  indent: (state, after, context) =>
    Math.max(0, state.depth - (/^[})\]]/.test(after) ? 1 : 0)) * context.unit,
  languageData: {
    commentTokens: { line: '//' },
    closeBrackets: { brackets: ['(', '[', '{', '"'] },
    indentOnInput: /^\s*[})\]]$/,
  },
});

function read(stream: StringStream): TokenType | null {
  const reader = readers.find(({ pattern }) => stream.match(pattern));
  if (reader?.type !== t.Identifier) return reader?.type ?? null;
  return keywords.get(stream.current()) ?? t.Identifier;
}

/** Blanks and comments. */
function styleOutside(type: TokenType, text: string): string | null {
  if (type !== t.LineComment) return null;
  return /^\/\/\/(?!\/)/.test(text) ? 'docComment' : 'comment';
}

/** Names of `@lezer/highlight`'s tags. */
function styleOf(type: TokenType, stream: StringStream, last: TokenType | null): string | null {
  if (type === t.NumberToken) return 'number';
  if (type === t.StringToken) return 'string';
  if (operators.includes(type)) return 'operator';
  if (opening.includes(type) || closing.includes(type)) return 'bracket';
  if (type !== t.Identifier && !t.keywords.includes(type)) return 'punctuation';
  // Attributes and the later words of a path may be spelled like keywords.
  if (last === t.Dot) return 'propertyName';
  if (stream.match(/^\s*(?:=(?!=)|:)/, false) && !isDeclared(last)) return 'propertyName';
  if (t.keywords.includes(type)) return 'keyword';
  return isDeclared(last) ? 'variableName.definition' : 'variableName';
}

const isDeclared = (last: TokenType | null): boolean =>
  last !== null && [...t.declarationKeywords, ...t.itemKeywords].includes(last);
