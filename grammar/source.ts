/** A half-open range of UTF-16 offsets in one file. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A file's name, as diagnostics show it, and its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** A place as people and editors count: both from 0. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** Where an offset lies. */
export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length - 1, character: offset - start };
}

/** The smallest span that covers both; they must lie in one file. */
export const cover = (a: Span, b: Span): Span => ({
  file: a.file,
  start: Math.min(a.start, b.start),
  end: Math.max(a.end, b.end),
});
