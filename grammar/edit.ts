/** Edits of a text, as fixes propose them. */
import type { Fix } from './diagnostic.ts';

export type Edit = Fix['edits'][number];

/** Edits of the text they are meant for, ready to be applied: a removal also takes the blanks or the line it leaves. */
export const tidied = (text: string, edits: readonly Edit[]): Edit[] =>
  edits.map((edit) =>
    edit.text === '' ? { ...edit, span: { ...edit.span, ...widened(text, edit) } } : edit,
  );

function widened(text: string, { span }: Edit): { readonly start: number; readonly end: number } {
  const before = /[ \t]*$/.exec(text.slice(0, span.start))?.[0] ?? '';
  const after = /^[ \t]*/.exec(text.slice(span.end))?.[0] ?? '';
  const [start, end] = [span.start - before.length, span.end + after.length];
  const startsLine = start === 0 || text[start - 1] === '\n';
  const line = /^\r?\n/.exec(text.slice(end))?.[0];
  if (startsLine && line !== undefined) return { start, end: end + line.length };
  if (text[start - 1] === '{' && text[end] === '}') return { start, end };
  // Between two neighbours one gap is left: the one before, at the start of a line and after a bracket.
  return startsLine || /[{([]$/.test(text.slice(0, start))
    ? { start: span.start, end }
    : { start, end: span.end };
}

/** Whether two sets of edits touch the same place: insertions at one place do too. */
export const overlap = (a: readonly Edit[], b: readonly Edit[]): boolean =>
  a.some((x) =>
    b.some(
      (y) =>
        x.span.file === y.span.file &&
        (x.span.start < y.span.end && y.span.start < x.span.end
          ? true
          : x.span.start === y.span.start || x.span.end === y.span.start || y.span.end === x.span.start),
    ),
  );

/** A text with edits applied; they must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const ordered = [...edits].sort((a, b) => b.span.start - a.span.start || b.span.end - a.span.end);
  return ordered.reduce(
    (result, { span, text: other }) => result.slice(0, span.start) + other + result.slice(span.end),
    text,
  );
}
