/** An adapter of this folder on the embedded base, opened so that it can be trained and scored. */
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { Device } from '../../runtime/device/device.ts';
import { type Decoder, makeDecoder } from '../../runtime/generate.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { loadRecipeData } from '../../runtime/project/recipe-data.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { openProject, type Project } from '../../runtime/project/spec.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';
import { openTrainable, type Trainable } from '../../runtime/project/trainable.ts';
import { answerAll, lossOfRows } from '../../runtime/score.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { runFolder } from '../../runtime/train/run-folder.ts';
import { type RunOptions, type RunSummary, runTraining } from '../../runtime/train/run.ts';
import { versions } from '../../runtime/versions.ts';
import { evaluateInstructions, type Score } from './evaluate.ts';
import { here } from './here.ts';
import { longest, type Instruction } from './words.ts';

/** Sequences scored at once. */
const SCORED = 64;
/** Longest answer of any task, in tokens. */
const ANSWER = 12;

export interface Scored extends Trainable {
  readonly project: Project;
  readonly recipe: Recipe;
  readonly tokenizer: Tokenizer;
  readonly decoder: Decoder;
  readonly data: RunOptions['data'];
}

/** Opens one of the folder's specs, with the programs that score it beside those that train it. */
export async function openScored(
  device: Device,
  spec: string,
  seed?: number,
  steps?: number,
): Promise<Scored> {
  const project = await openProject(nodeHost, here(spec));
  const picked = pickRecipe(project.model, undefined);
  const recipe: Recipe = { ...picked, seed: seed ?? picked.seed, steps: steps ?? picked.steps };
  const tokenizer = await tokenizerOf(project);
  const data = await loadRecipeData(project, recipe, tokenizer);
  const opened = await openTrainable(device, project, recipe, data, {
    encoding: 'inline',
    more: {
      evaluation: { batch: SCORED, tokens: { instruct: longest } },
      generation: { batch: SCORED, tokens: longest, context: longest + ANSWER },
    },
  });
  const decoder = makeDecoder(opened.session);
  return { ...opened, project, recipe, tokenizer, decoder, data: data.batches };
}

/** Trains to the end of the recipe. */
export function train(
  { project, recipe, data, origin, trainer }: Scored,
  folder: string,
  watch: Pick<RunOptions, 'onStart' | 'onStep'>,
): Promise<RunSummary> {
  const identity = { spec: project.spec.hash, base: origin.base, versions };
  return runTraining(trainer, {
    recipe,
    data,
    store: runFolder(folder),
    identity,
    checkpointEvery: 100,
    ...watch,
  });
}

/** Exact matches and losses on held-out words. */
export function score(scored: Scored, items: readonly Instruction[]): Promise<Score[]> {
  return evaluateInstructions(items, scored.tokenizer, {
    lossOf: (rows) => lossOfRows(scored.trainer, 'instruct', rows),
    generate: (prompts) => answerAll(scored.decoder, scored.tokenizer, prompts, ANSWER),
  });
}
