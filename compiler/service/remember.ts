/**
 * Adapters that did not change are not checked again.
 *
 * What the checker makes of an adapter follows from the texts of the adapter, of those it extends, and of every param,
 * base and data source. When these are the same, so is the outcome; only the places of its diagnostics have moved.
 */
import type { AdapterDeclaration } from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { cover, type Span } from '../../grammar/source.ts';
import type { Remember, Subject } from '../check/check.ts';
import type { Scope } from '../check/env.ts';

interface Remembered {
  readonly text: string;
  /** The declarations the text is made of. */
  readonly regions: readonly Span[];
  readonly subject: Subject | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** By the names of adapters. */
export type Memory = Map<string, Remembered>;

/** A `remember` for the checker that keeps what it learns in `memory`; `sources` are the texts of this check. */
export const rememberAdapters =
  (memory: Memory, sources: ReadonlyMap<string, string>): Remember =>
  (declaration, scope, check, report) => {
    const regions = regionsOf(declaration, scope);
    const text = textOf(regions, scope, sources);
    const name = declaration.name.text;
    const before = memory.get(name);
    if (before?.text === text) {
      for (const d of before.diagnostics) report(moved(d, before.regions, regions));
      return before.subject;
    }
    const diagnostics: Diagnostic[] = [];
    const subject = check((d) => diagnostics.push(d));
    // A diagnostic that points elsewhere could not be moved.
    if (diagnostics.every((d) => spansOf(d).every((s) => regionOf(s, regions) !== -1)))
      memory.set(name, { text, regions, subject, diagnostics });
    else memory.delete(name);
    diagnostics.forEach(report);
    return subject;
  };

function regionsOf(declaration: AdapterDeclaration, scope: Scope): Span[] {
  const chain = [declaration];
  for (let at = declaration; at.parent !== null;) {
    const parent = scope.adapters.get(at.parent.text);
    if (parent === undefined || chain.includes(parent)) break;
    chain.push(parent);
    at = parent;
  }
  return [
    ...chain.map((d) => d.span),
    ...[...scope.params.values()].map((p) => cover(p.name.span, p.value.span)),
    ...[...scope.bases.values(), ...scope.data.values()].map((d) => d.span),
  ];
}

/** The texts with their files, since paths are relative to those, and the names that a suggestion is chosen from. */
function textOf(regions: readonly Span[], scope: Scope, sources: ReadonlyMap<string, string>): string {
  const texts = regions.map(
    ({ file, start, end }) => `${file}\n${sources.get(file)?.slice(start, end) ?? ''}`,
  );
  return [[...scope.adapters.keys()].join(' '), ...texts].join('\n');
}

const spansOf = (d: Diagnostic): Span[] => [
  d.span,
  ...d.related.map((r) => r.span),
  ...(d.fix?.edits ?? []).map((e) => e.span),
];

const regionOf = (span: Span, regions: readonly Span[]): number =>
  regions.findIndex((r) => r.file === span.file && r.start <= span.start && span.end <= r.end);

function moved(d: Diagnostic, from: readonly Span[], to: readonly Span[]): Diagnostic {
  const move = (span: Span): Span => {
    const i = regionOf(span, from);
    const shift = (to[i]?.start ?? 0) - (from[i]?.start ?? 0);
    return { file: span.file, start: span.start + shift, end: span.end + shift };
  };
  return {
    ...d,
    span: move(d.span),
    related: d.related.map((r) => ({ ...r, span: move(r.span) })),
    ...(d.fix === undefined
      ? {}
      : { fix: { ...d.fix, edits: d.fix.edits.map((e) => ({ ...e, span: move(e.span) })) } }),
  };
}
