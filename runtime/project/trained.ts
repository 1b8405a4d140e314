/** A base with the trained parts of a file in place, to be asked, merged or trained on. */
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { Model } from '../../compiler/model/model.ts';
import { openWeights } from '../files.ts';
import { InputError } from '../input-error.ts';
import { ADAPTER_FORMAT, importAdapter, type LoadedAdapter } from '../weights/adapter.ts';
import {
  compareAttributes,
  type Difference,
  requireSameAttributes,
  showDifferences,
} from '../weights/attributes.ts';
import { anotherBase, requireSameBase } from '../weights/fingerprint.ts';
import { listSome, type WeightSource } from '../weights/source.ts';
import { type Start, startOf } from './open.ts';

/** The option that goes on where attributes differ, in every command that reads an adapter. */
export const CHANGES_OPTION = '--allow-changes';

export interface TrainedOptions {
  /** The tasks whose templates are used: theirs must be those of training. Default: none. */
  readonly tasks?: readonly string[];
  /** Goes on where attributes differ from those of training, and says so. */
  readonly allowChanges?: boolean;
  /** Takes what somebody has to know; by default it goes to standard error. */
  readonly warn?: (text: string) => void;
}

/** A start with numbers of a file in place of those of the base and of the seed. */
export interface TrainedStart extends Start {
  /** The values without those of the file. */
  readonly before: Start['values'];
  /** Those of the file. */
  readonly taken: LoadedAdapter['values'];
}

const toErrors = (text: string): void => console.error(text);

/** Where a model starts that is not to be trained: its parts from `adapter`, or as they are at first. */
export async function startTrained(
  model: Model,
  adapter: string | null,
  options: TrainedOptions = {},
): Promise<TrainedStart> {
  return startWith(model, { seed: 0, scratch: false }, ({ fingerprint }) =>
    adapter === null ? new Map() : readAdapter(adapter, model, fingerprint, options),
  );
}

/** Opens the base once, and puts what `read` finds in its place. */
async function startWith(
  model: Model,
  { seed, scratch }: { readonly seed: number; readonly scratch: boolean },
  read: (base: Start) => LoadedAdapter['values'] | Promise<LoadedAdapter['values']>,
): Promise<TrainedStart> {
  const start = await startOf(model, seed, { scratch });
  try {
    const taken = await read(start);
    return { ...start, before: start.values, taken, values: (p) => taken.get(p.name) ?? start.values(p) };
  } catch (error) {
    await start.close();
    throw error;
  }
}

/** What a training checkpoint of others holds for us: parts, and what of the base their spec trains, such as norms. */
function trainedNames({ parameters, tasks }: Model): ReadonlySet<string> {
  const trained = new Set(tasks.flatMap((task) => task.trains));
  return new Set(
    parameters.map(({ name, owner }) => (owner !== 'base' || trained.has(name) ? name : '')).filter(Boolean),
  );
}

async function readAdapter(
  path: string,
  model: Model,
  fingerprint: string,
  { tasks = [], allowChanges = false, warn = toErrors }: TrainedOptions,
): Promise<LoadedAdapter['values']> {
  const source = await openWeights(path);
  try {
    requireSameBase(source, fingerprint, model.base.name);
    const differences = compare(source, model, warn).filter(
      ({ of, owner }) => of !== 'task' || tasks.includes(owner),
    );
    tellOrRefuse(path, model, differences, allowChanges, warn);
    const wanted = isOurs(source) ? undefined : trainedNames(model);
    const { values, missing, unused, family } = await importAdapter(source, model, fingerprint, wanted);
    if (family === 'graft' && unused.length > 0) throw noPlace(source, model, unused);
    const absent = withoutOwnFile(model, missing);
    if (absent.length > 0) warn(`${path} has no ${listSome(absent)}: they keep their start`);
    return values;
  } finally {
    await source.close();
  }
}

const isOurs = ({ metadata }: WeightSource): boolean => metadata['format'] === ADAPTER_FORMAT;

