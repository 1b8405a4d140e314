/** What a sweep is to run: every trial with its model and recipe, or with the reason why there is none. */
import { createHash } from 'node:crypto';
import type { Checked, CheckOptions } from '../../compiler/check/check.ts';
import { recordedPart } from '../../compiler/kinds/recorded.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { type Base, type Model, type Recipe, testsOf } from '../../compiler/model/model.ts';
import { type Sweep, type Trial, trialsOf } from '../../compiler/model/sweep.ts';
import { InputError } from '../input-error.ts';
import { nearest } from '../../grammar/suggest.ts';
import { UsageError } from '../cli/command.ts';
import { weightsFile } from '../project/weights-file.ts';
import { loadChecked, pickRecipe, type Project, specOf } from '../project/open.ts';
import { splitSpec } from '../cli/spec-arguments.ts';
import { withSteps } from '../project/training.ts';
import { essenceOf } from '../train/schedule.ts';
import { fileKeys } from './files.ts';

/** Tells what a result is a result of, in four parts, so that a difference can be named. */
export interface Identity {
  /** Parts, groups, tasks, and what is measured. */
  readonly spec: string;
  readonly recipe: string;
  /** Contents of the data files and of the tokenizer. */
  readonly data: string;
  /** Dimensions and weights of the base, and of encoders. */
  readonly base: string;
}

/** A trial that can run. */
export interface Prepared {
  readonly project: Project;
  readonly recipe: Recipe;
  readonly identity: Identity;
}

export interface PlannedTrial extends Trial {
  /** A text says what is wrong with the spec of this trial. */
  readonly work: Prepared | string;
}

export interface Plan {
  readonly path: string;
  readonly sweep: Sweep;
  /** In the order they run. */
  readonly trials: readonly PlannedTrial[];
  /** Values of `--set`. */
  readonly params: Readonly<Record<string, string>>;
  /** Texts of the spec's files by name. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface PlanOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly base?: Base;
  /** Instead of the recipe's length. */
  readonly steps?: number;
}

/**
 * Reads `SPEC:SWEEP`, or `SPEC` with one sweep, and checks the spec anew for every trial.
 * @throws InputError when the spec itself has errors, or has no such sweep
 */
export async function planSweep(argument: string, options: PlanOptions): Promise<Plan> {
  const { path, name } = splitSpec(argument);
  const given: CheckOptions = {
    ...(options.params === undefined ? {} : { params: options.params }),
    ...(options.base === undefined ? {} : { base: options.base }),
  };
  const checked = loadChecked(path, given);
  const sweep = pickSweep(checked, name);
  for (const param of Object.keys(options.params ?? {}))
    if (sweep.axes.some((axis) => axis.param === param))
      throw new UsageError(
        `the sweep varies \`${param}\` itself: leave --set ${param} away, or choose trials with --only`,
      );
  const keys = fileKeys();
  const trials: PlannedTrial[] = [];
  for (const trial of trialsOf(sweep))
    trials.push({ ...trial, work: await prepare(path, sweep, trial, options, keys) });
  return { path, sweep, trials, params: options.params ?? {}, sources: checked.sources };
}

function pickSweep({ sweeps, path }: Checked, name: string | undefined): Sweep {
  const names = Object.keys(sweeps);
  if (names.length === 0)
    throw new InputError(
      `${path} has no sweep`,
      'write `sweep NAME over ADAPTER with RECIPE { PARAM = [...] }`',
    );
  const sweep = name === undefined && names.length === 1 ? sweeps[names[0] ?? ''] : sweeps[name ?? ''];
  if (sweep) return sweep;
  if (name === undefined)
    throw new UsageError(`${path} has several sweeps: write ${path}:${names.join(` or ${path}:`)}`);
  const near = nearest(name, names);
  throw new InputError(
    `${path} has no sweep \`${name}\``,
    near ? `did you mean \`${near}\`?` : `it has ${names.join(', ')}`,
  );
}

async function prepare(
  path: string,
  sweep: Sweep,
  trial: Trial,
  { params, base, steps }: PlanOptions,
  keys: (paths: readonly string[]) => Promise<string>,
): Promise<Prepared | string> {
  const given = { params: { ...params, ...trial.params }, ...(base === undefined ? {} : { base }) };
  try {
    // Warnings were shown once, for the spec as it is written.
    const checked = loadChecked(
      path,
      { ...given, withoutSweeps: true, adapter: sweep.adapter },
      () => undefined,
    );
    const model = lowerModel(checked, sweep.adapter);
    const written = pickRecipe(model, sweep.recipe);
    const recipe = withSteps({ ...written, seed: trial.seed ?? written.seed }, steps);
    const project = { model, spec: specOf(checked, given) };
    return { project, recipe, identity: await identityOf(model, recipe, sweep, keys) };
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Nothing in it depends on where the files lie, or on what of the spec does not concern this trial. */
async function identityOf(
  model: Model,
  recipe: Recipe,
  sweep: Sweep,
  keys: (paths: readonly string[]) => Promise<string>,
): Promise<Identity> {
  const { weights, tokenizer, ...dimensions } = model.base;
  const accuracy = sweep.measure.includes('accuracy');
  const tests = model.tasks.map((task) => testsOf(task));
  const files = model.data.flatMap(({ paths }) => paths);
  return {
    spec: hashOf([model.name, model.parts.map(recordedPart), model.groups, model.tasks, accuracy]),
    recipe: hashOf(essenceOf(recipe)),
    data: hashOf([
      model.data.map(({ name, format }) => [name, format]),
      tests,
      await keys([...files, ...(tokenizer === undefined ? [] : [tokenizer])]),
    ]),
    base: hashOf([
      dimensions,
      await keys(weights === undefined ? [] : [weights]),
      await keys(model.parts.flatMap((part) => weightsFile(part) ?? [])),
    ]),
  };
}

const hashOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value, (key, inner: unknown) => (key === 'span' ? undefined : inner)))
    .digest('hex')
    .slice(0, 12);
