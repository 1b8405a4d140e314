/**
 * Loading a frozen base: every parameter the model takes from the base's file, checked, in our order of rows.
 */
import type { Base, Parameter } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { fingerprintBase } from './fingerprint.ts';
import { isFloat } from './dtypes.ts';
import { foreignTensors, undeclaredBiases } from './foreign.ts';
import { nameIn, recogniseNames, type Naming } from './names.ts';
import { reorderRope } from './rope.ts';
import { sameShape, showShape, type ReadOptions, type WeightSource } from './source.ts';

/** What loading needs to know of a parameter; `Model.parameters` and `Manifest.parameters` both have it. */
export type BaseParameter = Pick<Parameter, 'name' | 'shape' | 'init' | 'source'>;

const BASE_FORMAT = 'graft-base/1';

/** Which tensor of the file each parameter comes from. Made by `planBase`, which has checked all of it. */
export interface BasePlan {
  readonly reads: readonly { readonly parameter: BaseParameter; readonly tensor: string }[];
  /** Tensors of the file that nothing asked for, such as those of an adapter. */
  readonly unexpected: readonly string[];
  readonly naming: Naming;
}

/**
 * Matches the parameters whose init is `weights` with the tensors of a file; reads no values.
 * @throws InputError listing every tensor that is missing or has another shape, with what was expected and found
 */
export function planBase(source: WeightSource, base: Base, parameters: Iterable<BaseParameter>): BasePlan {
  const wanted = [...parameters].filter(({ init }) => init.kind === 'weights');
  const naming = recogniseNames(source.tensors.keys(), wanted, source.metadata);
  const reads: { parameter: BaseParameter; tensor: string }[] = [];
  const problems: string[] = [];
  for (const parameter of wanted) {
    const tensor = naming.names.get(parameter.name);
    if (tensor === undefined) {
      problems.push(`missing: \`${parameter.name}\` ${showShape(parameter.shape)}`);
      continue;
    }
    const { shape: found, dtype } = source.tensors.get(tensor)!;
    if (!isFloat(dtype))
      problems.push(
        `\`${tensor}\` holds whole numbers (${dtype}), as of a quantised model: convert it to F16 or F32`,
      );
    const needed = shapeIn(naming, parameter);
    if (!sameShape(found, needed))
      problems.push(
        `\`${tensor}\` is ${showShape(found)}, the base \`${base.name}\` needs ${showShape(needed)}`,
      );
    reads.push({ parameter, tensor });
  }
  problems.push(...foreignTensors(base, naming, wanted, isWhole(source, naming)));
  if (problems.length > 0) throw mismatch(source, base, [...new Set(problems)], advise(base, naming, wanted));
  return { reads, unexpected: naming.others, naming };
}

/** The shape of the tensor that holds a parameter, or holds it beside others. */
export const shapeIn = (
  { style }: Pick<Naming, 'style'>,
  { shape, source }: BaseParameter,
): readonly number[] =>
  style === 'huggingface' && source?.rows ? [source.rows.of, ...shape.slice(1)] : shape;

/** Whether a file is a base and nothing else, as its names or its metadata say. */
const isWhole = ({ metadata }: WeightSource, { style }: Naming): boolean =>
  style === 'huggingface' || metadata['format'] === BASE_FORMAT;

function mismatch(source: WeightSource, base: Base, problems: readonly string[], advice: string): InputError {
  const shown = problems.slice(0, 8).map((problem) => `\n  ${problem}`);
  if (problems.length > 8) shown.push(`\n  and ${problems.length - 8} more`);
  return new InputError(`${source.name} does not hold the base \`${base.name}\`:${shown.join('')}`, advice);
}

