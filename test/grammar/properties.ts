/** What holds for every text, whatever is in it. */
import { Lexer, type CstElement, type CstNode, type IToken } from 'chevrotain';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { parse, parseExpression } from '../../grammar/parser.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { AdapterParser } from '../../grammar/rules.ts';
import type { Span } from '../../grammar/source.ts';
import { tokens } from '../../grammar/tokens.ts';
import { tiny } from '../check/tiny-base.ts';
import { assertFormats, format } from './formatting.ts';

const lexer = new Lexer(tokens, { ensureOptimizations: false });
const parser = new AdapterParser();

/** Children of the concrete tree that say something by what is written, and not only by being there. */
const speaking = new Set(['Identifier', 'Word', 'Number', 'String']);

interface Read {
  /** Tokens that the grammar took for names, numbers and strings. */
  readonly content: IToken[];
  /** Where any token stands that the grammar found a place for. */
  readonly places: Set<number>;
}

function readTokens(element: CstElement | CstNode, key: string, read: Read): Read {
  if ('children' in element) {
    for (const [name, children] of Object.entries(element.children))
      for (const child of children) readTokens(child, name, read);
  } else if (!Number.isNaN(element.startOffset)) {
    read.places.add(element.startOffset);
    if (speaking.has(key)) read.content.push(element);
  }
  return read;
}

/** Spans of the names, numbers, strings and paths of imports in a tree, with what is written there. */
function leavesOf(tree: unknown, out: { readonly span: Span; readonly text: string }[] = []) {
  if (typeof tree !== 'object' || tree === null) return out;
  const node = tree as {
    readonly kind?: string;
    readonly text?: string;
    readonly span?: Span;
    readonly pathSpan?: Span;
  };
  if (node.kind === 'comment') return out;
  if (node.text !== undefined && node.span !== undefined) out.push({ span: node.span, text: node.text });
  if (node.pathSpan !== undefined) out.push({ span: node.pathSpan, text: '' });
  for (const child of Object.values(tree)) leavesOf(child, out);
  return out;
}

/** What the parser could read is in the tree, and what it could not it complains about. */
function assertKeepsTokens(text: string): readonly Diagnostic[] {
  const { file, diagnostics } = parse({ file: 'x', text });
  const lexed = lexer.tokenize(text);
  assertSpans(file, text);
  if (diagnostics.some((d) => d.code === 'A007')) return diagnostics;
  parser.input = lexed.tokens;
  const { content, places } = readTokens(parser.file(), 'file', { content: [], places: new Set() });
  const leaves = new Map(leavesOf(file).map((leaf) => [`${leaf.span.start}`, leaf]));
  const spans = leavesOf(file).map((leaf) => leaf.span);
  for (const token of content) {
    const end = token.startOffset + token.image.length;
    const exact = leaves.get(`${token.startOffset}`);
    const held = exact !== undefined || spans.some((s) => s.start <= token.startOffset && end <= s.end);
    assert.ok(held, `\`${token.image}\` at ${token.startOffset} is not in the tree`);
  }
  const skipped = lexed.tokens.filter((token) => !places.has(token.startOffset));
  if (skipped.length + lexed.errors.length > 0)
    assert.ok(diagnostics.length > 0, `skipped \`${skipped[0]?.image}\``);
  return diagnostics;
}

/** Every span of a tree lies in the text. */
function assertSpans(tree: unknown, text: string): void {
  if (typeof tree !== 'object' || tree === null) return;
  const { start, end } = tree as { readonly start?: number; readonly end?: number | string };
  if (typeof start === 'number' && typeof end === 'number')
    assert.ok(start >= 0 && start <= end && end <= text.length, `a span that is none: ${start} to ${end}`);
  for (const child of Object.values(tree)) assertSpans(child, text);
}

/** Bases with the layers of real ones and little in them, so that the time goes into reading. */
const bases = ['llama7b', 'llama13b', 'llama65b']
  .map((name) => `base ${name} { layers = 32 dim = 8 heads = 2 ffn = 8 vocab = 8 }`)
  .join('\n');

/** Checking throws nothing, and what it reports can be shown. Half of the texts stand on a base that fits nothing. */
function assertChecks(text: string): readonly Diagnostic[] {
  const host = memoryHost({ 'x.adapter': text, 'bases.adapter': bases, 'base.adapter': bases });
  const { diagnostics, sources } = checkSpec('x.adapter', host, text.length % 2 === 0 ? {} : { base: tiny });
  for (const d of diagnostics) {
    const size = sources.get(d.span.file)?.length ?? -1;
    assert.ok(
      d.span.start >= 0 && d.span.start <= d.span.end && d.span.end <= size,
      `${d.code}: no such place`,
    );
    assert.ok(d.message.length > 0 && !/undefined|NaN|\[object/.test(d.message), d.message);
    assert.ok(renderDiagnostic(d, sources).includes(d.code));
  }
  return diagnostics;
}

/** Everything that holds for a text; gives the codes that were reported. */
export async function assertHolds(text: string): Promise<ReadonlySet<string>> {
  const syntax = assertKeepsTokens(text);
  const found = assertChecks(text);
  parseExpression({ file: 'x', text: text.slice(0, 200) });
  if (syntax.length === 0) await assertFormats(text);
  else {
    const failure: unknown = await format(text).catch((e: unknown) => e);
    assert.instance(failure, SyntaxError);
    assert.ok((failure as { loc?: unknown }).loc !== undefined, 'a mistake without a place');
  }
  return new Set([...syntax, ...found].map((d) => d.code));
}
