/** Learning rate by iteration: linear warm-up, then half a cosine (the official util/lr_sched.py), or constant, or linear. */
import type { Recipe } from '../../compiler/model/model.ts';

/** Steps of one epoch and of the whole run; an epoch may be fractional in steps. */
export interface Horizon {
  readonly perEpoch: number;
  readonly total: number;
}

/** How long a recipe runs on data of `perEpoch` steps an epoch. */
export function horizonOf(recipe: Recipe, perEpoch: number): Horizon {
  return { perEpoch, total: recipe.steps ?? Math.round((recipe.epochs ?? 1) * perEpoch) };
}

/** The learning rate of step `step`, counted from 0. */
export function learningRate(recipe: Recipe, horizon: Horizon, step: number): number {
  const { schedule, optimizer } = recipe;
  const warmup =
    schedule.warmup.unit === 'epochs' ? schedule.warmup.value * horizon.perEpoch : schedule.warmup.value;
  // The official schedule starts at exactly 0, which wastes the first step: with epochs we keep it, being theirs.
  const at = schedule.warmup.unit === 'epochs' ? step : step + 1;
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
