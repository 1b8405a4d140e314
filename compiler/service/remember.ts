/**
 * Adapters and sweeps that did not change are not checked again.
 *
 * What the checker makes of an adapter follows from the texts of the adapter, of those it extends, and of every param,
 * base and data source; what it makes of a sweep, from its own text, its adapter's and its recipe's. When these are the
 * same, so is the outcome; only the places of its diagnostics have moved.
 */
import type { AdapterDeclaration, SweepDeclaration } from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { cover, type Span } from '../../grammar/source.ts';
import type { Remember } from '../check/check.ts';
import type { Scope } from '../check/env.ts';

interface Remembered {
  readonly text: string;
  /** The declarations the text is made of. */
  readonly regions: readonly Span[];
  readonly outcome: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

/** By the kind and name of the piece. */
export type Memory = Map<string, Remembered>;

type Piece = AdapterDeclaration | SweepDeclaration;

/** A `remember` for the checker that keeps what it learns in `memory`; `sources` are the texts of this check. */
export const remembering =
  (memory: Memory, sources: ReadonlyMap<string, string>): Remember =>
  (piece, { scope, bases }, check, report) => {
    type Outcome = ReturnType<typeof check>;
    const regions = regionsOf(piece, scope);
    // A base may be read from a model's files, of which the spec's text says nothing.
    const text = `${textOf(regions, scope, sources)}\n${JSON.stringify([...bases.values()])}`;
    const key = `${piece.kind} ${piece.name.text}`;
    const before = memory.get(key);
    if (before?.text === text) {
      for (const d of before.diagnostics) report(moved(d, before.regions, regions));
      return before.outcome as Outcome;
    }
    const diagnostics: Diagnostic[] = [];
    const outcome = check((d) => diagnostics.push(d));
    // A diagnostic that points elsewhere could not be moved.
    if (diagnostics.every((d) => spansOf(d).every((s) => regionOf(s, regions) !== -1)))
      memory.set(key, { text, regions, outcome, diagnostics });
    else memory.delete(key);
    diagnostics.forEach(report);
    return outcome;
  };

/** The declarations that the outcome follows from. */
function regionsOf(piece: Piece, scope: Scope): Span[] {
  const adapter = piece.kind === 'adapter' ? piece : scope.adapters.get(piece.adapter.text);
  const recipe = piece.kind === 'sweep' ? scope.recipes.get(piece.recipe.text) : undefined;
  return [
    piece.span,
    ...(recipe === undefined ? [] : [recipe.span]),
    ...(adapter === undefined ? [] : chainOf(adapter, scope).map((d) => d.span)),
    ...[...scope.params.values()].map((p) => cover(p.name.span, p.value.span)),
    ...[...scope.bases.values(), ...scope.data.values()].map((d) => d.span),
  ];
}

/** An adapter and those it extends. */
function chainOf(adapter: AdapterDeclaration, scope: Scope): readonly AdapterDeclaration[] {
  const chain = [adapter];
  for (let at = adapter; at.parent !== null;) {
    const parent = scope.adapters.get(at.parent.text);
    if (parent === undefined || chain.includes(parent)) break;
    chain.push(parent);
    at = parent;
  }
  return chain;
}

/** The texts with their files, since paths are relative to those, and the names that a suggestion is chosen from. */
function textOf(regions: readonly Span[], scope: Scope, sources: ReadonlyMap<string, string>): string {
  const texts = regions.map(
    ({ file, start, end }) => `${file}\n${sources.get(file)?.slice(start, end) ?? ''}`,
  );
  return [[...scope.adapters.keys(), ...scope.recipes.keys()].join(' '), ...texts].join('\n');
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
