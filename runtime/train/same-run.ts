/** Checks that a checkpoint belongs to the run that is to continue. */
import { InputError } from '../input-error.ts';
import { differencesOf, showDifferences } from '../weights/attributes.ts';
import type { CheckpointMeta } from './run-store.ts';

/**
 * Refuses to continue a run whose spec, base, data or seed has changed, since the result would be neither the old run's
 * nor a new one's.
 */
export function requireSameRun(
  meta: CheckpointMeta,
  run: Pick<CheckpointMeta, 'spec' | 'base' | 'seed' | 'recipe' | 'inputs' | 'attributes'>,
  path: string,
): void {
  const changed = [
    meta.spec !== run.spec && 'the spec has changed',
    meta.base !== run.base && 'the base is another one',
    meta.recipe !== undefined &&
      meta.recipe !== run.recipe &&
      `the adapter, the recipe or its steps have changed${recipeChanges(meta.recipe, run.recipe)}`,
    ...Object.entries(meta.inputs ?? {}).map(
      ([name, hash]) => run.inputs?.[name] !== hash && `the ${name} has changed`,
    ),
    meta.seed !== run.seed && `the seed was ${meta.seed} and is ${run.seed}`,
  ].filter((change) => change !== false);
  if (changed.length === 0) return;
  const differences = meta.attributes && run.attributes ? differencesOf(meta.attributes, run.attributes) : [];
  throw new InputError(
    `cannot go on from ${path}: ${changed.join(', ')}${showDifferences(differences)}`,
    'undo the change, or start a new run in another folder',
  );
}

/**
 * The difference of two recipes (as JSON), such as ` (steps was 2 and is 4)`; empty where one of the texts is not a
 * recipe.
 */
function recipeChanges(was: string, is: string | undefined): string {
  const [before, now] = [was, is ?? ''].map((text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return null;
    }
  });
  if (typeof before !== 'object' || typeof now !== 'object' || !before || !now) return '';
  const [old, fresh] = [before, now].map((recipe) => new Map<string, unknown>(Object.entries(recipe)));
  const show = (recipe: typeof old, name: string) => JSON.stringify(recipe?.get(name)) ?? 'none';
  const changes = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => show(old, name) !== show(fresh, name))
    .map((name) => `${name} was ${show(old, name)} and is ${show(fresh, name)}`);
  return ` (${changes.join(', ')})`;
}
