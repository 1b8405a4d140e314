/** Which recipe a run follows. */
import type { Model } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { InputError } from '../input-error.ts';
import { suggest } from './spec.ts';

/** The recipe of that name, or the only one. @throws InputError when there is none, or several and no name */
export function pickRecipe(model: Model, name: string | undefined): Recipe {
  const names = model.recipes.map((recipe) => recipe.name);
  const recipe =
    name === undefined && model.recipes.length === 1
      ? model.recipes[0]
      : model.recipes.find((r) => r.name === name);
  if (recipe) return recipe;
  if (names.length === 0)
    throw new InputError(
      `no recipe is for the adapter \`${model.name}\``,
      `write \`recipe NAME for ${model.name} { ... }\``,
    );
  if (name === undefined)
    throw new InputError(
      `\`${model.name}\` has several recipes: ${names.join(', ')}`,
      `choose one, as with \`--recipe ${names[0]}\``,
    );
  throw new InputError(`\`${model.name}\` has no recipe \`${name}\``, suggest(name, names));
}

/** The recipe with another number of steps, where one is given. */
export const withSteps = (recipe: Recipe, steps: number | undefined): Recipe =>
  steps === undefined ? recipe : { ...recipe, steps, epochs: null };
