/** Which brackets are open where, and what closes them. */
import type { IToken, TokenType } from 'chevrotain';
import type { Source } from './source.ts';
import * as t from './tokens.ts';

/** An opening bracket and the closing one. */
export interface Pair {
  readonly open: TokenType;
  readonly close: TokenType;
}

export const bracketPairs: readonly Pair[] = [
  { open: t.LeftBrace, close: t.RightBrace },
  { open: t.LeftParen, close: t.RightParen },
  { open: t.LeftBracket, close: t.RightBracket },
];

/** Follows the brackets of a text from one mistake to the next. */
export interface Brackets {
  /** Those open before a place, the innermost last, and the last token before it. */
  before(place: number): { readonly open: readonly IToken[]; readonly last: IToken | undefined };
  /** Leaves so many of them open: the others have been complained about. */
  close(stay: number): void;
}

/** Brackets of a text. Asked about places in their order, it goes through the text once. */
export function followBrackets(tokens: readonly IToken[]): Brackets {
  let next = 0;
  let open: IToken[] = [];
  const restart = (): void => {
    next = 0;
    open = [];
  };
  return {
    before(place) {
      if ((tokens[next - 1]?.startOffset ?? -1) >= place) restart();
      for (; next < tokens.length; next++) {
        const token = tokens[next];
        if (token === undefined || token.startOffset >= place) break;
        const pair = bracketPairs.find((p) => p.open === token.tokenType || p.close === token.tokenType);
        if (token.tokenType === pair?.open) open.push(token);
        else if (pair !== undefined && open.at(-1)?.tokenType === pair.open) open.pop();
      }
      return { open: [...open], last: tokens[next - 1] };
    },
    close(stay) {
      open = open.slice(0, stay);
    },
  };
}

/** What closes brackets, the innermost first: a brace on a line of its own when it was opened on another one. */
export function closing(source: Source, open: readonly IToken[], last: IToken | undefined): string {
  let line = last?.endLine;
  return open
    .toReversed()
    .map((token) => {
      const close = bracketPairs.find((p) => p.open === token.tokenType)?.close;
      const sign = typeof close?.PATTERN === 'string' ? close.PATTERN : '';
      if (sign !== '}') return sign;
      if (token.startLine === line) return ' }';
      line = token.startLine;
      const start = source.text.lastIndexOf('\n', token.startOffset) + 1;
      return `\n${/^[ \t]*/.exec(source.text.slice(start))?.[0] ?? ''}}`;
    })
    .join('');
}
