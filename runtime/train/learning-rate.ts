/** Learning rate by iteration: linear warm-up, then half a cosine (the official util/lr_sched.py), or constant, or linear. */
import type { Recipe } from '../../compiler/model/recipe.ts';
import { type Batches, stepsAnEpoch } from '../data/batches.ts';
import { InputError } from '../input-error.ts';

/** Steps of one epoch and of the whole run; an epoch may be fractional in steps. */
export interface Horizon {
  readonly perEpoch: number;
  readonly total: number;
}

/** An epoch is one pass over the data of the task that takes the most steps for it, at the recipe's mix. */
export function stepsPerEpoch({
  recipe,
  data,
}: {
  readonly recipe: Recipe;
  readonly data: ReadonlyMap<string, Pick<Batches, 'perEpoch'>>;
}): number {
  const total = recipe.mix.parts.reduce((sum, part) => sum + part.count, 0);
  const lengths = recipe.mix.parts.flatMap(({ task, count }) => {
    const batches = data.get(task);
    return count > 0 && batches ? [(stepsAnEpoch(batches, recipe.accumulate) * total) / count] : [];
  });
  return Math.max(1, ...lengths);
}

/**
 * The length of a recipe's run on data with `perEpoch` steps an epoch.
 * @throws InputError when its part of an epoch is less than half a step
 */
export function horizonOf(recipe: Recipe, perEpoch: number): Horizon {
  const { name, steps, epochs } = recipe;
  const total = steps ?? Math.round((epochs ?? 1) * perEpoch);
  if (total > 0) return { perEpoch, total };
  throw new InputError(
    `recipe \`${name}\`: epochs = ${epochs} of ${counted(perEpoch, 'step')} an epoch comes to no step at all`,
    'write `steps = 1`, or more epochs, or a smaller `batch` or `accumulate`',
  );
}

/** `1 step`, `2.5 steps`. */
export const counted = (count: number, what: string, plural = 's'): string =>
  `${Number(count.toFixed(2))} ${what}${count === 1 ? '' : plural}`;

/**
 * The fields of a recipe that determine a run. Left out are its place in the spec and, with a single micro-batch a
 * step, `average`.
 */
export function essenceOf(recipe: Recipe): Omit<Recipe, 'span' | 'average'> & Partial<Recipe> {
  const { span: _, average, ...rest } = recipe;
  return rest.accumulate === 1 ? rest : { ...rest, average };
}

/** How long the learning rate rises, in steps. */
function warmupOf({ schedule: { warmup } }: Recipe, { perEpoch, total }: Horizon): number {
  if (warmup.unit === 'share') return Math.round(warmup.value * total);
  return warmup.unit === 'epochs' ? warmup.value * perEpoch : warmup.value;
}

/**
 * The warm-up step that step `step` of the run counts as. The official schedule, which has a warm-up of epochs, starts
 * at exactly 0 and so wastes the first step. A warm-up of epochs keeps this rule, unless the warm-up is over before a
 * second step.
 */
const placeOf = ({ schedule: { warmup } }: Recipe, length: number, step: number): number =>
  warmup.unit === 'epochs' && length >= 1 ? step : step + 1;

/** Whether a run ends before its learning rate has risen to the recipe's `lr`. */
export function endsInWarmup(recipe: Recipe, horizon: Horizon): boolean {
  const length = warmupOf(recipe, horizon);
  return placeOf(recipe, length, horizon.total - 1) < length;
}

/** The learning rate of step `step`, counted from 0. */
export function learningRate(recipe: Recipe, horizon: Horizon, step: number): number {
  const { schedule, optimizer } = recipe;
  const warmup = warmupOf(recipe, horizon);
  const at = placeOf(recipe, warmup, step);
  if (at < warmup) return (optimizer.lr * at) / warmup;
  const done = Math.max(0, Math.min(1, (step - warmup) / Math.max(1, horizon.total - warmup)));
  const floor = schedule.floor * optimizer.lr;
  switch (schedule.kind) {
    case 'constant':
      return optimizer.lr;
    case 'linear':
      return floor + (optimizer.lr - floor) * (1 - done);
    case 'cosine':
      return floor + ((optimizer.lr - floor) * (1 + Math.cos(Math.PI * done))) / 2;
  }
}
