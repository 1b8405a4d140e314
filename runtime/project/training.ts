/** The programs that train a model by a recipe. */
import { compile, type Compiled, type CompileOptions } from '../../compiler/compile.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import type { Device } from '../device/device.ts';
import { requireFit } from '../device/fit.ts';
import { InputError } from '../input-error.ts';
import { requireWork } from './work.ts';
import { chooseEncoding, type Encoding } from './encoding.ts';
import type { RecipeData } from './recipe-data.ts';
import { capacityOf } from './session.ts';
import type { HostedModel, Project } from './spec.ts';

/** A package for training, and the encoder whose tokens are to be computed once before it. */
export interface TrainingPackage {
  readonly compiled: Compiled;
  readonly encoder: ImageInput | null;
}

export interface TrainingOptions {
  readonly encoding: Encoding;
  /** Programs that are wanted beside those that train. */
  readonly more?: Pick<CompileOptions, 'evaluation' | 'generation'>;
}

/**
 * Compiles the training programs of a recipe.
 * @throws InputError when a task would learn nothing, or when the device cannot hold it
 */
export function compileTraining(
  device: Device,
  project: HostedModel & Partial<Pick<Project, 'spec'>>,
  recipe: Recipe,
  data: RecipeData,
  { encoding, more = {} }: TrainingOptions,
): TrainingPackage {
  const { host, model, spec } = project;
  const encoder = chooseEncoding(model, recipe, data, encoding);
  const wanted: CompileOptions = {
    profile: device.profile,
    recipe,
    training: { batch: recipe.batch, tokens: data.tokens, labels: data.labels },
    ...(spec ? { spec } : {}),
    ...more,
    ...(encoder ? { frozenEncoders: 'cached', encoding: { part: encoder.part, batch: recipe.batch } } : {}),
  };
  requireWork(model, wanted);
  const compiled = compile(model, wanted);
  requireReached(compiled.unreached, project);
  requireFit(compiled.manifest, capacityOf(host, device));
  return { compiled, encoder };
}

/** A task whose loss depends on nothing it trains would run to its end and learn nothing. */
function requireReached(unreached: Compiled['unreached'], { host, model: { tasks } }: HostedModel): void {
  for (const { name, trains } of tasks) {
    const idle = unreached.filter(({ task }) => task === name).map(({ parameter }) => parameter);
    if (idle.length === 0) continue;
    const some = `${idle.slice(0, 3).join(', ')}${idle.length > 3 ? ` and ${idle.length - 3} more` : ''}`;
    const message = `the loss of task \`${name}\` does not depend on ${some}`;
    if (idle.length === trains.length)
      throw new InputError(message, 'train something that its examples reach');
    host.warn(`${message}: they stay as they start`);
  }
}
