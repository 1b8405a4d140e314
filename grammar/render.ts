/** Diagnostics for people: the line, what is wrong under it, and what to do. */
import type { Diagnostic, Severity } from './diagnostic.ts';
import { lineOf, positionOf, type Span } from './source.ts';

/** How words are painted; `plain` leaves them alone. */
export interface Painter {
  readonly severity: (text: string, severity: Severity) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

export const plain: Painter = { severity: (text) => text, strong: (text) => text, faint: (text) => text };

/** One diagnostic as the terminal shows it, without a final new line. `sources` are texts by file name. */
export function renderDiagnostic(
  d: Diagnostic,
  sources: ReadonlyMap<string, string>,
  paint: Painter = plain,
): string {
  const head = `${paint.severity(`${d.severity}[${d.code}]`, d.severity)}${paint.strong(`: ${d.message}`)}`;
  const marks = [
    { span: d.span, label: d.label, main: true },
    ...d.related.map((r) => ({ span: r.span, label: r.label, main: false })),
  ];
  const files = [...new Set(marks.map((m) => m.span.file))];
  const width = Math.max(...marks.map((m) => String(lineNumber(m.span, sources) + 1).length));
  const pad = ' '.repeat(width);
  const lines = [head];
  for (const file of files) {
    const mine = marks.filter((m) => m.span.file === file);
    lines.push(`${pad}${paint.faint('-->')} ${placeOf(mine[0]?.span ?? d.span, sources)}`);
    lines.push(...excerpt(mine, sources.get(file) ?? '', width, d.severity, paint));
  }
  for (const note of d.notes) lines.push(`${pad} ${paint.faint('=')} ${paint.strong('note')}: ${note}`);
  if (d.fix !== undefined) lines.push(`${pad} ${paint.faint('=')} ${paint.strong('help')}: ${d.fix.message}`);
  return lines.join('\n');
}

interface Mark {
  readonly span: Span;
  readonly label: string;
  readonly main: boolean;
}

const lineNumber = (span: Span, sources: ReadonlyMap<string, string>): number =>
  positionOf(sources.get(span.file) ?? '', span.start).line;

/** `v2.adapter:21:24`, counted from 1 as editors show it. */
export function placeOf(span: Span, sources: ReadonlyMap<string, string>): string {
  const { line, character } = positionOf(sources.get(span.file) ?? '', span.start);
  return `${span.file}:${line + 1}:${character + 1}`;
}

/** The marked lines of one file in order, each mark on a line of its own below. */
function excerpt(
  marks: readonly Mark[],
  text: string,
  width: number,
  severity: Severity,
  paint: Painter,
): string[] {
  const bar = paint.faint('|');
  const pad = ' '.repeat(width);
  const out = [`${pad} ${bar}`];
  let shown = -1;
  const ordered = [...marks].sort((a, b) => a.span.start - b.span.start);
  for (const { span, label, main } of ordered) {
    const { line, character } = positionOf(text, span.start);
    const row = lineOf(text, line).replace(/\r$/, '');
    if (shown !== -1 && line > shown + 1) out.push(`${pad} ${paint.faint(':')}`);
    if (line !== shown)
      out.push(`${paint.faint(String(line + 1).padStart(width))} ${bar} ${row.replaceAll('\t', ' ')}`);
    shown = line;
    const length = Math.max(1, Math.min(span.end - span.start, row.length - character));
    const under = `${(main ? '^' : '-').repeat(length)}${label === '' ? '' : ` ${label}`}`;
    out.push(
      `${pad} ${bar} ${' '.repeat(character)}${main ? paint.severity(under, severity) : paint.faint(under)}`,
    );
  }
  return out;
}

/** One line of JSON a diagnostic; lines and characters count from 0 as in the language server protocol. */
export function diagnosticToJson(d: Diagnostic, sources: ReadonlyMap<string, string>): string {
  const range = (span: Span) => {
    const text = sources.get(span.file) ?? '';
    return { start: positionOf(text, span.start), end: positionOf(text, span.end) };
  };
  return JSON.stringify({
    code: d.code,
    severity: d.severity,
    message: d.message,
    file: d.span.file,
    range: range(d.span),
    label: d.label,
    related: d.related.map((r) => ({ file: r.span.file, range: range(r.span), label: r.label })),
    notes: d.notes,
    ...(d.fix === undefined
      ? {}
      : {
          help: d.fix.message,
          fix: d.fix.edits.map((e) => ({ file: e.span.file, range: range(e.span), text: e.text })),
        }),
  });
}
