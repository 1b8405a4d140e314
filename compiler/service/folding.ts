/** What can be folded: blocks in braces, comments of several lines, and the imports at the beginning. */
import type { IToken } from 'chevrotain';
import { lex } from '../../grammar/parser.ts';
import { Import, LeftBrace, RightBrace, StringToken } from '../../grammar/tokens.ts';
import type { Workspace } from './workspace.ts';

/** Lines count from 0; the first stays visible. */
export interface Fold {
  readonly from: number;
  readonly to: number;
  readonly kind: 'block' | 'comment' | 'imports';
}

/** Folds by token, so that they stay while the file is broken. */
export function folds(workspace: Workspace, path: string): readonly Fold[] {
  const { tokens, comments } = lex(workspace.host.readFile(path) ?? '');
  const code = new Set(tokens.map(lineOf));
  const alone = comments.filter((comment) => !code.has(lineOf(comment)));
  const found = [...blocks(tokens), ...runs(alone, 'comment'), ...runs(importTokens(tokens), 'imports')];
  return found.sort((a, b) => a.from - b.from);
}

const lineOf = (token: IToken): number => (token.startLine ?? 1) - 1;

/** A block is folded to the line above its closing brace, which stays visible as well. */
function blocks(tokens: readonly IToken[]): Fold[] {
  const open: IToken[] = [];
  const found: Fold[] = [];
  for (const token of tokens) {
    if (token.tokenType === LeftBrace) open.push(token);
    const opener = token.tokenType === RightBrace ? open.pop() : undefined;
    if (opener !== undefined && lineOf(token) - 1 > lineOf(opener))
      found.push({ from: lineOf(opener), to: lineOf(token) - 1, kind: 'block' });
  }
  return found;
}

const importTokens = (tokens: readonly IToken[]): IToken[] =>
  tokens.filter((k, i) => k.tokenType === Import && tokens[i + 1]?.tokenType === StringToken);

/** Neighbouring lines that hold one of these tokens each. */
function runs(tokens: readonly IToken[], kind: Fold['kind']): Fold[] {
  const found: { from: number; to: number; kind: Fold['kind'] }[] = [];
  for (const token of tokens) {
    const line = lineOf(token);
    const run = found.at(-1);
    if (run !== undefined && run.to === line - 1) run.to = line;
    else found.push({ from: line, to: line, kind });
  }
  return found.filter((run) => run.to > run.from);
}