/** The attributes in which the file differs from the model; says where the file states none. */
function compare(source: WeightSource, model: Model, warn: (text: string) => void): readonly Difference[] {
  const { stated, differences } = compareAttributes(source, attributesOf(model));
  if (!stated && isOurs(source))
    warn(
      `${source.name} does not state the attributes it was trained with, as files from before they were kept: only names and shapes could be compared with \`${model.name}\``,
    );
  return differences;
}

function tellOrRefuse(
  path: string,
  model: Model,
  differences: readonly Difference[],
  allowed: boolean,
  warn: (text: string) => void,
): void {
  if (differences.length === 0) return;
  if (!allowed)
    requireSameAttributes(
      path,
      model.name,
      differences,
      `write the spec as it was when this file was trained, or go on all the same with ${CHANGES_OPTION}`,
    );
  warn(
    `${path} was trained with other attributes than \`${model.name}\` has:${showDifferences(differences)}`,
  );
}

function noPlace(source: WeightSource, model: Model, unused: readonly string[]): InputError {
  const trainedAs = source.metadata['adapter'];
  return new InputError(
    `${source.name} ${trainedAs === undefined ? 'is no adapter' : `was trained as \`${trainedAs}\``}: \`${model.name}\` has no place for ${listSome(unused)}`,
    'give the spec and the adapter it was trained with',
  );
}

/** Without those of an encoder or a projector that has a file of its own, which adapter files leave out. */
function withoutOwnFile(model: Model, names: readonly string[]): string[] {
  const own = new Set(
    model.parameters
      .filter(({ init, owner }) => init.kind === 'weights' && owner !== 'base')
      .map(({ name }) => name),
  );
  return names.filter((name) => !own.has(name));
}

export interface FromOptions extends Omit<TrainedOptions, 'tasks'> {
  readonly seed: number;
  /** Whether the base starts from nothing: then the file's base does not matter, and what it lacks of it is told. */
  readonly scratch: boolean;
}

/**
 * Where a training starts (`train --from`): at the parameters of a file wherever the model has them. Says what was
 * taken, what the model has no place for and what the file lacks. Other places and other templates are told, not
 * refused: they are what a second training is for.
 * @throws InputError for another base and for other attributes of parts that are in both, unless `allowChanges`
 */
export const startFrom = (path: string, model: Model, options: FromOptions): Promise<TrainedStart> =>
  startWith(model, options, ({ fingerprint }) => readFrom(path, model, fingerprint, options));

async function readFrom(
  path: string,
  model: Model,
  fingerprint: string,
  { scratch, allowChanges = false, warn = toErrors }: FromOptions,
): Promise<LoadedAdapter['values']> {
  const source = await openWeights(path);
  try {
    if (!scratch) {
      const another = anotherBase(source, fingerprint, model.base.name);
      if (another !== null && !allowChanges)
        throw new InputError(
          another,
          `give a file that was trained on this base, or ${CHANGES_OPTION} to start from it all the same`,
        );
      if (another !== null) warn(another);
    }
    const differences = compare(source, model, warn);
    const grave = differences.filter(({ of, attribute }) => of !== 'task' && attribute !== 'on');
    tellOrRefuse(path, model, grave, allowChanges, warn);
    tellOrRefuse(
      path,
      model,
      differences.filter((one) => !grave.includes(one)),
      true,
      warn,
    );
    const every = new Set(model.parameters.map(({ name }) => name));
    const { values, missing, unused } = await importAdapter(source, model, undefined, every);
    const ofBase = new Set(model.parameters.filter(({ owner }) => owner === 'base').map(({ name }) => name));
    const absent = withoutOwnFile(
      model,
      missing.filter((name) => scratch || !ofBase.has(name)),
    );
    warn(`${path}: ${values.size} parameters of \`${model.name}\` start as they are in it`);
    if (unused.length > 0) warn(`${path}: \`${model.name}\` has no place for ${listSome(unused)}: left out`);
    if (absent.length > 0) warn(`${path} has no ${listSome(absent)}: they keep their start`);
    return values;
  } finally {
    await source.close();
  }
}
