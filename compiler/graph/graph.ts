/**
 * The graph: operations on typed tensors in single-assignment form, in the order they run.
 *
 * Every tensor is a matrix: `rows` rows of one padded axis. Leading extents (batch, heads, tokens) are folded into
 * `rows` and named by the attributes of the operations that care. Slots of a node are fixed by its operation; an
 * optional slot that is not used holds null.
 */
import type { Span } from '../../grammar/source.ts';
import type { Axis, Storage } from '../model/model.ts';
import type { ConstantValues, Purpose } from '../package/package.ts';

export type Home =
  | 'weights' //     a frozen parameter
  | 'parameters' //  a trainable parameter
  | 'gradients' //   the gradient of a trainable parameter
  | 'accumulated' // sums of gradients over micro-batches
  | 'first' //       AdamW's first moment
  | 'second' //      AdamW's second moment
  | 'constants'
  | 'inputs' //      written by the host before a run
  | 'step' //        per-step scalars, see STEP
  | 'state' //       lives from run to run: key-value caches
  | 'activations'
  | 'results'; //    read by the host after a run

export interface Tensor {
  readonly id: number;
  readonly name: string;
  readonly dtype: 'f32' | 'u32';
  readonly rows: number;
  readonly axis: Axis;
  readonly home: Home;
  /** The parameter it holds (`weights`, `parameters`) or is the gradient of (`gradients`). */
  readonly parameter?: string;
  /** For the optimizer: a piece of the cell of this index instead of one parameter, `from` numbers on. */
  readonly cell?: number;
  readonly from?: number;
  /** What the runtime fills it with (`constants`). */
  readonly constant?: ConstantValues;
  /**
   * How it lies in memory (`weights`); absent: f32. Only a product's B, the table of `embed` and the first matrix of
   * `inverseNorms` may be anything else; `verify` sees to it.
   */
  readonly storage?: Storage;
  /** The encoder whose images the host writes here (`inputs`). */
  readonly image?: string;
}

/** Where a node comes from: for people, never read by a pass. */
export interface Origin {
  /** A site of the base, a module of a part's own network, or a step between sites: `layers.0.attention`, `loss`. */
  readonly site: string;
  /** The part that asked for it; null: the base, or the program itself. */
  readonly part: string | null;
  readonly layer: number | null;
  /** The statement of the spec that asked for it; null: the base. */
  readonly span: Span | null;
}

/** As printed: `layers.0.attention.wq lora`. */
export const labelOf = ({ site, part }: Origin): string => (part === null ? site : `${site} ${part}`);

/** Where one operand of a batched product lies inside its tensor; strides in numbers, all multiples of four. */
export interface View {
  readonly offset: number;
  readonly row: number;
  readonly outer: number;
  readonly inner: number;
}

/**
 * A batched product C = alpha * A B with an epilogue. Batches are numbered (outer, inner); B's inner index is
 * `inner / share` (grouped queries share keys).
 * - `nt`: C[m,n] = sum_k A[m,k] B[n,k]; `k` is a multiple of 4. Rows of B past `n - 1` read row `n - 1`.
 * - `nn`: C[m,n] = sum_k A[m,k] B[k,n]; A's columns from `k` to the next multiple of 4 are zero.
 * - `tn`: C[m,n] = sum_k A[k,m] B[k,n], summed also over `reps` consecutive inner batches of A and B.
 * C's columns from `n` to the next multiple of 4 are written too (for `nt` as if B's last row were repeated).
 * Epilogue, in this order: + bias[n]; (save 'biased'); * scale[n]; (save 'scaled'); then either silu(u) * value or
 * value + residual. `bias` and `scale` are vectors over n; u, residual and the saved output have C's view.
 */
export interface Matmul {
  readonly mode: 'nt' | 'nn' | 'tn';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly outer: number;
  readonly inner: number;
  readonly share: number;
  readonly reps: number;
  readonly alpha: number;
  readonly a: View;
  readonly b: View;
  readonly c: View;
  readonly save: 'none' | 'biased' | 'scaled';
}

