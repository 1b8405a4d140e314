/**
 * Text to tree. `parse` always gives a tree, whatever the text; what it could not read is in the diagnostics.
 *
 * The lexer and the rules make Chevrotain's concrete tree, `tree.ts` turns it into ours.
 */
import { Lexer, type IToken } from 'chevrotain';
import type { Expression, File } from './ast.ts';
import type { Diagnostic } from './diagnostic.ts';
import { isFollowUp, lexicalError, syntaxError, tooDeep } from './messages.ts';
import { positionOf, type Source } from './source.ts';
import { AdapterParser } from './rules.ts';
import * as t from './tokens.ts';
import { buildExpression, buildFile } from './tree.ts';

const lexer = new Lexer(t.tokens, { positionTracking: 'full', ensureOptimizations: false });
const parser = new AdapterParser();

/** The grammar's productions, for drawing its railroad diagrams. */
export const productions = (): ReturnType<AdapterParser['getSerializedGastProductions']> =>
  parser.getSerializedGastProductions();

/** The tokens of a text and its comments, both in order; what starts no token is left out. */
export function lex(text: string): {
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
} {
  const { tokens, groups } = lexer.tokenize(text);
  return { tokens, comments: groups['comments'] ?? [] };
}

export interface Parsed {
  readonly file: File;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a whole file. */
export function parse(source: Source): Parsed {
  const { cst, comments, diagnostics } = run(source, () => parser.file());
  const built = buildFile(cst, comments, source);
  return { file: built.value, diagnostics: [...diagnostics, ...built.diagnostics] };
}

/** Reads one expression, such as the value of `--set late="last 2"`. */
export function parseExpression(source: Source): {
  readonly expression: Expression;
  readonly diagnostics: readonly Diagnostic[];
} {
  const { cst, diagnostics } = run(source, () => parser.value());
  const built = buildExpression(cst, source);
  return { expression: built.value, diagnostics: [...diagnostics, ...built.diagnostics] };
}

function run(source: Source, rule: () => ReturnType<AdapterParser['file']>) {
  const lexed = lexer.tokenize(source.text);
  const deep = tooDeepAt(source, lexed.tokens);
  parser.input = deep === null ? lexed.tokens : [];
  const cst = rule();
  const diagnostics = [
    ...(deep === null ? [] : [deep]),
    ...lexed.errors.map((e) => lexicalError(source, e.offset, e.length)),
    ...complaints(source, lexed.tokens),
  ];
  return { cst, comments: lexed.groups['comments'] ?? [], diagnostics };
}

const MAX_DEPTH = 100;

/** The parser is recursive, so a text of nothing but brackets has to be stopped before it. */
function tooDeepAt(source: Source, tokens: readonly IToken[]): Diagnostic | null {
  let depth = 0;
  for (const token of tokens) {
    if ([t.LeftBrace, t.LeftBracket, t.LeftParen].includes(token.tokenType)) depth++;
    if ([t.RightBrace, t.RightBracket, t.RightParen].includes(token.tokenType)) depth--;
    if (depth > MAX_DEPTH)
      return tooDeep({ file: source.file, start: token.startOffset, end: token.startOffset + 1 });
  }
  return null;
}

/** A line that went wrong once tends to go wrong again for the same reason: the first complaint is the true one. */
function complaints(source: Source, tokens: readonly IToken[]): Diagnostic[] {
  const seen = new Set<number>();
  return parser.errors.flatMap((e, i) => {
    const d = syntaxError(source, e, tokens);
    const line = positionOf(source.text, d.span.start).line;
    if (seen.has(line) || (i > 0 && isFollowUp(d, e))) return [];
    seen.add(line);
    return [d];
  });
}
