/** What `train` and the trials of a sweep have in common: from a recipe and its data to a package that trains. */
import { compile, type Compiled } from '../../compiler/compile.ts';
import type { Model, Recipe } from '../../compiler/model/model.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import type { Device } from '../device/device.ts';
import { requireFit } from '../device/fit.ts';
import { InputError } from '../input-error.ts';
import { chooseEncoding, type Encoding } from './task-images.ts';
import { capacityOf, type Project, type TaskData } from './open.ts';

/** The recipe with another number of steps, where one is given. */
export const withSteps = (recipe: Recipe, steps: number | undefined): Recipe =>
  steps === undefined ? recipe : { ...recipe, steps, epochs: null };

/** A package for training, and the encoder whose tokens are to be computed once before it. */
export interface TrainingPackage {
  readonly compiled: Compiled;
  readonly encoder: ImageInput | null;
}

/**
 * Compiles the training programs of a recipe.
 * @throws InputError when a task would learn nothing, or when the device cannot hold it
 */
export function compileTraining(
  device: Device,
  { model, spec }: Project,
  recipe: Recipe,
  data: TaskData,
  encoding: Encoding,
): TrainingPackage {
  const encoder = chooseEncoding(model, recipe, data, encoding);
  const compiled = compile(model, {
    profile: device.profile,
    recipe,
    training: { batch: recipe.batch, tokens: data.tokens, labels: data.labels },
    spec,
    ...(encoder ? { frozenEncoders: 'cached', encoding: { part: encoder.part, batch: recipe.batch } } : {}),
  });
  requireReached(compiled.unreached, model);
  requireFit(compiled.manifest, capacityOf(device));
  return { compiled, encoder };
}

/** A task whose loss depends on nothing it trains would run to its end and learn nothing. */
function requireReached(unreached: Compiled['unreached'], { tasks }: Model): void {
  for (const { name, trains } of tasks) {
    const idle = unreached.filter(({ task }) => task === name).map(({ parameter }) => parameter);
    if (idle.length === 0) continue;
    const some = `${idle.slice(0, 3).join(', ')}${idle.length > 3 ? ` and ${idle.length - 3} more` : ''}`;
    const message = `the loss of task \`${name}\` does not depend on ${some}`;
    if (idle.length === trains.length)
      throw new InputError(message, 'train something that its examples reach');
    console.error(`${message}: they stay as they start`);
  }
}
