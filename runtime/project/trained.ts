/** A base with the trained parts of a file in place, to be asked, merged or trained on. */
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { Model } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { ADAPTER_FORMAT, importAdapter } from '../weights/adapter.ts';
import {
  compareAttributes,
  type Difference,
  FILE_FINGERPRINT,
  requireSameAttributes,
  showDifferences,
} from '../weights/attributes.ts';
import { anotherBase, requireSameBase } from '../weights/fingerprint.ts';
import { listSome, type WeightSource } from '../weights/source.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { withChatTemplate } from './chat-attribute.ts';
import type { HostedModel } from './spec.ts';
import { withPartFiles } from './part-files.ts';
import { type Origin, type Start, type StartOptions, startOf } from './start.ts';

/** The option that goes on where attributes differ, in every command that reads an adapter. */
const CHANGES_OPTION = '--allow-changes';

export interface TrainedOptions {
  /** The tasks whose templates are used: theirs must be those of training. Default: none. */
  readonly tasks?: readonly string[];
  /** The base's, whose chat template must be that of training for tasks that use it. Default: it is not compared. */
  readonly tokenizer?: Tokenizer;
  /** Goes on where attributes differ from those of training, and says so. */
  readonly allowChanges?: boolean;
}

/** Parameters of a file, and the check of its base and encoders, which is made once those are read. */
type Taken = Required<Pick<StartOptions, 'initial' | 'requireOrigin'>>;

/** Where a model starts that is not to be trained: its parts from `adapter`, or as they are at first. */
export async function startTrained(
  hosted: HostedModel,
  adapter: string | null,
  options: TrainedOptions = {},
): Promise<Start> {
  return startOf(hosted, 0, adapter === null ? {} : await readAdapter(adapter, hosted, options));
}

/** What a training checkpoint of others holds for us: parts, and what of the base their spec trains, such as norms. */
function trainedNames({ parameters, tasks }: Model): ReadonlySet<string> {
  const trained = new Set(tasks.flatMap((task) => task.trains));
  return new Set(
    parameters.map(({ name, owner }) => (owner !== 'base' || trained.has(name) ? name : '')).filter(Boolean),
  );
}

/**
 * The numbers that a file has for a model, without the base that they belong to.
 * @throws InputError when they are of other attributes, or have no place in the model
 */
export const readTrained = async (
  path: string,
  hosted: HostedModel,
  options: TrainedOptions = {},
): Promise<ReadonlyMap<string, Float32Array>> => (await readAdapter(path, hosted, options)).initial;

async function readAdapter(
  path: string,
  { host, model }: HostedModel,
  { tasks = [], tokenizer, allowChanges = false }: TrainedOptions,
): Promise<Taken> {
  const { warn } = host;
  const source = await host.openWeights(path);
  try {
    const differences = compare(source, model, warn, tokenizer).filter(
      ({ of, owner }) => of !== 'task' || tasks.includes(owner),
    );
    tellOrRefuse(path, model, differences, allowChanges, warn);
    const wanted = isOurs(source) ? undefined : trainedNames(model);
    const { values, missing, unused, format } = await importAdapter(source, model, undefined, wanted);
    if (format === 'graft' && unused.length > 0) throw noPlace(source, model, unused);
    const absent = withoutOwnFile(model, missing);
    if (absent.length > 0) warn(`${path} has no ${listSome(absent)}: they keep their start`);
    return {
      initial: values,
      requireOrigin: (origin) => {
        requireSameBase(source, origin.base, model.base.name);
        tellOrRefuse(path, model, otherFiles(source, model, origin), allowChanges, warn);
      },
    };
  } finally {
    await source.close();
  }
}

const isOurs = ({ metadata }: WeightSource): boolean => metadata['format'] === ADAPTER_FORMAT;

/** The attributes in which the file differs from the model; says where the file states none. */
function compare(
  source: WeightSource,
  model: Model,
  warn: (text: string) => void,
  tokenizer?: Tokenizer,
): readonly Difference[] {
  const own = attributesOf(model);
  const { stated, differences } = compareAttributes(
    source,
    tokenizer ? withChatTemplate(own, tokenizer) : own,
  );
  if (!stated && isOurs(source))
    warn(
      `${source.name} does not state the attributes it was trained with, as files from before they were kept: only names and shapes could be compared with \`${model.name}\``,
    );
  return differences;
}

/** The parts that take their numbers from another file than in training. */
const otherFiles = (source: WeightSource, model: Model, origin: Origin): Difference[] =>
  compareAttributes(source, withPartFiles(attributesOf(model), model, origin)).differences.filter(
    ({ attribute }) => attribute === FILE_FINGERPRINT,
  );

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

export interface FromOptions {
  /** Goes on where the base or attributes differ from those of training, and says so. */
  readonly allowChanges: boolean;
  /** Whether the base starts from nothing: then the file's base does not matter, and what it lacks of it is told. */
  readonly scratch: boolean;
  /** As `TrainedOptions` has it. */
  readonly tokenizer?: Tokenizer;
}

/**
 * What a training takes from another file (`train --from`): its parameters wherever the model has them. Says what was
 * taken, what the model has no place for and what the file lacks. Other places and other templates are told, not
 * refused: they are what a second training is for.
 * @throws InputError for other attributes of parts that are in both, unless `allowChanges`; `requireOrigin` for another base or encoder
 */
export async function takeFrom(
  path: string,
  { host, model }: HostedModel,
  { scratch, allowChanges, tokenizer }: FromOptions,
): Promise<Taken> {
  const { warn } = host;
  const source = await host.openWeights(path);
  try {
    const differences = compare(source, model, warn, tokenizer);
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
    const requireOrigin = (origin: Origin): void => {
      tellOrRefuse(path, model, otherFiles(source, model, origin), allowChanges, warn);
      const another = scratch ? null : anotherBase(source, origin.base, model.base.name);
      if (another === null) return;
      if (!allowChanges)
        throw new InputError(
          another,
          `give a file that was trained on this base, or ${CHANGES_OPTION} to start from it all the same`,
        );
      warn(another);
    };
    return { initial: values, requireOrigin };
  } finally {
    await source.close();
  }
}
