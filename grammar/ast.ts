/** The tree of a spec: what was written, with a span on every node, and nothing looked up yet. */
import type { Span } from './source.ts';

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface File {
  readonly kind: 'file';
  readonly file: string;
  readonly declarations: readonly Declaration[];
  /** Every comment, `//` and `///`, in order; the formatter puts them back. */
  readonly comments: readonly Comment[];
  readonly span: Span;
}

export interface Comment {
  readonly kind: 'comment';
  readonly text: string;
  readonly doc: boolean;
  readonly span: Span;
}

/** What every declaration and item carries: the `///` lines above it, without the slashes. */
interface Documented {
  readonly doc: string;
  readonly span: Span;
}

export type Declaration =
  | ImportDeclaration
  | BaseDeclaration
  | ParamDeclaration
  | DataDeclaration
  | AdapterDeclaration
  | RecipeDeclaration
  | SweepDeclaration;

export interface ImportDeclaration extends Documented {
  readonly kind: 'import';
  readonly path: string;
  readonly pathSpan: Span;
}

/** `base NAME { attributes }`, or `base NAME from "MODEL" { attributes }` with or without the braces. */
export interface BaseDeclaration extends Documented {
  readonly kind: 'base';
  readonly name: Name;
  /** The model whose files describe it: a folder, or a name of the hub. */
  readonly from: StringLiteral | null;
  readonly fields: readonly Field[];
}

export interface ParamDeclaration extends Documented {
  readonly kind: 'param';
  readonly name: Name;
  readonly value: Expression;
}

export interface DataDeclaration extends Documented {
  readonly kind: 'data';
  readonly name: Name;
  readonly value: Expression;
}

/** `adapter NAME on BASE { ... }` or `adapter NAME extends PARENT { ... }`. */
export interface AdapterDeclaration extends Documented {
  readonly kind: 'adapter';
  readonly name: Name;
  readonly base: Name | null;
  readonly parent: Name | null;
  readonly items: readonly Item[];
}

export interface RecipeDeclaration extends Documented {
  readonly kind: 'recipe';
  readonly name: Name;
  readonly adapter: Name;
  readonly fields: readonly Field[];
}

export interface SweepDeclaration extends Documented {
  readonly kind: 'sweep';
  readonly name: Name;
  readonly adapter: Name;
  readonly recipe: Name;
  readonly fields: readonly Field[];
  readonly conditions: readonly Condition[];
}

/** `where LEFT == RIGHT`: combinations of a sweep that do not fulfil it are left out. */
export interface Condition {
  readonly kind: 'condition';
  readonly operator: '==' | '!=';
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

export type Item = PartItem | GroupItem | TaskItem | ExpertItem | OverrideItem | DropItem;

/** `KIND NAME on SELECTOR from SOURCE { attributes }`. */
export interface PartItem extends Documented {
  readonly kind: 'part';
  readonly type: Name;
  readonly name: Name;
  readonly on: Expression | null;
  readonly from: Name | null;
  readonly fields: readonly Field[];
}

export interface GroupItem extends Documented {
  readonly kind: 'group';
  readonly name: Name;
  readonly value: Expression;
}

export interface TaskItem extends Documented {
  readonly kind: 'task';
  readonly name: Name;
  readonly data: Name;
  readonly trains: Expression;
  readonly fields: readonly Field[];
}

export interface ExpertItem extends Documented {
  readonly kind: 'expert';
  readonly name: Name;
  readonly fields: readonly Field[];
}

/** Changes an inherited part, task or expert (`on`, `from`, `trains`, attributes) or group (`=`). */
export interface OverrideItem extends Documented {
  readonly kind: 'override';
  readonly name: Name;
  readonly value: Expression | null;
  readonly on: Expression | null;
  readonly from: Name | null;
  readonly trains: Expression | null;
  readonly fields: readonly Field[];
}

export interface DropItem extends Documented {
  readonly kind: 'drop';
  readonly name: Name;
}

export interface Field {
  readonly kind: 'field';
  readonly name: Name;
  readonly value: Expression;
  readonly span: Span;
}

/** One expression language for values, layers, selectors and groups; what it means is decided where it is used. */
export type Expression =
  NumberLiteral | StringLiteral | Path | Call | List | Range | Edge | Every | Binary | Missing;

export interface NumberLiteral {
  readonly kind: 'number';
  /** With its suffix applied: `5%` is 0.05, `567k` is 567000. */
  readonly value: number;
  /** As written. */
  readonly text: string;
  /** `epochs` or `steps` in `2 epochs`. */
  readonly unit: Name | null;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  /** As written, with its quotes. */
  readonly text: string;
  readonly span: Span;
}

/** `late`, `none`, `layers[late].attention.{wq, wv}`, `**.w1`. */
export interface Path {
  readonly kind: 'path';
  readonly segments: readonly Segment[];
  readonly span: Span;
}

export type Segment =
  | { readonly kind: 'name'; readonly name: Name; readonly index: Expression | null; readonly span: Span }
  | { readonly kind: 'one' | 'any'; readonly span: Span }
  | { readonly kind: 'choice'; readonly names: readonly Name[]; readonly span: Span };

export interface Call {
  readonly kind: 'call';
  readonly name: Name;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

export interface Argument {
  readonly name: Name | null;
  readonly value: Expression;
  readonly span: Span;
}

export interface List {
  readonly kind: 'list';
  readonly items: readonly Expression[];
  readonly span: Span;
}

/** `0..7 by 2`, both ends included. */
export interface Range {
  readonly kind: 'range';
  readonly from: NumberLiteral;
  readonly to: NumberLiteral;
  readonly by: NumberLiteral | null;
  readonly span: Span;
}

/** `first 4`, `last 31 in layers`. */
export interface Edge {
  readonly kind: 'edge';
  readonly end: 'first' | 'last';
  /** A number, or the name of a param that is one. */
  readonly count: Expression;
  readonly within: Expression | null;
  readonly span: Span;
}

/** `every linear in layers`. */
export interface Every {
  readonly kind: 'every';
  readonly what: Name;
  readonly within: Expression | null;
  readonly span: Span;
}

export interface Binary {
  readonly kind: 'binary';
  readonly operator: '+' | '-' | '&';
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

/** Where the parser found nothing it could read; it has already been reported, so nobody reports it again. */
export interface Missing {
  readonly kind: 'missing';
  readonly span: Span;
}

/** The one name a path consists of, or null: how `late`, `none` and `true` are written. */
export function singleName(expression: Expression): Name | null {
  if (expression.kind !== 'path' || expression.segments.length !== 1) return null;
  const segment = expression.segments[0];
  return segment?.kind === 'name' && segment.index === null ? segment.name : null;
}
