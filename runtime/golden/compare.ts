/** Differences from golden values, and how large they may be for a float32 device (golden README, section 5). */

/** Kinds of figures a case yields, in the order they are shown. */
export type Figure =
  | 'outputs'
  | 'logits'
  | 'loss'
  | 'gradients'
  | 'step losses'
  | 'parameters'
  | 'moments'
  | 'accumulation'
  | 'kv cache'
  | 'adapter'
  | 'rows'
  | Sameness;

/** Kinds of which only equal or not can be said. */
type Sameness = 'tokens' | 'ids' | 'texts';

const samenesses: ReadonlySet<string> = new Set<Sameness>(['tokens', 'ids', 'texts']);

interface Worst {
  readonly value: number;
  readonly bound: number;
  /** The tensor it was seen in. */
  readonly where: string;
}

/** Collects the worst figure of each kind. */
export class Report {
  readonly worst = new Map<Figure, Worst>();

  /** NaN counts as worse than anything. */
  add(figure: Figure, value: number, bound: number, where: string): void {
    const former = this.worst.get(figure);
    const ratio = (w: { value: number; bound: number }) =>
      Number.isNaN(w.value) ? Infinity : w.value / w.bound;
    if (!former || ratio({ value, bound }) > ratio(former)) this.worst.set(figure, { value, bound, where });
  }

  /** What has to be the same, as a list of tokens. */
  same(figure: Sameness, actual: unknown, expected: unknown, where: string): void {
    this.add(figure, JSON.stringify(actual) === JSON.stringify(expected) ? 0 : 1, 0.5, where);
  }

  get failures(): string[] {
    return [...this.worst]
      .filter(([, w]) => !(w.value <= w.bound))
      .map(([figure, w]) =>
        samenesses.has(figure)
          ? `${figure}: others than recorded in ${w.where}`
          : `${figure}: ${format(w.value)} in ${w.where}, allowed ${format(w.bound)}`,
      );
  }

  toString(): string {
    return [...this.worst]
      .map(
        ([figure, w]) =>
          `${figure} ${samenesses.has(figure) ? (w.value === 0 ? 'equal' : 'DIFFER') : format(w.value)}`,
      )
      .join('  ');
  }
}

const format = (x: number): string => (x === 0 ? '0' : x.toExponential(1));

/** Moments have no bound in the cases' README: they are held to that of the gradients they are made of. */
export const BOUNDS = {
  output: 2e-5,
  logits: 1e-4,
  loss: 1e-5,
  gradient: 1e-4,
  stepLoss: 1e-4,
  kv: 1e-4,
  moments: 1e-4,
} as const;

/** Largest absolute difference; NaN when a length differs or a value is NaN. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

/** Largest absolute difference over the largest absolute value expected. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i] ?? 0));
  return maxDifference(actual, expected) / (largest || 1);
}

/** Adam turns a gradient of rounding noise into a full step: this share of a tensor's elements may be off, by this many lr. */
const OUTLIERS = 0.001;
const OUTLIER_STEPS = 10;
/** A parameter may be off by this share of the learning rate. */
const STEP_SHARE = 0.02;

/**
 * How far trained parameters are off, in learning rates: the worst element once `allowed` outliers are set aside, or
 * the worst outlier itself when it is beyond ten steps.
 */
export function parameterDifference(
  actual: Float32Array,
  expected: Float32Array,
  lr: number,
  allowed = Math.floor(expected.length * OUTLIERS),
): number {
  if (actual.length !== expected.length) return NaN;
  const off = Array.from(expected, (value, i) => Math.abs((actual[i] ?? NaN) - value) / lr).sort(
    (a, b) => b - a,
  );
  if (off.some(Number.isNaN)) return NaN;
  const [largest = 0] = off;
  return largest > OUTLIER_STEPS ? largest : (off[allowed] ?? 0);
}

export const PARAMETER_BOUND = STEP_SHARE;