/** Attributes by operation; slots are written as inputs -> outputs, `?` marks optional ones. */
export interface Ops {
  /** a, b, bias?, scale?, residual?, u? -> c, saved? */
  readonly matmul: Matmul;
  /** x [rows, axis], v [1, axis] -> x + v */
  readonly addBias: Empty;
  /** x [rows, axis], v [1, axis] -> x * v */
  readonly mulScale: Empty;
  /** a, b -> a + b */
  readonly add: Empty;
  /** a, b?, rowScale? [1, rows] -> [1, axis]: sum over rows of a * b * rowScale */
  readonly columnSum: Empty;
  /**
   * dy, z?, s [1, axis] -> dz?, dScale? [1, axis], dBias? [1, axis]: the gradients of y = s * z, z = x + bias, in one
   * pass over dy: dz = dy * s, dScale = sum over rows of dy * z, dBias = s * sum over rows of dy. z is there for dScale.
   */
  readonly scaleGrad: Empty;
  /** a, b -> a * b */
  readonly mul: Empty;
  /** x -> cap * tanh(x / cap) */
  readonly softCap: { readonly cap: number };
  /** dy, y (what `softCap` gave) -> dy * (1 - (y / cap)^2) */
  readonly softCapGrad: { readonly cap: number };
  /** u, v -> silu(u) * v */
  readonly siluMul: Empty;
  /** dy, u, v -> du?, dv? */
  readonly siluMulGrad: Empty;
  /** x, w [1, axis] -> y, inverse? [1, rows] (1 / root mean square of each row, over the logical width) */
  readonly rmsnorm: { readonly eps: number };
  /** dy, x, w, inverse, residual? -> dx (+ residual) */
  readonly rmsnormGrad: Empty;
  /**
   * x, w [1, axis], b [1, axis] -> y, xhat? [rows, axis], inverse? [1, rows]: xhat = (x - mean) * inverse, with inverse =
   * 1 / sqrt(variance + eps), and y = w * xhat + b. Mean and (biased) variance of each row are over the logical width;
   * columns past it are zero in y and xhat.
   */
  readonly layernorm: { readonly eps: number };
  /**
   * dy, w, xhat, inverse, residual? -> dx = inverse * (w dy - mean(w dy) - xhat mean(w dy xhat)) (+ residual), the means
   * over the logical width, zero in columns past it
   */
  readonly layernormGrad: Empty;
  /** x -> x / max(norm, eps) / divisor, the Euclidean norm of each row; not differentiated */
  readonly unitRows: { readonly eps: number; readonly divisor: number };
  /**
   * w [outputs, axis], b [outputs, rank], a [rank, axis] -> [1, outputs]: 1 / the Euclidean norm of each row of w + scale * b a,
   * and 0 where that is 0. No gradient flows through it, as DoRA (arXiv 2402.09353, section 4.3) has it.
   */
  readonly inverseNorms: { readonly scale: number };
  /** x -> f(x), see `Activation` */
  readonly activate: { readonly function: Activation };
  /** dy, x -> f'(x) * dy */
  readonly activateGrad: { readonly function: Activation };
  /**
   * x [rows, heads x size], positions [1, rows], table [positions, turned] of (cos, sin) pairs -> rotated x. The first `turned`
   * numbers of each head are rotated, the others stay.
   */
  readonly rope: {
    readonly style: 'interleaved' | 'half';
    readonly inverse: boolean;
    readonly shift: number;
  };
  /**
   * scores, positions? [1, batch x queries], prefix? -> p, prefixP?. Rows are (batch, head, query); key j is visible
   * when j <= positions[batch, query] (always, without positions) and, with a `window`, j > positions[batch, query] -
   * window; prefix columns are always visible and share the softmax. Columns past `keys` (and past `prefix`) come out
   * zero, whatever they held.
   */
  readonly softmax: {
    readonly batch: number;
    readonly heads: number;
    readonly queries: number;
    readonly keys: number;
    readonly prefix: number;
    /** Keys that a query sees at most; needs positions. */
    readonly window?: number;
  };
  /** dp, p, prefixDp?, prefixP? -> ds, prefixDs?: p * (dp - sum(p dp)), zero in columns past the logical width */
  readonly softmaxGrad: { readonly keys: number; readonly prefix: number };
  /** x, y [rows, heads x size], gate? -> x + f(gate) * y; without a gate the factor is `constant` */
  readonly gateAdd: Gate;
  /** dz, gate? -> f(gate) * dz */
  readonly gateMul: Gate;
  /** sums [1, heads x size] (column sums of dz * y), gate -> gradient of the gate, in the gate's shape */
  readonly gateGrad: Gate;
  /** table [*, axis], ids [1, rows] -> [rows, axis]: also used to pick rows. */
  readonly embed: Empty;
  /** dy, order [1, rows], starts [1, table rows + 1] -> gradient of the table: row v sums dy[order[starts[v]..starts[v+1]]] */
  readonly embedGrad: Empty;
  /** prefix [length, axis], words [batch x tokens, axis] -> [batch x (length + tokens), axis] */
  readonly prepend: Prepend;
  /** d [batch x (length + tokens), axis] -> prefix gradient? (summed over the batch), words gradient? */
  readonly prependGrad: Prepend;
  /**
   * x [batch x rows, axis], table [at least `rows`, axis] -> x[r] + table[r mod rows]: the same vectors added to every
   * sequence. Rows of the table past `rows` (its padding) are not read.
   */
  readonly addTable: { readonly rows: number };
  /** x [batch x tokens, axis] -> [batch x length, axis]: rows from..from + length - 1 of every sequence */
  readonly segment: Segment;
  /** dy [batch x length, axis] -> dx [batch x tokens, axis]: dy in the rows it came from, zero elsewhere */
  readonly segmentGrad: Segment;
  /** x [rows, axis] -> [rows x times, axis]: each row `times` times, one after the other */
  readonly repeat: Repeat;
  /** dy [rows x times, axis] -> dx [rows, axis]: the sum of each `times` rows */
  readonly repeatGrad: Repeat;
  /** x [batch x tokens, axis], positions -> cache (state) [batch x context, axis]: row (b, positions[b, t]) = x[b, t] */
  readonly cacheWrite: { readonly batch: number; readonly tokens: number; readonly context: number };
  /** x -> y: moves a tensor to another home */
  readonly copy: Empty;
  /**
   * logits, labels [1, rows] (IGNORE = no label), step -> rowLoss [1, rows], dLogits?.
   * rowLoss is lossScale * cross-entropy, or 0 where ignored; dLogits = lossScale * (softmax - onehot), pads zero.
   * `vocab` is the logical width.
   */
  readonly crossEntropy: { readonly vocab: number };
  /** x [1, n] -> [1, 1]: the sum of x */
  readonly sum: Empty;
  /** x [1, n] -> partial sums of squares [1, PARTIALS] */
  readonly sumSquares: Empty;
  /** partials..., step -> norm [1, 4]: (gradient norm, clip factor, 1 if everything is finite else 0, 0) */
  readonly gradNorm: Empty;
  /**
   * parameters, gradients, first moment, second moment (each [1, n]), blocks, norm, step -> parameters and moments,
   * in place. blocks [1, 2 x n/64]: learning-rate factor and weight decay of every 64 numbers. `cell` selects the
   * bias corrections in `step`. Does nothing when norm says something is not finite.
   */
  readonly adamw: {
    readonly cell: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly eps: number;
  };
  /** gradients [1, n], accumulated [1, n], step -> accumulated + gradients, in place (= gradients when step says it is the first) */
  readonly accumulate: Empty;
}

