/**
 * The checker: a spec to checked adapters, the last pass that may blame the user.
 *
 *   load       files and their imports, parsed
 *   scope      declarations by name, params, values of --set
 *   bases, data
 *   flatten    extends, override, drop
 *   adapters   parts (kinds, places, attributes, sources), prompts, groups, tasks, experts
 *   recipes, sweeps
 *
 * Every pass goes on after a mistake with whatever it could make sense of, so that one run reports them all.
 */
import type { AdapterDeclaration, RecipeDeclaration, SweepDeclaration } from '../../grammar/ast.ts';
import { sortDiagnostics, type Diagnostic } from '../../grammar/diagnostic.ts';
import type { Host } from '../host.ts';
import type { Base, DataSource } from '../model/model.ts';
import type { Sweep } from '../model/sweep.ts';
import { checkAdapter, type CheckedAdapter } from './adapters.ts';
import { readBase } from './bases.ts';
import { readData } from './data.ts';
import type { BaseEnv, Env, Report, Scope } from './env.ts';
import { flattenAdapter, type FlatAdapter } from './flatten.ts';
import { withoutFollowUps } from './follow-ups.ts';
import { type Loaded, loadFiles } from './load.ts';
import { otherRecipe, unknownDeclaration } from './diagnostics/declarations.ts';
import { readRecipe } from './recipes.ts';
import { collectScope } from './scope.ts';
import { type CheckWith, readSweep } from './sweeps.ts';

export type { CheckedAdapter } from './adapters.ts';

export interface CheckOptions {
  /** Stands in for the base of every adapter. */
  readonly base?: Base;
  /** Values of params, as `--set` takes them: `{ late: 'last 2' }`. */
  readonly params?: Readonly<Record<string, string>>;
  /** Sweeps are left alone: what a trial of one is checked with. */
  readonly withoutSweeps?: boolean;
  /** This adapter alone is checked: with other values of params, others may make no sense. */
  readonly adapter?: string;
  /** Takes the place of checking: an editor knows what became of pieces that did not change. */
  readonly remember?: Remember;
}

/** Checks an adapter or a sweep, or gives and reports what came of it when it was checked before. */
export type Remember = <T>(
  piece: AdapterDeclaration | SweepDeclaration,
  around: { readonly scope: Scope; readonly bases: ReadonlyMap<string, Base | null> },
  check: (report: Report) => T,
  report: Report,
) => T;

const checkAlways: Remember = (_piece, _around, check, report) => check(report);

export interface Checked {
  readonly path: string;
  /** False when the spec itself could not be read. */
  readonly found: boolean;
  /** By file and place. */
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by file name, for showing diagnostics; values of `--set` are there as files too. */
  readonly sources: ReadonlyMap<string, string>;
  /** Every base that is declared or imported, as far as it makes sense. */
  readonly bases: Readonly<Record<string, Base>>;
  /** Empty when there are errors. Imported adapters come first; those of the spec itself are last. */
  readonly adapters: Readonly<Record<string, CheckedAdapter>>;
  /** Empty when there are errors; those of the spec itself are last. */
  readonly sweeps: Readonly<Record<string, Sweep>>;
  /** Every adapter that stands on a base, with whatever of it makes sense, errors or not: what an editor shows. */
  readonly subjects: ReadonlyMap<string, Subject>;
}

/** What is known of one adapter while its recipes and sweeps are checked. */
export interface Subject {
  readonly env: BaseEnv;
  readonly flat: FlatAdapter;
  readonly adapter: CheckedAdapter;
}

/** Checks a spec. Warnings and errors are in `diagnostics`; with an error there are no `adapters`. */
export function checkSpec(path: string, host: Host, options: CheckOptions = {}): Checked {
  const loaded = loadFiles(path, host);
  if (loaded !== null) return checkLoaded(loaded, path, host, options);
  return {
    ...{ path, found: false, diagnostics: [], sources: new Map() },
    ...{ bases: {}, adapters: {}, sweeps: {}, subjects: new Map() },
  };
}

