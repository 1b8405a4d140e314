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
interface Position {
  readonly line: number;
  readonly character: number;
}

/** Offsets of the lines of the text that was asked about last: diagnostics ask about one text again and again. */
let known: { readonly text: string; readonly starts: readonly number[] } = { text: '', starts: [0] };

function lineStarts(text: string): readonly number[] {
  if (known.text !== text) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    known = { text, starts };
  }
  return known.starts;
}

/** Where an offset lies. */
export function positionOf(text: string, offset: number): Position {
  const starts = lineStarts(text);
  const place = Math.min(offset, text.length);
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return { line: low, character: offset - (starts[low] ?? 0) };
}

/** A line, counted from 0, without its line break. */
export function lineOf(text: string, line: number): string {
  const starts = lineStarts(text);
  const start = starts[line];
  if (start === undefined) return '';
  return text.slice(start, starts[line + 1] ?? text.length + 1).replace(/\r?\n$/, '');
}

/** The smallest span that covers both; they must lie in one file. */
export const cover = (a: Span, b: Span): Span => ({
  file: a.file,
  start: Math.min(a.start, b.start),
  end: Math.max(a.end, b.end),
});