type Empty = Readonly<Record<string, never>>;
export interface Gate {
  readonly function: 'tanh' | 'raw';
  readonly per: 'head' | 'layer';
  readonly constant: number;
}
export interface Prepend {
  readonly batch: number;
  readonly length: number;
  readonly tokens: number;
}

export interface Segment {
  readonly batch: number;
  readonly tokens: number;
  readonly from: number;
  readonly length: number;
}

interface Repeat {
  readonly times: number;
}

/**
 * Functions of one number, all zero at zero, so that padding stays zero.
 * - `gelu`: x/2 * (1 + erf(x / sqrt 2)); `geluTanh`: x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
 * - `quickGelu`: x * sigmoid(1.702 x), CLIP's; `silu`: x * sigmoid(x); `relu`: max(x, 0), of slope 0 at 0
 */
export type Activation = 'gelu' | 'geluTanh' | 'quickGelu' | 'silu' | 'relu';

export type OpName = keyof Ops;

export type Node = {
  readonly [K in OpName]: {
    readonly op: K;
    readonly inputs: readonly (number | null)[];
    readonly outputs: readonly (number | null)[];
    readonly attrs: Ops[K];
    readonly origin: Origin;
    /** Where the nodes come from that were fused into this one. */
    readonly fused?: readonly Origin[];
  };
}[OpName];
export type NodeOf<K extends OpName> = Extract<Node, { readonly op: K }>;

export interface Graph {
  readonly purpose: Purpose;
  /** The name of the program that comes of it. */
  readonly name: string;
  readonly batch: number;
  readonly tokens: number;
  /** Vectors in front of each sequence. */
  readonly prepended: number;
  readonly tensors: readonly Tensor[];
  readonly nodes: readonly Node[];
  /** Tensors the host reads, by name. */
  readonly outputs: readonly { readonly name: string; readonly tensor: number }[];
}

/** Partial sums of one `sumSquares`. */
export const PARTIALS = 256;
export { BLOCK, IGNORE, STEP } from '../package/constants.ts';

/** Distinct sets of tasks that may train a parameter. */
export const MAX_CELLS = 1022;
