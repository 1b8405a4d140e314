/** A mistake of syntax, and what it probably means. */
import type { IToken } from 'chevrotain';
import type { Details } from './diagnostic.ts';
import type { Source, Span } from './source.ts';

/** One place that could not be read. */
export interface Slip {
  readonly source: Source;
  /** What was wanted, in the user's words. */
  readonly wanted: string;
  /** Rules of the grammar that were being read, the innermost last, and that one. */
  readonly rules: readonly string[];
  readonly rule: string;
  readonly found: IToken;
  readonly span: Span;
  readonly tokens: readonly IToken[];
  /** Where `found` is among them. */
  readonly at: number;
}

export type Hint = Pick<Details, 'help' | 'edits'>;
