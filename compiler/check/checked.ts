/** What the passes of the checker hand to one another, and to the texts of their messages. */
import type { Field, PartItem, Segment } from '../../grammar/ast.ts';
import type { Kind } from '../kinds/kind.ts';
import type { FieldValue, Part, SiteKind } from '../model/model.ts';

/** A block of attributes that was read. */
export interface Values {
  /** Every attribute of the table that has a value, defaults filled in. */
  readonly values: Readonly<Record<string, FieldValue>>;
  /** Those that were written. */
  readonly written: ReadonlyMap<string, Field>;
  /** False when something was reported. */
  readonly ok: boolean;
}

/** A part and the lines it comes from, for the checks that follow. */
export interface CheckedPart {
  readonly part: Part;
  readonly kind: Kind;
  readonly item: PartItem;
  readonly written: Values['written'];
}

/** What the part at hand can sit on. */
export interface Target {
  readonly kind: string;
  readonly accepts: readonly SiteKind[];
}

/** The first segment (or name in braces) that leads nowhere. */
export interface Missing {
  readonly index: number;
  readonly name: { readonly text: string; readonly span: Segment['span'] };
}
