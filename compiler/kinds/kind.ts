/**
 * What a part kind is: one row of the table in `kinds/index.ts`, one file a kind.
 *
 * A kind says how its line is written (`selects`, `fields`), which parameters it adds, and what it does to the
 * base's arithmetic (`hooks`). The checker, the reference pages, the editor and the graph builder all read the same
 * row, so a new tuning method needs no syntax and touches no other file.
 */
import type { Hooks } from '../build/hooks.ts';
import type { Base, FieldValue, Parameter, Part, Site } from '../model/model.ts';
import type { Affine } from './affine.ts';

/**
 * `min` and `max` are part of the range; `above` and `below` are not, nor are numbers that equal them when rounded to
 * 32 bits.
 */
export interface NumberType {
  readonly kind: 'number';
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
  readonly integer?: boolean;
}

/** What one attribute may hold. `call` covers `tanh(init: 0, per: head)`. */
export type FieldType =
  | NumberType
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'string' }
  /** The name of another part of the same kind, or of a data source. */
  | { readonly kind: 'name'; readonly of: 'part' | 'data' }
  /** `2 epochs`, `100 steps`; its value is `duration(value, unit)`. */
  | { readonly kind: 'duration' }
  /** Layers of the part's own network. Their number depends on other attributes, so the checker reads this one last. */
  | { readonly kind: 'layers' }
  | { readonly kind: 'list'; readonly of: FieldType; readonly length?: number }
  /** Arguments in the order they may be written without their names; `rest` takes names that are not listed. */
  | {
      readonly kind: 'call';
      readonly rest?: FieldType;
      readonly calls: Readonly<Record<string, Readonly<Record<string, Field>>>>;
    }
  | { readonly kind: 'any'; readonly of: readonly FieldType[] };

export interface Field {
  readonly type: FieldType;
  /** Undefined means the field is required. */
  readonly default?: FieldValue;
  /** The kind gained it after runs were recorded: at its default it is no part of what those are known by (recorded.ts). */
  readonly later?: true;
  readonly doc: string;
  /**
   * True for an attribute that a trained adapter does not depend on once its numbers are known: a learning rate, a
   * start, a file's path. Adapter files do not keep such attributes. A function where the answer depends on the
   * attributes beside.
   */
  readonly onlyTraining?: true | ((beside: Readonly<Record<string, FieldValue>>) => boolean);
  /** Why nothing is learned with a value of zero, as the end of "0 is allowed, but ...". */
  readonly idle?: string;
}

/** The arguments that a call of this name may have where a value of this type stands; undefined: it is no such call. */
export function argumentsOf(type: FieldType, call: string): Readonly<Record<string, Field>> | undefined {
  if (type.kind === 'call') return type.calls[call];
  return type.kind === 'any' ? type.of.map((one) => argumentsOf(one, call)).find((rows) => rows) : undefined;
}

/** What `on` may select for this kind. */
export type Selects = 'layers' | 'linears' | 'sites' | 'parameters' | 'input' | 'layers-or-input' | 'nothing';

/** A part whose attributes were read but not yet checked against each other. */
export interface Unchecked {
  readonly name: string;
  /** The attributes, with those that the part takes over from its source. */
  readonly fields: Part['fields'];
  /** Attributes that its line names. */
  readonly written: { readonly has: (key: string) => boolean };
}

/** A problem with a part's sizes: the attribute it is reported at, a message and the reason. */
export type Problem = readonly [key: string, message: string, why: string];

/** One row of the table: how a part is written, what it adds and what it does. */
export interface Kind {
  readonly name: string;
  readonly doc: string;
  readonly formula: string;
  /** Paper section or official file the formula comes from. */
  readonly source: string;
  readonly selects: Selects;
  readonly fields: Readonly<Record<string, Field>>;
  /** The kinds that `from` may name, and whether it must. Absent: this kind has no `from`. */
  readonly reads?: { readonly kinds: readonly string[]; readonly required: boolean };
  /** Attributes that a part takes over from its source, unless they are written. */
  readonly inherits?: (source: Part, base: Base) => Readonly<Record<string, FieldValue>>;
  /** An attribute that has to be written where neither a default nor the source gives it; null: none is missing. */
  readonly lacks?: (fields: Part['fields'], reads: boolean) => string | null;
  /** Sizes that no part can be built of. `source`: what the part reads from; null: nothing. */
  readonly check?: (part: Unchecked, source: Part | null, base: Base) => readonly Problem[];
  /**
   * How many layers the part's own network has, which attributes of type `layers` choose from; a problem where there are
   * none to choose from; null where only `misnamed` can tell. Absent: it has no network.
   */
  readonly ownLayers?: (part: Pick<Part, 'name' | 'fields'>) => number | Problem | null;
  /** An attribute whose call names something that the kind does not know, and the names it knows. Null: there is none. */
  readonly misnamed?: (
    fields: Part['fields'],
  ) => { readonly key: string; readonly known: readonly string[] } | null;
  /** Whether two parts of this kind in one layer are an error or unusual (a warning). Absent: neither. */
  readonly inOneLayer?: 'an error' | 'unusual';
  /** The parameters it adds, named `PART.SITE` or `PART.layers.I.NAME`; pure and cheap, also at 65B. */
  readonly parameters: (part: Part, base: Base) => readonly Parameter[];
  /** Parameters of the base that the part makes trainable (only `unfreeze`). */
  readonly unfreezes?: (part: Part, base: Base) => readonly string[];
  /**
   * How a part works, in a few words: `tanh gate per head`. Absent: tables show only the source that the part reads.
   */
  readonly describe?: (part: Part) => string;
  /**
   * The part's trained gates: their parameters, and how far open a gate of a given value is. Absent: the kind has no
   * gates.
   */
  readonly gates?: (part: Part) => Gates | null;
  /**
   * The factor of a part that starts at zero, and the parameter that this hides: no gradient reaches `hidden` while
   * `factor` is zero. Both are the last words of parameters' names. Absent, or null for this part: no factor starts at
   * zero.
   */
  readonly hides?: (part: Part) => { readonly factor: string; readonly hidden: string } | null;
  readonly hooks: Hooks;
  readonly merge: Merge;
}

/** Whether parts of this kind make tokens of an image; by themselves they do not change the words. */
export const givesTokens = ({ hooks }: Kind): boolean => hooks.tokens !== undefined;

/** Whether the words attend to tokens that parts of this kind add, beside them or in front of them. */
export const meetsWords = ({ hooks }: Kind): boolean =>
  hooks.attention !== undefined || hooks.prepend !== undefined;

/** Trained numbers that say how much of a part reaches the base. */
interface Gates {
  readonly parameters: readonly string[];
  /** The absolute value of the factor that a gate of this value is. */
  readonly opening: (value: number) => number;
}

/** Changes a site by a trained part; `values` has a parameter's numbers, in file order. */
export type Fold = (it: Affine, part: Part, site: Site, values: (parameter: string) => Float32Array) => void;

/** How a trained part becomes part of the base's weights (`graft merge`). */
export type Merge =
  | {
      readonly can: true;
      /** The tensor of a site that the kind changes. A bias needs a place in the base. */
      readonly changes: 'weight' | 'bias' | 'nothing';
      /** The hooks of the same names, as arithmetic on the weights. */
      readonly before?: Fold;
      readonly product?: Fold;
      readonly after?: Fold;
    }
  /** `reason`: why not, as the end of "`words` (prompt) cannot be merged: ...". */
  | { readonly can: false; readonly reason: string };
