/** The one way to a session that trains: a recipe with its data, compiled, on the device, with every parameter at its start. */
import type { Compiled } from '../../compiler/compile.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import type { Device } from '../device/device.ts';
import { makeTrainer, type Trainer } from '../train/trainer.ts';
import type { RecipeData } from './recipe-data.ts';
import { type OpenedModel, openCompiled } from './session.ts';
import type { HostedModel, Project } from './spec.ts';
import { type StartOptions, startOf } from './start.ts';
import { compileTraining, type TrainingOptions } from './training.ts';

export interface Trainable extends OpenedModel {
  readonly compiled: Compiled;
  readonly trainer: Trainer;
  /** The encoder whose tokens have to be computed before the first step (`encodeTasks`); null: there is none. */
  readonly encoder: ImageInput | null;
}

/**
 * Opens a project for training by a recipe. The caller destroys `session.executor` at the end.
 * @throws InputError when a task would learn nothing, the device cannot hold it, or files and spec do not belong together
 */
export async function openTrainable(
  device: Device,
  project: HostedModel & Partial<Pick<Project, 'spec'>>,
  recipe: Recipe,
  data: RecipeData,
  options: TrainingOptions & StartOptions,
): Promise<Trainable> {
  const { compiled, encoder } = compileTraining(device, project, recipe, data, options);
  const start = await startOf(project, recipe.seed, options);
  const opened = await openCompiled(device, compiled, start);
  return { ...opened, compiled, encoder, trainer: makeTrainer(opened.session) };
}
