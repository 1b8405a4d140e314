/**
 * The Model: a checked spec as plain data, the border between "what the user wrote" and "what is computed".
 *
 * Everything before it may blame the user; everything after it is total. It names each parameter once, with the
 * shape it has in files and the padded layout it has on the device.
 */
import type { Span } from '../../grammar/source.ts';
import type { Expert } from './expert.ts';
import type { Recipe } from './recipe.ts';
import type { RopeScaling } from './rope.ts';

/**
 * One dimension as it lies in memory: `groups` runs of `size` numbers, each run padded to a multiple of four, so
 * that every kernel may load four numbers at a time whatever the model's dimensions are. Attention heads are the
 * only groups: a query of 4 heads of 6 is `{groups: 4, size: 6}` and takes 32 floats. The padding is always zero.
 */
export interface Axis {
  readonly groups: number;
  readonly size: number;
}

export const axis = (size: number, groups = 1): Axis => ({ groups, size });
export const ceil4 = (n: number): number => Math.ceil(n / 4) * 4;
/** Numbers on this axis as the user counts them. */
export const logical = (a: Axis): number => a.groups * a.size;
/** Numbers on this axis in memory. */
export const padded = (a: Axis): number => a.groups * ceil4(a.size);

/** A number format that frozen matrices are stored in; `compiler/storage` says what each is. */
export type Storage = 'f32' | 'f16' | 'bf16' | 'q8' | 'q4';

/** A frozen transformer, read from a `base` declaration. Sizes are counts, `context` is in tokens. */
export interface Base {
  readonly name: string;
  /** A row of the table of families (`compiler/families`): which places it has. */
  readonly family: string;
  readonly layers: number;
  readonly dim: number;
  readonly heads: number;
  /** Key and value heads; `heads / kvHeads` consecutive query heads share one (grouped-query attention). */
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of the feed-forward network's hidden layer. */
  readonly ffn: number;
  readonly vocab: number;
  readonly context: number;
  readonly normEps: number;
  readonly rope: {
    readonly style: 'interleaved' | 'half';
    readonly theta: number;
    /** How many numbers of each head are turned, the first ones; even. Absent: all of them. */
    readonly size?: number;
    /** `theta` of the layers with a window, whose angles are not scaled; absent: they turn as the others do. */
    readonly windowTheta?: number;
    /** How the angles were stretched for longer sequences; absent: they were not. */
    readonly scaling?: RopeScaling;
  };
  /** Whether the output head is the embedding table. */
  readonly tied: boolean;
  /** The linears that have a bias in the base's own files, in every layer; absent: none has, as in LLaMA. */
  readonly biases?: readonly string[];
  /**
   * Layers whose queries see the last `tokens` keys only, themselves included; absent: all see every key before them.
   * What parts add to a layer is seen by every query.
   */
  readonly window?: { readonly tokens: number; readonly layers: readonly number[] };
  /** Layers whose queries and keys are not rotated, ascending; absent: those of every layer are. */
  readonly unrotated?: readonly number[];
  /** How its frozen matrices lie on the device; absent: f32. */
  readonly store?: Storage;
  /** Scores are divided by its square root; absent: `headDim`. */
  readonly scoreDim?: number;
  /** Scores, and logits, are c tanh(x / c) of what they would be; absent: they are as they are. */
  readonly scoreCap?: number;
  readonly logitCap?: number;
  /** Standard deviation of fresh matrices when the base starts from nothing; absent: 0.02. */
  readonly init?: number;
  /** Path of the weights and of the tokenizer, relative to the spec that declares the base; a folder may be both. */
  readonly weights?: string;
  readonly tokenizer?: string;
  /** Path of the config.json that the base was read from; absent: its sizes are written in the spec. */
  readonly config?: string;
}

export type SiteKind = 'linear' | 'norm' | 'embedding';

/** What a place does in the decoder. A base without a place of some role does without that step. */
export type Role =
  | 'embedding'
  | 'attentionNorm' //   before attention
  | 'query'
  | 'key'
  | 'value'
  | 'queryNorm' //       of the queries, or of each head's, before the rotation
  | 'keyNorm' //         of the keys, likewise
  | 'attentionOutput'
  | 'attentionOutputNorm' // of what attention adds to the hidden state
  | 'ffnNorm' //         before the feed-forward network
  | 'gate' //            w1: what goes through the activation
  | 'up' //              w3: what the activation is multiplied with
  | 'down' //            w2: back to the width of the hidden state
  | 'ffnOutputNorm' //   of what the feed-forward network adds to the hidden state
  | 'finalNorm'
  | 'head';

/** A place in the base where a part can be put, named as Meta's checkpoints name it: `layers.3.attention.wq`. */
export interface Site {
  readonly name: string;
  /** The name without the layer: `attention.wq`. */
  readonly place: string;
  /** The last word of the name: `wq`. */
  readonly word: string;
  readonly role: Role;
  readonly kind: SiteKind;
  /** Layer index, or null for `tok_embeddings`, `norm` and `output`. */
  readonly layer: number | null;
  /** What enters and what leaves it. */
  readonly input: Axis;
  readonly output: Axis;
  /** The base parameter it owns: `NAME.weight`. */
  readonly parameter: string;
  /** The base's own bias, `NAME.bias`; absent where it has none. */
  readonly bias?: string;
  /** Its name in Hugging Face's files: `model.layers.3.self_attn.q_proj`. */
  readonly huggingface: string;
  /** Of a norm: Hugging Face's files hold its weight less this, where Gemma's norms multiply by 1 + w. Absent: 0. */
  readonly offset?: number;
  /** The letter for it in the fusion map; null outside of the layers. */
  readonly letter: string | null;
  /** The norm whose output enters a linear; null for norms, for the embedding, and where no norm's output enters. */
  readonly reads: string | null;
}

