/**
 * What a web page needs that opens specs itself, instead of packages that were built before: `browser.ts`, and the compiler behind
 * runtime/project. Nothing below imports Node; docs/browser.md shows how it is used.
 */
export * from './browser.ts';
export { fetchSpecs, pageHost, type PageOptions } from './hosts/browser.ts';
export { type AnsweringOptions, openAnswering } from './project/answering.ts';
export { type Encoding, encodeTasks } from './project/encoding.ts';
export { scoreTests, type TestScore } from './project/held-out.ts';
export type { ProjectHost, SpecHost } from './project/host.ts';
export { makePrompt, type Prompt } from './project/prompts.ts';
export { type Question, questionFor } from './project/questions.ts';
export { loadRecipeData, type RecipeData } from './project/recipe-data.ts';
export { pickRecipe, withSteps } from './project/recipe.ts';
export { capacityOf, openCompiled, type OpenedModel } from './project/session.ts';
export { type HostedModel, loadModel, openProject, type Project, type SpecOptions } from './project/spec.ts';
export { type Origin, type Start, type StartOptions, startOf } from './project/start.ts';
export { tokenizerOf } from './project/tokenizer.ts';
export { openTrainable, type Trainable } from './project/trainable.ts';
export { startTrained, takeFrom } from './project/trained.ts';
export { type RunOptions, runTraining, type RunSummary } from './train/run.ts';
export type { Checkpoint, MetricsFile, RunStore, StepMetrics } from './train/run-store.ts';
export { horizonOf, learningRate } from './train/learning-rate.ts';
