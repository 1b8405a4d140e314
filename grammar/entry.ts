/** All there is to say of one diagnostic, in one place: each has an entry beside the functions that report it. */
import { diagnose, type Details, type Diagnostic, type Severity } from './diagnostic.ts';
import type { Span } from './source.ts';

/** What an entry says, whatever the spec. */
export interface Explanation {
  readonly code: string;
  readonly severity: Severity;
  /** The rule, in a few words. */
  readonly title: string;
  /** Why it is a mistake and what to do, in a paragraph or two. */
  readonly text: string;
  /** A spec with this mistake and no other, and the same spec without it. */
  readonly bad: string;
  readonly good: string;
}

export interface Entry extends Explanation {
  /** This diagnostic at a place of a spec, in words for what stands there. */
  readonly at: (span: Span, message: string, details?: Details) => Diagnostic;
}

export function entry(it: Explanation): Entry {
  return {
    ...it,
    text: dedent(it.text).trimEnd(),
    bad: dedent(it.bad),
    good: dedent(it.good),
    at: (span, message, details = {}) => diagnose(it.severity, it.code, span, message, details),
  };
}

/** Takes the indentation and the outer blank lines off a template string. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const depth = Math.min(...lines.filter((l) => l.trim() !== '').map((l) => l.length - l.trimStart().length));
  return `${lines.map((l) => l.slice(depth)).join('\n')}\n`;
}

/** An example that is one adapter on `llama7b`, given its items. */
export const onLlama = (items: string): string =>
  `import "bases.adapter"\n\nadapter Example on llama7b {\n${dedent(items).replace(/^(?=.)/gm, '  ')}}\n`;

/** The entries among what files export. */
export const entriesIn = (files: readonly Readonly<Record<string, unknown>>[]): Entry[] =>
  files.flatMap((file) => Object.values(file)).filter(isEntry);

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && 'code' in value && 'at' in value;
