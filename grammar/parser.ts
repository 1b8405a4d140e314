/**
 * Text to tree. `parse` always gives a tree, whatever the text; what it could not read is in the diagnostics.
 *
 * The lexer and the rules make Chevrotain's concrete tree, `tree.ts` turns it into ours.
 */
import { Lexer, type CstNode, type IToken } from 'chevrotain';
import type { Expression, File } from './ast.ts';
import { followBrackets } from './brackets.ts';
import type { Diagnostic } from './diagnostic.ts';
import { foreignComment, lexicalError } from './diagnostics/characters.ts';
import { isFollowUp, syntaxError, tooDeep } from './diagnostics/structure.ts';
import { positionOf, type Source } from './source.ts';
import { AdapterParser } from './rules.ts';
import * as t from './tokens.ts';
import { buildExpression, buildFile } from './tree.ts';
import { TooDeep } from './value-rules.ts';

// Chevrotain's validations of tokens and rules take longer than reading a spec; test/grammar/parser.test.ts makes them.
export const lexerConfig = { positionTracking: 'full', ensureOptimizations: false } as const;
const lexer = new Lexer(t.tokens, { ...lexerConfig, skipValidations: true });
const parser = new AdapterParser();

/** The grammar's productions from the whole file down, for drawing its railroad diagrams. */
export function productions(): ReturnType<AdapterParser['getSerializedGastProductions']> {
  const all = parser.getSerializedGastProductions();
  const start = all.findIndex((rule) => 'name' in rule && rule.name === 'file');
  return [...all.slice(start), ...all.slice(0, start)];
}

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

function run(source: Source, rule: () => CstNode) {
  const lexed = lexer.tokenize(source.text);
  parser.input = lexed.tokens;
  const { cst, deep } = readOn(source, rule);
  const diagnostics = [
    ...deep,
    ...lexed.errors.map((e) => lexicalError(source, e.offset, e.length)),
    ...(lexed.groups['foreign'] ?? []).map((token) => foreignComment(source, token)),
    ...(deep.length > 0 ? [] : complaints(source, lexed.tokens)),
  ];
  return { cst, comments: lexed.groups['comments'] ?? [], diagnostics };
}

/** The concrete tree; none when something in the text is nested too deeply. */
function readOn(
  source: Source,
  rule: () => CstNode,
): { readonly cst?: CstNode; readonly deep: readonly Diagnostic[] } {
  try {
    return { cst: rule(), deep: [] };
  } catch (e) {
    if (!(e instanceof TooDeep)) throw e;
    const start = Number.isNaN(e.token.startOffset) ? source.text.length : e.token.startOffset;
    return { deep: [tooDeep({ file: source.file, start, end: start + e.token.image.length })] };
  }
}

/** A line that went wrong once tends to go wrong again for the same reason: the first complaint is the true one. */
function complaints(source: Source, tokens: readonly IToken[]): Diagnostic[] {
  if (parser.errors.length === 0) return [];
  const seen = new Set<number>();
  const brackets = followBrackets(tokens);
  return parser.errors.flatMap((e, i) => {
    const d = syntaxError(source, e, tokens, brackets);
    const line = positionOf(source.text, d.span.start).line;
    if (seen.has(line) || (i > 0 && isFollowUp(d, e))) return [];
    seen.add(line);
    return [d];
  });
}