/** Checks a spec whose files were read before. */
export function checkLoaded(loaded: Loaded, path: string, host: Host, options: CheckOptions = {}): Checked {
  const { remember = checkAlways } = options;
  const diagnostics: Diagnostic[] = [...loaded.diagnostics];
  const report = (d: Diagnostic): number => diagnostics.push(d);
  const { scope, env, bases, subjects } = readAdapters(loaded, host, options, report, options.adapter);
  for (const recipe of scope.recipes.values())
    if (options.adapter === undefined || subjects.has(recipe.adapter.text))
      checkRecipe(env, recipe, subjects);
  // What is imported was checked where it was written.
  const own = [...scope.sweeps.values()].filter((sweep) => sweep.span.file === path);
  const swept = options.withoutSweeps === true ? [] : own;
  const sweeps = swept.flatMap((sweep) => {
    const checker = checkerOf(loaded, host, options, sweep, bases);
    return (
      remember(
        sweep,
        { scope, bases },
        (to) => readSweepOf({ scope, report: to }, sweep, subjects, checker),
        report,
      ) ?? []
    );
  });
  return {
    path,
    found: true,
    diagnostics: sortDiagnostics(withoutFollowUps(diagnostics, loaded.sources)),
    sources: loaded.sources,
    bases: Object.fromEntries([...bases].flatMap(([name, base]) => (base === null ? [] : [[name, base]]))),
    adapters: diagnostics.some(isError) ? {} : withRecipes(scope, subjects),
    sweeps: diagnostics.some(isError) ? {} : Object.fromEntries(sweeps.map((sweep) => [sweep.name, sweep])),
    subjects,
  };
}

/** Everything up to the adapters. */
interface Reading {
  readonly scope: Scope;
  readonly env: Env;
  readonly bases: ReadonlyMap<string, Base | null>;
  readonly subjects: ReadonlyMap<string, Subject>;
}

/** Reads all adapters, or the one of this name alone. `before`: bases of another reading of the same files. */
function readAdapters(
  loaded: Loaded,
  host: Host,
  options: CheckOptions,
  report: Report,
  only?: string,
  before?: Reading['bases'],
): Reading {
  const { remember = checkAlways } = options;
  const scope = collectScope(loaded.files, options.params ?? {}, loaded.sources, report);
  const env: Env = { scope, report };
  const bases = mapValues(scope.bases, (d) => asBefore(readBase(env, d, host), before?.get(d.name.text)));
  const data = mapValues(scope.data, (d) => readData(env, d, host));
  const subjects = new Map<string, Subject>();
  for (const declaration of scope.adapters.values()) {
    if (only !== undefined && declaration.name.text !== only) continue;
    // What is imported was checked where it was written; here only what is wrong with it for good counts.
    const own = declaration.span.file === loaded.files.at(-1)?.file;
    const check = (to: Report): Subject | null => {
      const adapterEnv: Env = { scope, report: (d) => (own || isError(d)) && to(d) };
      return readAdapter(adapterEnv, declaration, { bases, data, host, options });
    };
    const subject = remember(declaration, { scope, bases }, check, report);
    if (subject !== null) subjects.set(declaration.name.text, subject);
  }
  return { scope, env, bases, subjects };
}

/** The base of before where it is the same: its places and parameters are known by it. */
const asBefore = (base: Base | null, before: Base | null = null): Base | null =>
  before !== null && JSON.stringify(base) === JSON.stringify(before) ? before : base;

/**
 * The errors that a sweep's adapter and recipe have with other values of params. Null on another base than the spec's: a
 * sweep's layers are meant for that one, and what does not fit another is a failed trial.
 */