function advise(base: Base, naming: Naming, parameters: readonly BaseParameter[]): string {
  if (naming.names.size === 0) {
    const seen = naming.others.slice(0, 3).join(', ');
    return `its names are neither Meta's nor Hugging Face's (${seen}, ...): convert it to one of them`;
  }
  if (!base.tied && !naming.names.has('output.weight') && naming.names.has('tok_embeddings.weight')) {
    return 'it has no output head: write `tied = true` in the base if the embedding is the head';
  }
  const biases = undeclaredBiases(naming, parameters);
  if (biases.length > 0)
    return `write \`biases = [${[...(base.biases ?? []), ...biases].join(', ')}]\` in the base`;
  const others = naming.others.slice(0, 3);
  return `compare the base's sizes with the model's config${others.length > 0 ? `; the file also has ${others.join(', ')}` : ''}`;
}

/** Reads one parameter, its rows in the order the base declares. Row-major, in the shape of `parameter`. */
export async function readBaseParameter(
  source: WeightSource,
  base: Base,
  plan: BasePlan,
  read: BasePlan['reads'][number],
  options: ReadOptions = {},
): Promise<Float32Array> {
  const { shape, source: of } = read.parameter;
  const all = await source.read(read.tensor, options);
  const rows = plan.naming.style === 'huggingface' ? of?.rows : undefined;
  const width = shape[1] ?? 1;
  const own = rows ? all.slice(rows.from * width, rows.to * width) : all;
  const offset = plan.naming.style === 'huggingface' ? (of?.offset ?? 0) : 0;
  const values = offset === 0 ? own : own.map((value) => value + offset);
  if (of?.rowOrder !== 'rotary') return values;
  return reorderRope(values, base.headDim, width, plan.naming.rope, base.rope.style, base.rope.size);
}

/**
 * Compares the tensors that a base declares to be one, the embedding and the head, where the file holds both.
 * @throws InputError when their numbers differ: the file's model has a head of its own
 */
export async function requireTied(source: WeightSource, base: Base, plan: BasePlan): Promise<void> {
  for (const { parameter, tensor } of plan.reads) {
    const twin = parameter.source?.twin;
    if (twin === undefined) continue;
    const name = nameIn(plan.naming, twin);
    if (!source.tensors.has(name)) continue;
    const [one, other] = [await source.read(tensor), await source.read(name)];
    if (one.length === other.length && one.every((value, i) => value === other[i])) continue;
    throw new InputError(
      `${source.name} has a head of its own, \`${name}\`, whose numbers are not those of \`${tensor}\`; the base \`${base.name}\` says \`tied = true\``,
      'write `tied = false` in the base',
    );
  }
}

export interface LoadedBase {
  /** Our name -> values in file order, row-major. */
  readonly values: Map<string, Float32Array>;
  readonly unexpected: readonly string[];
  /** See `fingerprintBase`. */
  readonly fingerprint: string;
}

/**
 * Loads every base parameter into memory. For a base too large for that, walk `planBase(...).reads` instead.
 * @throws InputError as `planBase` does, and for values that are not finite
 */
export async function loadBase(
  source: WeightSource,
  base: Base,
  parameters: Iterable<BaseParameter>,
): Promise<LoadedBase> {
  const plan = planBase(source, base, parameters);
  await requireTied(source, base, plan);
  const values = new Map<string, Float32Array>();
  for (const read of plan.reads) {
    values.set(read.parameter.name, await readBaseParameter(source, base, plan, read, { checkFinite: true }));
  }
  const tensors = plan.reads.map(({ parameter: { name, shape } }) => ({
    name,
    shape,
    values: values.get(name)!,
  }));
  return { values, unexpected: plan.unexpected, fingerprint: await fingerprintBase(tensors) };
}

/**
 * Metadata of a base that Graft trained itself, for `layoutSafetensors`: its names are Meta's, and the order of the
 * rows of wq and wk, which Meta's names alone do not tell, is stated.
 */
export const baseMetadata = (base: Pick<Base, 'name' | 'rope'>): Record<string, string> => ({
  format: BASE_FORMAT,
  base: base.name,
  rope: base.rope.style,
});
