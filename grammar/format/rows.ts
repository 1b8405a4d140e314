/**
 * Lines that stand below each other. Each is a row of words and clauses, perhaps with a block behind it; neighbours of
 * one class are aligned in columns, and so are comments behind them.
 *
 * Whether a row stands on one line follows from its words, its own clauses and the words of others; aligning clauses
 * makes no line too long. So formatting again decides the same.
 */
import type { Doc } from 'prettier';
import * as prettierDoc from 'prettier/doc';
import type { Comment } from '../ast.ts';
import { atLineEnd, flatText, textOf } from './expressions.ts';
import { padTo, widthOf } from './text.ts';

const { hardline, join } = prettierDoc.builders;

/** A comment on a line of its own, and whether a blank line stands before it. */
export interface Remark {
  readonly comment: Comment;
  readonly blank: boolean;
}

export interface Row {
  /** Rows of one class are aligned with their neighbours; those without one never are. */
  readonly class: string | null;
  /**
   * Which rows of the class: all that are there (`throughout`, their words only), neighbours, or neighbours that stand
   * on one line.
   */
  readonly scope: 'throughout' | 'neighbours' | 'one line';
  readonly words: readonly string[];
  readonly clauses: readonly { readonly word: string; readonly doc: Doc }[];
  /** Braces and what is in them, on one line (null when they cannot be) and over several. */
  readonly block: { readonly flat: string | null; readonly broken: Doc } | null;
  readonly blank: boolean;
  readonly above: readonly Remark[];
  /** At the end of the line; a block over several lines shows them behind its brace. */
  readonly opening: readonly Comment[];
  readonly behind: readonly Comment[];
  readonly below: readonly Remark[];
}

/** A row being laid out. */
interface Line {
  readonly row: Row;
  readonly class: string | null;
  /** What follows the words when the row fits on one line; null when it does not. */
  cells: readonly string[] | null;
  /** The words, padded. */
  start: string;
  /** All of it but comments, padded. */
  text: string | null;
}

/** Rows as a document: blank lines kept, columns aligned. `room` is the width of a line less its indentation. */
export function rowsDoc(rows: readonly Row[], room: number): Doc {
  const lines = rows.map((row) => lineOf(row, room));
  const runs = runsOf(lines);
  alignWords(lines, runs, room);
  for (const run of runs) alignClauses(run, room);
  const padded = alignComments(lines);
  const docs = lines.flatMap(({ row, start }, i) => [
    ...row.above.map(remarkLine),
    { blank: row.blank, doc: padded[i] ?? brokenRow(row, start) },
    ...row.below.map(remarkLine),
  ]);
  return join(
    hardline,
    docs.map(({ blank, doc }, i) => (blank && i > 0 ? [hardline, doc] : doc)),
  );
}

function lineOf(row: Row, room: number): Line {
  const start = wordCells(row).join(' ');
  const all = clauseCells(row);
  const cells = all === null || widthOf(start + all.join(' ')) > room ? null : all;
  return {
    row,
    class: row.scope === 'one line' && cells === null ? null : row.class,
    cells,
    start,
    text: null,
  };
}

const remarkLine = ({ comment, blank }: Remark): { readonly blank: boolean; readonly doc: Doc } => ({
  blank,
  doc: textOf(comment),
});

/** Whether nothing stands between a row and the one before it. */
const isNeighbour = (row: Row, before: Row | undefined): boolean =>
  before !== undefined && !row.blank && row.above.length === 0 && before.below.length === 0;

/** Neighbours of one class. */
function runsOf(lines: readonly Line[]): Line[][] {
  const runs: Line[][] = [];
  lines.forEach((line, i) => {
    const before = lines[i - 1];
    const alike = line.class !== null && line.class === before?.class;
    if (alike && isNeighbour(line.row, before.row)) runs.at(-1)?.push(line);
    else runs.push([line]);
  });
  return runs;
}

/** The widths of columns, where a row counts for a column when something follows in it. */
function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows)
    row.slice(0, -1).forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))));
  return widths;
}

