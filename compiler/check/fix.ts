/** Applies the fixes that diagnostics propose, as far as they make a spec better. */
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { applyEdits, overlap, tidied, type Edit } from '../../grammar/edit.ts';
import type { Host } from '../host.ts';
import { checkSpec, type CheckOptions } from './check.ts';

/** One diagnostic whose fix was applied, and the text as it was then: its spans belong to that. */
export interface Applied {
  readonly diagnostic: Diagnostic;
  readonly text: string;
}

export interface Fixed {
  /** The spec's text, changed or not. */
  readonly text: string;
  readonly applied: readonly Applied[];
  /** Fixes that left as many errors, or more, and were taken back. */
  readonly reverted: readonly Applied[];
  /** What is left. */
  readonly diagnostics: readonly Diagnostic[];
}

/** More rounds than a chain of mistakes that hide each other needs. */
const MAX_ROUNDS = 20;

interface State {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly applied: readonly Applied[];
}

/**
 * Fixes one file, and nothing that it imports. A round applies every fix that does not touch another, and rounds go on
 * until there is nothing to apply. A round that leaves the spec worse is taken back, and its fixes are tried one by one;
 * what never came to be better in the end is taken back too. Null when the file cannot be read.
 */
export function fixSpec(path: string, host: Host, options: CheckOptions = {}): Fixed | null {
  const text = host.readFile(path);
  if (text === null) return null;
  const check = (changed: string): readonly Diagnostic[] =>
    checkSpec(path, withText(host, path, changed), options).diagnostics;
  let state: State = { text, diagnostics: check(text), applied: [] };
  let best = state;
  const refused = new Map<string, Applied>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const fixes = firstOf(fixesOf(state, path).filter((d) => !refused.has(keyOf(d, state.text))));
    if (fixes.length === 0) break;
    const all = applied(state, withoutOverlap(state, fixes), check);
    const next = compare(all, state) <= 0 ? all : oneByOne(state, fixes, check, refused);
    if (next === state) break;
    state = next;
    if (compare(state, best) < 0) best = state;
  }
  const kept = new Set(best.applied);
  const late = state.applied.filter((a) => !kept.has(a));
  return { ...best, reverted: [...refused.values(), ...late] };
}

const withText = (host: Host, path: string, text: string): Host => ({
  ...host,
  readFile: (file) => (file === path ? text : host.readFile(file)),
});

/** Errors of the file with edits that stay in it; warnings are choices that may be meant. */
const fixesOf = ({ diagnostics }: State, path: string): Diagnostic[] =>
  diagnostics.filter(
    (d) =>
      d.severity === 'error' &&
      d.fix !== undefined &&
      d.fix.edits.length > 0 &&
      d.fix.edits.every((e) => e.span.file === path),
  );

/** What a character or a string is decides what is read of the rest, and that what is checked. */
function firstOf(fixes: readonly Diagnostic[]): readonly Diagnostic[] {
  const before = (code: string): Diagnostic[] => fixes.filter((d) => d.code < code);
  return [before('A003'), before('A100')].find((some) => some.length > 0) ?? fixes;
}

const editsOf = (d: Diagnostic, text: string): readonly Edit[] => tidied(text, d.fix?.edits ?? []);

function withoutOverlap({ text }: State, fixes: readonly Diagnostic[]): Diagnostic[] {
  const chosen: Diagnostic[] = [];
  for (const d of fixes) {
    if (!chosen.some((c) => overlap(editsOf(c, text), editsOf(d, text)))) chosen.push(d);
  }
  return chosen;
}

function applied(
  state: State,
  fixes: readonly Diagnostic[],
  check: (text: string) => readonly Diagnostic[],
): State {
  const text = applyEdits(
    state.text,
    fixes.flatMap((d) => editsOf(d, state.text)),
  );
  const records = fixes.map((diagnostic) => ({ diagnostic, text: state.text }));
  return { text, diagnostics: check(text), applied: [...state.applied, ...records] };
}

/** The first fix that makes the spec better by itself; the others wait for the next round, or are refused. */
function oneByOne(
  state: State,
  fixes: readonly Diagnostic[],
  check: (text: string) => readonly Diagnostic[],
  refused: Map<string, Applied>,
): State {
  for (const d of fixes) {
    const next = applied(state, [d], check);
    if (compare(next, state) < 0) return next;
    refused.set(keyOf(d, state.text), { diagnostic: d, text: state.text });
  }
  return state;
}

/** What a fix would change, wherever it stands by now. */
const keyOf = (d: Diagnostic, text: string): string =>
  `${d.code} ${d.message} ${text.slice(d.span.start, d.span.end)} ${d.fix?.message}`;

/** Errors that hide others: what could not be read is not checked. */
const hiding = ['A102', 'A103', 'A107', 'A109', 'A111', 'A115', 'A127'];

/** Below zero when `a` is better: fewer errors of syntax, then fewer that hide others, then fewer in all. */
function compare(a: State, b: State): number {
  const [x, y] = [a, b].map(({ diagnostics }) => {
    const codes = diagnostics.filter((d) => d.severity === 'error').map((d) => d.code);
    const count = (f: (code: string) => boolean): number => codes.filter(f).length;
    return [count((code) => code < 'A100'), count((code) => hiding.includes(code)), codes.length];
  });
  const differences = (x ?? []).map((n, i) => n - (y?.[i] ?? 0));
  return differences.find((n) => n !== 0) ?? 0;
}
