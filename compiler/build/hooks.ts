/**
 * What a part does to the arithmetic of the base: the hooks that the builders of this folder call.
 *
 * Part kinds implement them (`kinds/`), and the builders are handed them by whoever compiles: `build/` knows no kind.
 */
import type { Builder } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import type { Base, Part, Site } from '../model/model.ts';
import type { ImageInput } from '../package/package.ts';

/** Keys and values that every query of a layer may look at besides the words. */
export interface AttentionSource {
  /** [rows, kvHeads x headDim]; rows = `length`, or batch x length when `batched`. */
  readonly key: Tensor;
  readonly value: Tensor;
  readonly length: number;
  readonly batched: boolean;
  /** Joint: one softmax over [source; words]. Separate: its own softmax, multiplied by the gate and added. */
  readonly softmax: 'joint' | 'separate';
  /** A number that multiplies the gate, one for the layer. */
  readonly factor: Tensor | null;
  readonly gate: {
    readonly parameter: Tensor | null;
    readonly function: 'tanh' | 'raw';
    readonly per: 'head' | 'layer';
    readonly constant: number;
  } | null;
}

/** Vectors in front of the words: [length, dim] for every sequence, or [batch x length, dim] when `batched`. */
interface Prepended {
  readonly vectors: Tensor;
  readonly length: number;
  readonly batched: boolean;
}

/** What an image gives to a prompt in one layer; null where there is no image. */
export interface Visual {
  /** Tokens of the projector it reads `from`: [batch x length, dim]. */
  readonly own: Tensor | null;
  /** The sum of the tokens that other prompts add to it (`fuse = add`): [batch x length, dim]. */
  readonly added: Tensor | null;
}

/** Keys (not rotated) or values of vectors [rows, dim], made as the base's family makes those of words. */
export type Project = (role: 'key' | 'value', x: Tensor) => Tensor;

/** What a kind does to the arithmetic of the base; the graph builder calls each hook where it applies. */
export interface Hooks {
  /** Changes what enters a linear. x: [rows, input]. */
  readonly before?: (g: Builder, part: Part, site: Site, x: Tensor) => Tensor;
  /** Changes W x before the base's own bias is added: x [rows, input] as it enters the linear, y [rows, output]. */
  readonly product?: (g: Builder, part: Part, site: Site, x: Tensor, y: Tensor) => Tensor;
  /** Changes what leaves a site. x: [rows, input] as it entered the linear, y: [rows, output]. */
  readonly after?: (g: Builder, part: Part, site: Site, x: Tensor, y: Tensor) => Tensor;
  /**
   * Adds keys and values to one layer's attention (`part.layers` contains `layer`). `project(role, x)` makes keys
   * or values of vectors as the base does; parts whose `onPrompts` is false are left out. Null: nothing to add in this
   * program, which has no image.
   */
  readonly attention?: (
    g: Builder,
    part: Part,
    layer: number,
    project: Project,
    visual: Visual,
  ) => AttentionSource | null;
  /** Whether `attention` calls `project`, so that what it adds depends on the linears of keys and values. */
  readonly projects?: true;
  /** How far the words' positions move because of this part (prefix tuning: its length). */
  readonly shift?: (part: Part) => number;
  /** Token vectors put in front of the words; null when it adds none. `visual`: the tokens of its projector. */
  readonly prepend?: (g: Builder, part: Part, visual: Tensor | null) => Prepended | null;
  /** How many vectors `prepend` adds, to sequences with an image or without. */
  readonly prepends?: (part: Part, image: boolean) => number;
  /** Encoders and projectors: from image patches or another part's tokens to tokens, [batch x tokens, width]. */
  readonly tokens?: (g: Builder, part: Part, base: Base, batch: number, input: Tensor) => Tensor;
  /** Encoders: what the host gives for one image. */
  readonly image?: (part: Part) => ImageInput;
  /** The prompt whose tokens this one is added to, or null. */
  readonly addedTo?: (part: Part) => string | null;
  /** False: the keys it adds do not pass the base's norm of keys, where the base has one. Default true. */
  readonly normsKeys?: (part: Part) => boolean;
  /** False: this part is left out when a prompt goes through the linear it sits on. Default true. */
  readonly onPrompts?: (part: Part) => boolean;
}

/** The hooks of a part, by its kind. */
export type HooksOf = (part: Part) => Hooks;
