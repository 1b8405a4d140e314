/**
 * What of an adapter's change is left when a merged base is stored in 16 bits. A change that is small beside the
 * numbers it is added to is rounded away: the file would be the base again.
 */
import { InputError } from '../input-error.ts';
import { toBytes, toFloat32 } from '../weights/dtypes.ts';

/** The change d of one tensor, merged less base, and the change e that is stored. Sums are over its elements. */
interface Change {
  readonly tensor: string;
  /** |e - d|^2. */
  readonly lost: number;
  /** |d|^2. */
  readonly whole: number;
}

/** Changes of the tensors that were stored so far. */
export type Survival = Change[];

/**
 * Notes what of a tensor's change is stored. The stored change is the stored merged number less the stored number of
 * the base: what rounding does to the base by itself is no loss of the adapter's.
 * @param base numbers without the adapter, in the same order; before they are rounded
 */
export function noteChange(
  survival: Survival,
  tensor: string,
  base: Float32Array,
  merged: Float32Array,
  dtype: 'F16' | 'BF16',
): void {
  const [from, to] = [base, merged].map((numbers) => toFloat32(toBytes(numbers, dtype), dtype));
  let [lost, whole] = [0, 0];
  for (let i = 0; i < merged.length; i++) {
    const change = merged[i]! - base[i]!;
    if (change === 0) continue;
    // A number of the base that F16 has no place for, and a merged one that it has: nothing is rounded away.
    const stored = to![i]! - (Number.isFinite(from![i]) ? from![i]! : base[i]!);
    lost += (stored - change) ** 2;
    whole += change * change;
  }
  if (whole > 0) survival.push({ tensor, lost, whole });
}

/** 1 - |e - d|^2 / |d|^2, not below 0: rounding that adds more than it leaves has left nothing. */
const shareOf = ({ lost, whole }: Pick<Change, 'lost' | 'whole'>): number => Math.max(0, 1 - lost / whole);

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

function totalOf(survival: Survival): { readonly share: number; readonly worst: Change } | null {
  const [first, ...rest] = survival;
  if (!first) return null;
  const share = shareOf({
    lost: survival.reduce((sum, { lost }) => sum + lost, 0),
    whole: survival.reduce((sum, { whole }) => sum + whole, 0),
  });
  const worst = rest.reduce((found, one) => (shareOf(one) < shareOf(found) ? one : found), first);
  return { share, worst };
}

/** `98.7% of the adapter's change survives in BF16; least in layers.3.attention.wq.weight: 93.1%`. */
export function describeSurvival(survival: Survival, dtype: string): string {
  const total = totalOf(survival);
  if (total === null) return 'the adapter changes none of the numbers of its base';
  const { share, worst } = total;
  return `${percent(share)} of the adapter's change survives in ${dtype}; least in ${worst.tensor}: ${percent(shareOf(worst))}`;
}

/**
 * Refuses to store what would no longer be the adapter's change.
 * @param most share of the change of all tensors together that may be lost, 0 to 1
 */
export function requireSurvival(survival: Survival, dtype: string, most: number): void {
  const total = totalOf(survival);
  if (total === null || 1 - total.share <= most) return;
  const other = dtype === 'BF16' ? 'f32 or f16' : 'f32';
  throw new InputError(
    `only ${describeSurvival(survival, dtype)}; --max-loss allows ${percent(most)} to be lost. Nothing is written`,
    `store it as ${other}, keep the adapter beside its base (\`graft generate --adapter FILE\`), or allow more with --max-loss SHARE`,
  );
}
