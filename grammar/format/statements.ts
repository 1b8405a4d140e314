/** Declarations, items and attributes as rows. */
import type { Doc } from 'prettier';
import * as prettierDoc from 'prettier/doc';
import type { Comment, File } from '../ast.ts';
import { atLineEnd, clauseDoc, flatText, textOf, type Printing } from './expressions.ts';
import { braceOf, headOf, type Statement } from './head.ts';
import { isHolder, sweepEntries, type Entry, type Holder } from './nodes.ts';
import { rowsDoc, type Remark, type Row } from './rows.ts';
import { breaksBefore, widthOf } from './text.ts';

const { hardline, indent, literalline, join } = prettierDoc.builders;

/** How wide lines may be, and by how much a block is indented. */
interface Page extends Printing {
  readonly room: number;
  readonly tab: number;
}

/** A whole file. */
export function fileDoc(page: Page, file: File): Doc {
  const inside = page.commentsOf(file).inside.map((c) => remark(page, c));
  const rows = file.declarations.map((d) => rowOf(page, d));
  if (rows.length > 0) return [rowsDoc(rows, page.room), hardline];
  return inside.length === 0 ? '' : [remarksDoc(inside), hardline];
}

const remark = (page: Page, comment: Comment): Remark => ({
  comment,
  blank: breaksBefore(page.text, comment.span.start) > 1,
});

const remarksDoc = (remarks: readonly Remark[]): Doc =>
  join(
    hardline,
    remarks.map(({ comment, blank }, i) => (blank && i > 0 ? [hardline, textOf(comment)] : textOf(comment))),
  );

/** What usually takes many lines. */
const large: ReadonlySet<Statement['kind']> = new Set(['base', 'recipe', 'sweep']);

function rowOf(page: Page, s: Statement): Row {
  const { words, clauses } = headOf(s, page.text);
  const placed = page.commentsOf(s);
  const block = isHolder(s) ? blockOf(page, s) : null;
  const row: Row = {
    // An adapter usually holds items, so those that hold none are not a table.
    class: s.kind === 'adapter' ? null : s.kind,
    scope: s.kind === 'part' ? 'throughout' : large.has(s.kind) ? 'one line' : 'neighbours',
    words: words.map((w) => w.text),
    clauses: clauses.map(({ word, value }) => ({
      word,
      doc: 'kind' in value ? clauseDoc(page, word, value, block !== null) : `${word} ${value.text}`,
    })),
    block,
    blank: breaksBefore(page.text, s.span.start) > 1,
    above: placed.above.map((c) => remark(page, c)),
    opening: placed.opening,
    behind: placed.behind,
    below: placed.below.map((c) => remark(page, c)),
  };
  return isIgnored(row) ? verbatim(page, s, row) : row;
}

const isIgnored = (row: Row): boolean =>
  row.above.some(({ comment }) => /^\/\/+ *prettier-ignore\s*$/.test(comment.text));

/** As it is written, when the comment above says so. */
function verbatim(page: Page, s: Statement, row: Row): Row {
  const written = page.text.slice(s.span.start, s.span.end).split('\n');
  const after = (c: Comment): boolean => c.span.start >= s.span.end;
  return {
    ...row,
    class: null,
    scope: 'neighbours',
    words: [],
    clauses: [],
    block: { flat: null, broken: join(literalline, written) },
    opening: [],
    behind: row.behind.filter(after),
  };
}

/** The braces of a declaration or item; null where it has none. */
function blockOf(page: Page, s: Exclude<Holder, File>): Row['block'] {
  if (braceOf(s, page.text) === null) return null;
  const { opening, inside } = page.commentsOf(s);
  const inner: Page = { ...page, room: page.room - page.tab };
  const braces = (body: Doc): Doc => ['{', atLineEnd(opening), indent([hardline, body]), hardline, '}'];
  const entries = s.kind === 'adapter' ? [] : s.kind === 'sweep' ? sweepEntries(s) : s.fields;
  if (s.kind === 'adapter' && s.items.length > 0) {
    const rows = s.items.map((i) => rowOf(inner, i));
    return { flat: null, broken: braces(rowsDoc(rows, inner.room)) };
  }
  if (entries.length > 0) {
    const rows = entries.map((e) => rowOf(inner, e));
    return {
      flat: flatBlock(page, entries, rows),
      broken: braces(rowsDoc(entryLines(inner, entries, rows), inner.room)),
    };
  }
  if (inside.length === 0) return { flat: '{}', broken: ['{}', atLineEnd(opening)] };
  return { flat: null, broken: braces(remarksDoc(inside.map((c) => remark(page, c)))) };
}

/** `{ a = 1  b = 2 }`; null when it was written over several lines or holds a comment. */
function flatBlock(page: Page, entries: readonly Entry[], rows: readonly Row[]): string | null {
  if (entries.some((e) => breaksBefore(page.text, e.span.start) > 0)) return null;
  const flat = rows.map(flatRow);
  return flat.every((f) => f !== null) ? `{ ${flat.join('  ')} }` : null;
}

/** An attribute or condition on one line; null when it cannot be, or has a comment. */
function flatRow(row: Row): string | null {
  const { above, behind, below } = row;
  if (above.length + behind.length + below.length > 0) return null;
  const clauses = row.clauses.map((c) => flatText(c.doc));
  return row.block === null && clauses.every((c) => c !== null) ? [...row.words, ...clauses].join(' ') : null;
}

/** Attributes that were written on one line stay there while they fit; else each gets a line of its own. */
function entryLines(page: Page, entries: readonly Entry[], rows: readonly Row[]): Row[] {
  const lines: Row[][] = [];
  rows.forEach((row, i) => {
    const entry = entries[i];
    const begins = entry === undefined || breaksBefore(page.text, entry.span.start) > 0;
    if (begins || row.class !== 'field' || rows[i - 1]?.class !== 'field') lines.push([row]);
    else lines.at(-1)?.push(row);
  });
  return lines.flatMap((line) => joinLine(page, line) ?? line);
}

function joinLine(page: Page, line: readonly Row[]): Row | null {
  const [first, last] = [line[0], line.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const flat = line.map((row) =>
    flatRow({
      ...row,
      above: row === first ? [] : row.above,
      behind: row === last ? [] : row.behind,
      below: row === last ? [] : row.below,
    }),
  );
  const text = flat.join('  ');
  if (flat.includes(null) || widthOf(text) > page.room) return null;
  return { ...last, class: null, words: [text], clauses: [], blank: first.blank, above: first.above };
}
