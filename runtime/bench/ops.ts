/** What is measured, and the numbers that all sides are given. */
import { createRandom } from '../random.ts';

/** Sizes of the transformer block: tokens, width, heads, width of the feed-forward network. */
export interface BlockSize {
  readonly tokens: number;
  readonly dim: number;
  readonly heads: number;
  readonly ffn: number;
}

/** One thing to measure. `matmul` is A [m, k] times B [k, n]; the rows' operations work on each row by itself. */
export type Operation =
  | {
      readonly kind: 'matmul';
      readonly name: string;
      readonly m: number;
      readonly k: number;
      readonly n: number;
    }
  | {
      readonly kind: 'softmax' | 'rmsnorm';
      readonly name: string;
      readonly rows: number;
      readonly columns: number;
    }
  | ({ readonly kind: 'block'; readonly name: string; readonly trains: Trains } & BlockSize);

/** What a training step of the block trains: every weight, or the norms and a bias and a scale on each linear. */
export type Trains = 'full' | 'peft';

const block = { kind: 'block', tokens: 64, dim: 256, heads: 4, ffn: 512 } as const;

export const OPERATIONS: readonly Operation[] = [
  { kind: 'matmul', name: 'matmul 512x512x512', m: 512, k: 512, n: 512 },
  { kind: 'matmul', name: 'matmul 16x512x2048', m: 16, k: 512, n: 2048 },
  { kind: 'matmul', name: 'matvec 1x1024x4096', m: 1, k: 1024, n: 4096 },
  { kind: 'softmax', name: 'softmax 512x512', rows: 512, columns: 512 },
  { kind: 'rmsnorm', name: 'rmsnorm 512x512', rows: 512, columns: 512 },
  { name: 'block step full', trains: 'full', ...block },
  { name: 'block step peft', trains: 'peft', ...block },
];

export const NORM_EPS = 1e-5;
export const LEARNING_RATE = 1e-2;
/** Steps of the block whose losses are compared. */
export const LOSSES = 5;

/** Row-major numbers with their shape; a linear's weight is [in, out]. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All inputs and parameters of an operation, by name. */
export type Numbers = Readonly<Record<string, Values>>;

/** The linears of the block, with what enters and what leaves them. */
function blockLinears({ dim, ffn }: BlockSize): Readonly<Record<string, readonly [number, number]>> {
  const square = [dim, dim] as const;
  return { wq: square, wk: square, wv: square, wo: square, w1: [dim, ffn], w3: [dim, ffn], w2: [ffn, dim] };
}

/** The numbers of an operation; the same in every process. */
export function valuesOf(op: Operation): Numbers {
  const values: Record<string, Values> = {};
  // Full and peft share their seeds: with scales of 1 and biases of 0 both start from the same loss.
  const normal = (name: string, shape: readonly number[], factor = 1) => {
    const random = createRandom(op.kind, name);
    values[name] = fill(shape, () => factor * random.normal());
  };
  switch (op.kind) {
    case 'matmul':
      normal('a', [op.m, op.k]);
      normal('b', [op.k, op.n]);
      return values;
    case 'softmax':
      normal('x', [op.rows, op.columns]);
      return values;
    case 'rmsnorm':
      normal('x', [op.rows, op.columns]);
      normal('g', [op.columns]);
      return values;
    case 'block':
      normal('x', [op.tokens, op.dim]);
      normal('y', [op.tokens, op.dim]);
      for (const name of ['g1', 'g2']) values[name] = fill([op.dim], () => 1);
      for (const [name, [from, to]] of Object.entries(blockLinears(op))) {
        normal(name, [from, to], 1 / Math.sqrt(from));
        if (op.trains === 'full') continue;
        values[`b_${name}`] = fill([to], () => 0);
        values[`s_${name}`] = fill([to], () => 1);
      }
      return values;
  }
}

function fill(shape: readonly number[], next: () => number): Values {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length: count }, next) };
}

/** What the peers add to a block's scores so that no token looks at a later one: [tokens, tokens]. */
export const causalMask = (tokens: number): Values => ({
  shape: [tokens, tokens],
  data: Float32Array.from({ length: tokens * tokens }, (_, i) =>
    i % tokens > Math.floor(i / tokens) ? -1e9 : 0,
  ),
});

/** Names of the parameters that a step of the block trains. */
export function trainedOf(op: Extract<Operation, { kind: 'block' }>): string[] {
  const linears = Object.keys(blockLinears(op));
  return [
    'g1',
    'g2',
    ...(op.trains === 'full' ? linears : linears.flatMap((name) => [`b_${name}`, `s_${name}`])),
  ];
}

/** Largest difference allowed, as a share of the largest number (outputs) or of the loss (losses of a block). */
const TOLERANCE = 1e-4;

/** Whether two results say the same: an output as a whole, losses one by one. */
export function agree(op: Operation, a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length || a.length === 0) return false;
  let largest = 0;
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(b[i] ?? NaN));
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
    const scale = op.kind === 'block' ? Math.abs(y) : largest;
    // Written so that NaN disagrees.
    if (!(Math.abs(x - y) <= TOLERANCE * scale)) return false;
  }
  return true;
}
