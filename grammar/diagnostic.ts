/** What the compiler has to say about a spec: data, so that a terminal, an editor and a test can each show it. */
import type { Span } from './source.ts';

export type Severity = 'error' | 'warning';

/** Another place that matters, shown with its own label. */
export interface Related {
  readonly span: Span;
  readonly label: string;
}

/** A proposal: what to do, and the edits that do it when they are certain enough to be applied. */
export interface Fix {
  readonly message: string;
  readonly edits: readonly { readonly span: Span; readonly text: string }[];
}

/** One mistake. The message stands alone, in lower case, without a full stop. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  /** What stands at the span, said in a few words; empty when the message says it. */
  readonly label: string;
  readonly related: readonly Related[];
  readonly notes: readonly string[];
  readonly fix?: Fix;
}

/** Optional parts of a diagnostic, for the catalogues of messages. */
export interface Details {
  readonly label?: string;
  readonly related?: readonly Related[];
  readonly notes?: readonly string[];
  readonly help?: string | undefined;
  readonly edits?: Fix['edits'];
}

/** For a diagnostic of the catalogue `Entry.at` (`entry.ts`) fills in the code and the severity. */
export const diagnose = (
  severity: Severity,
  code: string,
  span: Span,
  message: string,
  details: Details,
): Diagnostic => ({
  code,
  severity,
  message,
  span,
  label: details.label ?? '',
  related: details.related ?? [],
  notes: details.notes ?? [],
  ...(details.help === undefined ? {} : { fix: { message: details.help, edits: details.edits ?? [] } }),
});

/** By file and place, errors first where two meet; the same one is kept once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const d of diagnostics) {
    const key = `${d.code}|${d.span.file}|${d.span.start}|${d.span.end}|${d.message}`;
    if (!seen.has(key)) seen.set(key, d);
  }
  return [...seen.values()].sort(
    (a, b) =>
      (a.span.file < b.span.file ? -1 : a.span.file > b.span.file ? 1 : 0) ||
      a.span.start - b.span.start ||
      a.severity.localeCompare(b.severity),
  );
}
