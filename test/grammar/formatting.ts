/** What formatting does to a spec, and what it leaves alone. */
import { format as prettier, type Options } from 'prettier';
import * as assert from 'uvu/assert';
import type { File } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { parse } from '../../grammar/parser.ts';
import * as plugin from '../../grammar/prettier.ts';
import { lexemes } from './noise.ts';

/** Formats a spec; a mistake in it is thrown as a SyntaxError. */
export const format = (text: string, options: Options = {}): Promise<string> =>
  prettier(text, { ...options, parser: 'adapter', plugins: [plugin] });

/** A tree without its places and comments: what a spec means. */
export function meaning(file: File): unknown {
  return JSON.parse(
    JSON.stringify(file, (key, value: unknown) =>
      ['span', 'pathSpan', 'comments', 'file'].includes(key) ? undefined : value,
    ),
  );
}

const isComment = (token: string): boolean => token.startsWith('//');

/** The tokens of a text without comments, and with brackets that stand twice standing once. */
function tokensOf(text: string): string[] {
  const tokens = lexemes(text).filter((token) => !isComment(token));
  const partner = new Map<number, number>();
  const open: number[] = [];
  tokens.forEach((token, i) => {
    if (token === '(') open.push(i);
    if (token === ')') partner.set(open.pop() ?? -1, i);
  });
  const doubled = new Set<number>();
  for (const [from, to] of partner)
    if (partner.get(from + 1) === to - 1 && tokens[from + 1] === '(') doubled.add(from).add(to);
  return tokens.filter((_, i) => !doubled.has(i));
}

/** Every comment is still there, whole; two that came on one line are one. */
function assertComments(before: string, after: string): void {
  const of = (text: string): string[] => lexemes(text).flatMap((l) => (isComment(l) ? [l.trimEnd()] : []));
  let rest = `\n${of(after).join('\n')}\n`;
  for (const comment of of(before).sort((a, b) => b.length - a.length)) {
    assert.ok(rest.includes(comment), `lost: ${comment}`);
    rest = rest.replace(comment, () => '');
  }
  assert.is(rest.trim(), '', 'comments from nowhere');
}

/** The text without what is told to be left alone, which keeps its blank lines. */
function withoutIgnored(text: string, file: File): string {
  const spans: Span[] = [];
  JSON.stringify(file, (_, value: unknown) => {
    const span = (value as { span?: Span } | null)?.span;
    const isIgnored =
      span !== undefined && /\/\/+ *prettier-ignore\s*?\n(\s*\/\/.*\n)*\s*$/.test(text.slice(0, span.start));
    if (isIgnored) spans.push(span);
    return value;
  });
  return spans.reduce((rest, { start, end }) => rest.replace(text.slice(start, end), 'ignored'), text);
}

/** Formatting a spec without mistakes changes neither its meaning nor its tokens, and formatting again changes nothing. */
export async function assertFormats(text: string, options: Options = {}): Promise<string> {
  const once = await format(text, options);
  const before = parse({ file: 'x', text });
  const after = parse({ file: 'x', text: once });
  assert.equal(after.diagnostics, [], once);
  assert.equal(meaning(after.file), meaning(before.file), once);
  assert.equal(tokensOf(once), tokensOf(text));
  assertComments(text, once);
  assert.is(await format(once, options), once, 'formatting again changes it');
  assert.not.match(withoutIgnored(once, after.file), /[ \t]\n|\n\n\n|^\n|\r/);
  return once;
}