const padRow = (row: readonly string[], widths: readonly number[]): string =>
  row.map((cell, i) => (i === row.length - 1 ? cell : padTo(cell, widths[i] ?? 0))).join(' ');

/** The words of a row, with an empty cell in the end when something follows them. */
const wordCells = (row: Row): string[] =>
  row.clauses.length > 0 || row.block !== null ? [...row.words, ''] : [...row.words];

/** Pads words. A row that fits no more is broken then, but rows that are aligned only on one line stay there. */
function alignWords(lines: readonly Line[], runs: readonly (readonly Line[])[], room: number): void {
  const throughout = lines.filter((line) => line.row.scope === 'throughout');
  for (const run of [throughout, ...runs.filter((r) => r[0]?.row.scope !== 'throughout')]) {
    const words = run.map((line) => wordCells(line.row));
    const widths = columnWidths(words);
    const starts = words.map((cells) => padRow(cells, widths));
    const isTooWide = ({ cells }: Line, i: number): boolean =>
      cells !== null && widthOf(starts[i] + cells.join(' ')) > room;
    if (run[0]?.row.scope === 'one line' && run.some(isTooWide)) continue;
    run.forEach((line, i) => {
      if (isTooWide(line, i)) line.cells = null;
      line.start = starts[i] ?? line.start;
    });
  }
}

/** Aligns the clauses and blocks of rows on one line that have the same clauses, unless one would fit no more. */
function alignClauses(run: readonly Line[], room: number): void {
  const shapes = new Map<string, { readonly line: Line; readonly cells: readonly string[] }[]>();
  for (const line of run) {
    if (line.cells === null) continue;
    const shape = line.row.clauses.map((c) => c.word).join(' ');
    const alike = shapes.get(shape);
    if (alike === undefined) shapes.set(shape, [{ line, cells: line.cells }]);
    else alike.push({ line, cells: line.cells });
  }
  for (const alike of shapes.values()) {
    const widths = columnWidths(alike.map((a) => a.cells));
    const padded = alike.map(({ line, cells }) => line.start + padRow(cells, widths));
    const fits = padded.every((text) => widthOf(text) <= room);
    alike.forEach(
      ({ line, cells }, i) => (line.text = fits ? (padded[i] ?? '') : line.start + cells.join(' ')),
    );
  }
}

/** What follows the words, each on one line; null when something has to break. */
function clauseCells(row: Row): string[] | null {
  const cells = row.clauses.map((c) => flatText(c.doc));
  const all = row.block === null ? cells : [...cells, row.block.flat];
  return all.every((c) => c !== null) ? all : null;
}

/** Rows on one line with their comments, which are aligned with those of neighbours; null for the others. */
function alignComments(lines: readonly Line[]): (string | null)[] {
  const out = lines.map((line) => line.text);
  let pending: number[] = [];
  const flush = (): void => {
    const width = pending.reduce((most, i) => Math.max(most, widthOf(out[i] ?? '')), 0);
    for (const i of pending) out[i] = `${padTo(out[i] ?? '', width)}  ${commentsAfter(lines[i]?.row)}`;
    pending = [];
  };
  lines.forEach(({ row, text }, i) => {
    if (text === null || !isNeighbour(row, lines[i - 1]?.row)) flush();
    if (text !== null && commentsAfter(row) !== '') pending.push(i);
  });
  flush();
  return out;
}

const commentsAfter = (row: Row | undefined): string =>
  row === undefined ? '' : [...row.opening, ...row.behind].map(textOf).join('  ');

function brokenRow(row: Row, start: string): Doc {
  const clauses = join(
    ' ',
    row.clauses.map((c) => c.doc),
  );
  if (row.block === null) return [start, clauses, atLineEnd([...row.opening, ...row.behind])];
  const gap = row.clauses.length > 0 ? ' ' : '';
  return [start, clauses, gap, row.block.broken, atLineEnd(row.behind)];
}
