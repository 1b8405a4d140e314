/** What a sweep is to run: every trial with its model and recipe, or with the reason why there is none. */
import type { Checked, CheckOptions } from '../../compiler/check/check.ts';
import { taskFields } from '../../compiler/check/tasks.ts';
import { recordedFields, recordedPart } from '../../compiler/kinds/recorded.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { type Base, testsOf } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { type Sweep, type Trial, trialsOf } from '../../compiler/model/sweep.ts';
import { sha256 } from '../hash.ts';
import { InputError } from '../input-error.ts';
import type { ProjectHost } from '../project/host.ts';
import { type HostedModel, loadChecked, type Project, specOf, suggest } from '../project/spec.ts';
import { splitSpec } from '../project/spec-name.ts';
import { pickRecipe, withSteps } from '../project/recipe.ts';
import { weightsFile } from '../project/weights-file.ts';
import { essenceOf } from '../train/learning-rate.ts';

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
export async function planSweep(host: ProjectHost, argument: string, options: PlanOptions): Promise<Plan> {
  const { path, name } = splitSpec(argument);
  const given: CheckOptions = {
    ...(options.params === undefined ? {} : { params: options.params }),
    ...(options.base === undefined ? {} : { base: options.base }),
  };
  const checked = loadChecked(host, path, given);
  const sweep = pickSweep(checked, name);
  for (const param of Object.keys(options.params ?? {}))
    if (sweep.axes.some((axis) => axis.param === param))
      throw new InputError(
        `the sweep varies \`${param}\` itself`,
        `leave \`--set ${param}\` away, or choose trials with \`--only\``,
      );
  const keys = fileKeys(host.contentKey);
  const trials: PlannedTrial[] = [];
  for (const trial of trialsOf(sweep))
    trials.push({ ...trial, work: await prepare(host, path, sweep, trial, options, keys) });
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
    throw new InputError(
      `${path} has several sweeps`,
      `name one of them: ${names.map((each) => `\`${path}:${each}\``).join(' or ')}`,
    );
  throw new InputError(`${path} has no sweep \`${name}\``, suggest(name, names));
}

async function prepare(
  host: ProjectHost,
  path: string,
  sweep: Sweep,
  trial: Trial,
  { params, base, steps }: PlanOptions,
  keys: (paths: readonly string[]) => Promise<string>,
): Promise<Prepared | string> {
  const given = { params: { ...params, ...trial.params }, ...(base === undefined ? {} : { base }) };
  try {
    // Warnings were shown once, for the spec as it is written.
    const silent = { ...host, warn: () => undefined };
    const checked = loadChecked(silent, path, { ...given, withoutSweeps: true, adapter: sweep.adapter });
    const model = lowerModel(checked, sweep.adapter);
    const written = pickRecipe(model, sweep.recipe);
    const recipe = withSteps({ ...written, seed: trial.seed ?? written.seed }, steps);
    const project = { host, model, spec: await specOf(checked, given) };
    return { project, recipe, identity: await identityOf(project, recipe, sweep, keys) };
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Nothing in it depends on where the files lie, or on what of the spec does not concern this trial. */
async function identityOf(
  { host, model }: HostedModel,
  recipe: Recipe,
  sweep: Sweep,
  keys: (paths: readonly string[]) => Promise<string>,
): Promise<Identity> {
  const { weights, tokenizer, config: _config, ...dimensions } = model.base;
  const accuracy = sweep.measure.includes('accuracy');
  const tests = model.tasks.map((task) => testsOf(task));
  const trained = model.tasks.map((task) => ({ ...task, fields: recordedFields(task.fields, taskFields) }));
  const files = model.data.flatMap(({ paths }) => paths);
  return {
    spec: await hashOf([model.name, model.parts.map(recordedPart), model.groups, trained, accuracy]),
    recipe: await hashOf(essenceOf(recipe)),
    data: await hashOf([
      model.data.map(({ name, format }) => [name, format]),
      tests,
      await keys([...files, ...(tokenizer === undefined ? [] : [tokenizer])]),
    ]),
    base: await hashOf([
      dimensions,
      await keys(weights === undefined ? [] : [weights]),
      await keys(model.parts.flatMap((part) => weightsFile(host.specs, part) ?? [])),
    ]),
  };
}

/** A function that gives one key for the contents of several files or folders; each is read once. */
function fileKeys(contentKey: ProjectHost['contentKey']): (paths: readonly string[]) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  const keyOf = (path: string): Promise<string> => {
    const key = known.get(path) ?? contentKey(path);
    known.set(path, key);
    return key;
  };
  return async (paths) => {
    const keys: string[] = [];
    for (const path of paths) keys.push(await keyOf(path));
    return sha256([keys.join(' ')]);
  };
}

async function hashOf(value: unknown): Promise<string> {
  const text = JSON.stringify(value, (key, inner: unknown) => (key === 'span' ? undefined : inner));
  return (await sha256([text])).slice(0, 12);
}
