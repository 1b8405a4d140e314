/** An adapter of this folder on the embedded base, ready to be trained and scored. */
import { fileURLToPath } from 'node:url';
import { compile, type Compiled } from '../../compiler/compile.ts';
import type { Recipe } from '../../compiler/model/model.ts';
import {
  loadProject,
  loadRecipeData,
  pickRecipe,
  type Project,
  openCompiled,
  startOf,
  tokenizerOf,
} from '../../runtime/project/open.ts';
import type { Device } from '../../runtime/device/device.ts';
import { type Decoder, makeDecoder } from '../../runtime/generate.ts';
import { answerAll, lossOfRows } from '../../runtime/score.ts';
import type { Session } from '../../runtime/session.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { type RunOptions, type RunSummary, runTraining } from '../../runtime/train/run.ts';
import { makeTrainer, type Trainer } from '../../runtime/train/trainer.ts';
import { versions } from '../../runtime/versions.ts';
import { evaluateInstructions, type Score } from './evaluate.ts';
import { longest, type Instruction } from './words.ts';

/** Sequences scored at once. */
const SCORED = 64;
/** Longest answer of any task, in tokens. */
const ANSWER = 12;

export interface Lab {
  readonly project: Project;
  readonly recipe: Recipe;
  readonly compiled: Compiled;
  readonly tokenizer: Tokenizer;
  readonly session: Session;
  readonly trainer: Trainer;
  readonly decoder: Decoder;
  readonly data: RunOptions['data'];
  readonly fingerprint: string;
}

export const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Compiles one of the folder's specs with everything needed to train it and to score it. */
export async function openLab(device: Device, spec: string, seed?: number, steps?: number): Promise<Lab> {
  const project = loadProject(here(spec));
  const { model } = project;
  const picked = pickRecipe(model, undefined);
  const recipe: Recipe = { ...picked, seed: seed ?? picked.seed, steps: steps ?? picked.steps };
  const tokenizer = await tokenizerOf(model.base);
  const data = await loadRecipeData(model, recipe, tokenizer);
  const compiled = compile(model, {
    profile: device.profile,
    recipe,
    spec: project.spec,
    training: { batch: recipe.batch, tokens: data.tokens, labels: data.labels },
    evaluation: { batch: SCORED, tokens: { instruct: longest } },
    generation: { batch: SCORED, tokens: longest, context: longest + ANSWER },
  });
  const start = await startOf(model, recipe.seed);
  const session = await openCompiled(device, compiled, start);
  const { fingerprint } = start;
  return {
    project,
    recipe,
    compiled,
    tokenizer,
    session,
    trainer: makeTrainer(session),
    decoder: makeDecoder(session),
    data: data.batches,
    fingerprint,
  };
}

/** Trains to the end of the recipe. */
export function train(
  lab: Lab,
  folder: string,
  watch: Pick<RunOptions, 'onStart' | 'onStep'>,
): Promise<RunSummary> {
  const { recipe, data, fingerprint, project } = lab;
  const identity = { spec: project.spec.hash, base: fingerprint, versions };
  return runTraining(lab.trainer, { recipe, data, folder, identity, checkpointEvery: 100, ...watch });
}

/** Exact matches and losses on held-out words. */
export function score(lab: Lab, items: readonly Instruction[]): Promise<Score[]> {
  return evaluateInstructions(items, lab.tokenizer, {
    lossOf: (rows) => lossOfRows(lab.trainer, 'instruct', rows),
    generate: (prompts) => answerAll(lab.decoder, lab.tokenizer, prompts, ANSWER),
  });
}