function checkerOf(
  loaded: Loaded,
  host: Host,
  options: CheckOptions,
  sweep: SweepDeclaration,
  bases: Reading['bases'],
): CheckWith | null {
  if (options.base !== undefined) return null;
  return (params) => {
    const errors: Diagnostic[] = [];
    const report: Report = (d) => isError(d) && errors.push(d);
    const given = { ...options, params: { ...options.params, ...params }, remember: checkAlways };
    const apart = { ...loaded, sources: new Map(loaded.sources) };
    const { scope, env, subjects } = readAdapters(apart, host, given, report, sweep.adapter.text, bases);
    const [recipe, subject] = [scope.recipes.get(sweep.recipe.text), subjects.get(sweep.adapter.text)];
    if (recipe !== undefined && subject !== undefined) readRecipe(env, recipe, taskNames(subject));
    return errors;
  };
}

const isError = (d: Diagnostic): boolean => d.severity === 'error';

const mapValues = <A, B>(map: ReadonlyMap<string, A>, f: (value: A) => B): Map<string, B> =>
  new Map([...map].map(([key, value]) => [key, f(value)]));

/** What an adapter may refer to, and where its files are. */
interface Known {
  readonly bases: ReadonlyMap<string, Base | null>;
  readonly data: ReadonlyMap<string, DataSource | null>;
  readonly host: Host;
  readonly options: CheckOptions;
}

function readAdapter(
  env: Env,
  declaration: AdapterDeclaration,
  { bases, data, host, options }: Known,
): Subject | null {
  const flat = flattenAdapter(env, declaration);
  if (flat === null) return null;
  const written = bases.get(flat.base.text);
  if (written === undefined) env.report(unknownDeclaration(flat.base, 'base', [...bases.keys()]));
  const base = options.base ?? written ?? null;
  if (base === null) return null;
  const baseEnv: BaseEnv = { ...env, base };
  return { env: baseEnv, flat, adapter: checkAdapter(baseEnv, declaration, flat, data, host) };
}

/** Tasks as they are written: one with a mistake in it still has a name that a recipe may use. */
const taskNames = ({ flat }: Subject): string[] =>
  flat.items.filter((i) => i.kind === 'task').map((i) => i.name.text);

function checkRecipe(env: Env, recipe: RecipeDeclaration, subjects: ReadonlyMap<string, Subject>): void {
  const { adapter } = recipe;
  const { adapters } = env.scope;
  if (!adapters.has(adapter.text) && adapter.text !== '')
    env.report(unknownDeclaration(adapter, 'adapter', [...adapters.keys()]));
  const subject = subjects.get(adapter.text);
  if (subject !== undefined) readRecipe(env, recipe, taskNames(subject));
}

function readSweepOf(
  env: Env,
  sweep: SweepDeclaration,
  subjects: ReadonlyMap<string, Subject>,
  checkWith: CheckWith | null,
): Sweep | null {
  const { adapters, recipes } = env.scope;
  const recipe = recipes.get(sweep.recipe.text);
  if (!adapters.has(sweep.adapter.text) && sweep.adapter.text !== '')
    env.report(unknownDeclaration(sweep.adapter, 'adapter', [...adapters.keys()]));
  if (recipe === undefined && sweep.recipe.text !== '')
    env.report(unknownDeclaration(sweep.recipe, 'recipe', [...recipes.keys()]));
  const subject = subjects.get(sweep.adapter.text);
  if (subject === undefined) return null;
  if (recipe !== undefined && !subject.flat.chain.includes(recipe.adapter.text))
    env.report(otherRecipe(sweep.recipe, recipe.adapter.text, sweep.adapter.text));
  return readSweep({ ...env, base: subject.env.base }, sweep, checkWith);
}

/** A recipe serves its adapter, and every adapter that extends it and still has its tasks. */
function withRecipes(scope: Scope, subjects: ReadonlyMap<string, Subject>): Record<string, CheckedAdapter> {
  const silent: Env = { scope, report: () => undefined };
  const complete = ({ adapter, flat }: Subject): CheckedAdapter => {
    const mine = [...scope.recipes.values()].filter((r) => flat.chain.includes(r.adapter.text));
    const tasks = adapter.tasks.map((t) => t.name);
    return { ...adapter, recipes: mine.flatMap((r) => readRecipe(silent, r, tasks) ?? []) };
  };
  return Object.fromEntries([...subjects].map(([name, subject]) => [name, complete(subject)]));
}