/** Roles whose output is turned by the rotary positions: the rows of a head have an order there. */
const rotated: ReadonlySet<Role> = new Set<Role>(['query', 'key', 'queryNorm', 'keyNorm']);

/** Where the rows of what leaves a place stand: see `TensorSource.rowOrder`. */
export const rowOrderOf = ({ role }: Pick<Site, 'role'>): TensorSource['rowOrder'] =>
  rotated.has(role) ? 'rotary' : 'plain';

/** The last word of a name with dots: `wq` of `attention.wq`. */
export const lastWord = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Who named the tensors of a file: Meta, whose names are ours, or Hugging Face. */
export type NamingStyle = 'meta' | 'huggingface';

/** Where a base's parameter lies in files. */
export interface TensorSource {
  readonly names: Readonly<Record<NamingStyle, string>>;
  /** Names of a tensor that some files hold beside it and that must be the same numbers: the head of a tied base. */
  readonly twin?: Readonly<Record<NamingStyle, string>>;
  /**
   * `rotary`: the rows of each head stand in the order in which the rotary positions pair them, and Meta's files and
   * Hugging Face's pair them differently. `plain`: one order everywhere.
   */
  readonly rowOrder: 'rotary' | 'plain';
  /** Files of Hugging Face's hold the numbers less this: Gemma's norms multiply by 1 + w. Absent: 0. */
  readonly offset?: number;
  /**
   * The rows that are this parameter's in a tensor of Hugging Face's that several parameters share: from, up to (without), and
   * how many there are in all. Absent: the tensor is its own.
   */
  readonly rows?: { readonly from: number; readonly to: number; readonly of: number };
}

export type Init =
  | { readonly kind: 'weights' } //                     read from the base's file
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'norms'; readonly of: string }; //  Euclidean norms of the rows of a parameter of the base

/** Where a parameter of a part works. */
export interface Placement {
  /** The site that its part sits on; null: the part is on layers, on the input or beside the base. */
  readonly site: Site | null;
  /** The layer that its part, or its site, is in; null: none. */
  readonly layer: number | null;
  /** What the parameter is there: `gate` of a prompt, `a` of LoRA, `down.weight` of a bottleneck. */
  readonly role: string;
}

export interface Parameter {
  /** `layers.0.attention.wq.weight` of the base; `PART.SITE` or `PART.layers.2.prompt` of a part. Unique. */
  readonly name: string;
  /** Shape in files; its product equals the product of `axes`' logical lengths. */
  readonly shape: readonly number[];
  /** One or two axes: a vector `[columns]` or a matrix `[rows, columns]`, as it lies on the device. */
  readonly axes: readonly Axis[];
  readonly init: Init;
  /** Of the base's parameters: their tensors in files. */
  readonly source?: TensorSource;
  /** Of the parameters that parts add to the base. Networks beside the base and packages have none. */
  readonly placement?: Placement;
  /** `base`, or the part that added it. */
  readonly owner: string;
  /** AdamW decays it. The official rule: not when it is one-dimensional. */
  readonly decay: boolean;
  /** Factor on the recipe's learning rate. */
  readonly rate: number;
}

export type FieldValue =
  | number
  | boolean
  | string
  | null
  | { readonly call: string; readonly args: Readonly<Record<string, FieldValue>> }
  | readonly FieldValue[];

/** A part put on the base: one row of the spec after layers and selectors were resolved. */
export interface Part {
  readonly kind: string;
  readonly name: string;
  /** Layers it sits in, ascending; empty for parts that are not on layers. */
  readonly layers: readonly number[];
  /** Sites it sits on, in model order; empty for parts on layers or on the input. */
  readonly sites: readonly Site[];
  /** True for `on input`. */
  readonly input: boolean;
  /** The projector or encoder it reads `from`. */
  readonly source: string | null;
  /** Every attribute of its kind, defaults filled in. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly span: Span;
}

export interface Task {
  readonly name: string;
  readonly data: string;
  /** Names of the parameters it trains, in the order of `Model.parameters`. */
  readonly trains: readonly string[];
  /** Group names as written, for tables. */
  readonly groups: readonly string[];
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly span: Span;
}

/** Names of the data sources that a task is tested on. */
export const testsOf = ({ fields }: Pick<Task, 'fields'>): readonly string[] => {
  const test = fields['test'];
  return Array.isArray(test) ? test.filter((name): name is string => typeof name === 'string') : [];
};

export interface DataSource {
  readonly name: string;
  /** `instructions`, `alpaca`, `text`, `image_text`, ... */
  readonly format: string;
  readonly paths: readonly string[];
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly span: Span;
}

/** What `lower` makes of one adapter. */
export interface Model {
  /** Name of the adapter. */
  readonly name: string;
  readonly base: Base;
  readonly sites: readonly Site[];
  /** Parts in the order they were written: at one site they apply in this order. */
  readonly parts: readonly Part[];
  /** Base parameters first, in checkpoint order, then each part's. */
  readonly parameters: readonly Parameter[];
  /** Group name -> parameter names. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly tasks: readonly Task[];
  readonly data: readonly DataSource[];
  readonly experts: readonly Expert[];
  readonly recipes: readonly Recipe[];
}

/** An adapter with every name resolved and every default filled in: what `check` hands to `lower`. */
export type Resolved = Omit<Model, 'name' | 'sites'>;
