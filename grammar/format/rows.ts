/**
 * Lines that stand below each other. Each is a row of words and clauses, perhaps with a block behind it; neighbours of
 * one class are aligned in columns, and so are comments behind them.
 *
 * Whether a row stands on one line is decided before its clauses are aligned, and alignment makes no line too long:
 * formatting again decides the same.
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
  /** Whether the words, unlike the clauses, are aligned with every row of the class. */
  readonly throughout: boolean;
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

/** Rows as a document: blank lines kept, columns aligned. `room` is the width of a line less its indentation. */
export function rowsDoc(rows: readonly Row[], room: number): Doc {
  const flat = alignClauses(rows, alignWords(rows), room);
  const padded = alignComments(rows, flat.lines);
  const lines = rows.flatMap((row, i) => [
    ...row.above.map(remarkLine),
    { blank: row.blank, doc: padded[i] ?? brokenRow(row, flat.starts[i] ?? '') },
    ...row.below.map(remarkLine),
  ]);
  return join(
    hardline,
    lines.map(({ blank, doc }, i) => (blank && i > 0 ? [hardline, doc] : doc)),
  );
}

const remarkLine = ({ comment, blank }: Remark): { readonly blank: boolean; readonly doc: Doc } => ({
  blank,
  doc: textOf(comment),
});

/** Whether nothing stands between a row and the one before it. */
const isNeighbour = (row: Row, before: Row | undefined): boolean =>
  before !== undefined && !row.blank && row.above.length === 0 && before.below.length === 0;

/** Rows in runs of neighbours of one class, as indices. */
function runsOf(rows: readonly Row[]): number[][] {
  const runs: number[][] = [];
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    if (row.class !== null && row.class === before?.class && isNeighbour(row, before)) runs.at(-1)?.push(i);
    else runs.push([i]);
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

interface Runs {
  readonly runs: readonly (readonly number[])[];
  /** The words of each row, padded. */
  readonly starts: readonly string[];
}

function alignWords(rows: readonly Row[]): Runs {
  const runs = runsOf(rows);
  const starts: string[] = [];
  const wide = columnWidths(rows.filter((r) => r.throughout).map(wordCells));
  for (const run of runs) {
    const mine = run.flatMap((i) => rows[i] ?? []);
    const widths = mine[0]?.throughout === true ? wide : columnWidths(mine.map(wordCells));
    for (const i of run) {
      const row = rows[i];
      starts[i] = row === undefined ? '' : padRow(wordCells(row), widths);
    }
  }
  return { runs, starts };
}

/** Rows that fit on a line, with their clauses aligned; null for the others. */
function alignClauses(
  rows: readonly Row[],
  { runs, starts }: Runs,
  room: number,
): { readonly lines: readonly (string | null)[]; readonly starts: readonly string[] } {
  const lines: (string | null)[] = rows.map(() => null);
  for (const run of runs) {
    const shapes = new Map<string, { readonly index: number; readonly cells: readonly string[] }[]>();
    for (const index of run) {
      const row = rows[index];
      const cells = row === undefined ? null : clauseCells(row);
      if (row === undefined || cells === null) continue;
      if (widthOf(starts[index] + cells.join(' ')) > room) continue;
      const shape = row.clauses.map((c) => c.word).join(' ');
      shapes.set(shape, [...(shapes.get(shape) ?? []), { index, cells }]);
    }
    for (const alike of shapes.values()) {
      const widths = columnWidths(alike.map((a) => a.cells));
      const padded = alike.map((a) => starts[a.index] + padRow(a.cells, widths));
      const fits = padded.every((line) => widthOf(line) <= room);
      alike.forEach(
        (a, i) => (lines[a.index] = fits ? (padded[i] ?? '') : starts[a.index] + a.cells.join(' ')),
      );
    }
  }
  return { lines, starts };
}

/** What follows the words, each on one line; null when something has to break. */
function clauseCells(row: Row): string[] | null {
  const cells = row.clauses.map((c) => flatText(c.doc));
  const all = row.block === null ? cells : [...cells, row.block.flat];
  return all.every((c) => c !== null) ? all : null;
}

/** Rows on one line with their comments, which are aligned with those of neighbours; null for the others. */
function alignComments(rows: readonly Row[], lines: readonly (string | null)[]): (string | null)[] {
  const out: (string | null)[] = [...lines];
  let pending: number[] = [];
  const flush = (): void => {
    const width = Math.max(0, ...pending.map((i) => widthOf(lines[i] ?? '')));
    for (const i of pending) out[i] = `${padTo(lines[i] ?? '', width)}  ${commentsAfter(rows[i])}`;
    pending = [];
  };
  rows.forEach((row, i) => {
    if (lines[i] === null || !isNeighbour(row, rows[i - 1])) flush();
    if (lines[i] !== null && commentsAfter(row) !== '') pending.push(i);
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
