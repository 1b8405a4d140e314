/** A package on a device with its weights in place: what training, scoring and generating start from. */
import { invariant } from '../grammar/invariant.ts';
import { constantValues } from '../compiler/package/constants.ts';
import type {
  Manifest,
  NamedSlice,
  PackagedParameter,
  Program,
  Purpose,
  Slice,
} from '../compiler/package/package.ts';
import { programName } from '../compiler/package/programs.ts';
import { type Device, DeviceError } from './device/device.ts';
import { createExecutor, type Executor, type ShaderSource } from './device/execute.ts';
import { requireFit } from './device/fit.ts';
import { fromDevice, toDevice } from './weights/stored.ts';

/** A package as the compiler leaves it or as it was read from a folder. */
export interface Package {
  readonly manifest: Manifest;
  readonly shaders: ShaderSource;
}

/** Bytes of weights on their way to the device at once. */
const MOST_UNFINISHED = 128 * 1024 * 1024;

/** Values of one parameter in file order (see pack.ts), asked for one at a time. */
export type ParameterValues = (parameter: PackagedParameter) => Float32Array | Promise<Float32Array>;

/** The four copies a trained parameter has. */
export type Copy = 'parameters' | 'gradients' | 'accumulated' | 'first' | 'second';

export interface Session {
  readonly executor: Executor;
  readonly manifest: Manifest;
  /** Counts changes of parameters: whoever caches something made from them compares it. */
  readonly version: { count: number };
}

/** Allocates, compiles, and fills weights, parameters and constants. Throws before allocating when it cannot fit. */
export async function openSession(device: Device, pkg: Package, values: ParameterValues): Promise<Session> {
  const { manifest } = pkg;
  requireProfile(device, manifest);
  requireFit(manifest, device);
  const executor = await createExecutor(device, manifest, pkg.shaders);
  for (const constant of manifest.constants)
    executor.write(constant.slice, constantValues(constant, manifest));
  const session = { executor, manifest, version: { count: 0 } };
  let unfinished = 0;
  for (const parameter of manifest.parameters) {
    writeParameter(session, parameter, await values(parameter));
    unfinished += parameter.slice.size;
    // What was written stays in the host's memory until the device has taken it.
    if (unfinished < MOST_UNFINISHED) continue;
    await device.check();
    unfinished = 0;
  }
  return session;
}

/** Kernels for subgroups count on their size, and would compute nonsense with another: refused, not tried. */
function requireProfile({ adapter, features }: Device, { name, profile }: Manifest): void {
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter;
  const wanted = profile.subgroup;
  const fixed = features.has('subgroups') ? [least, most] : [];
  if (wanted === null || (fixed.length > 0 && fixed.every((size) => size === wanted))) return;
  const found =
    fixed.length === 0
      ? 'has no subgroups'
      : `has subgroups of ${least === most ? least : `${least} to ${most}`}`;
  throw new DeviceError(
    'validation',
    `the package \`${name}\` is compiled for subgroups of ${wanted}; this device ${found}: ` +
      'build it again with `graft build SPEC --profile gpu`, which runs on any device',
  );
}

export function parameterNamed(session: Session, name: string): PackagedParameter {
  const parameter = session.manifest.parameters.find((p) => p.name === name);
  invariant(parameter, `the package has no parameter ${name}`);
  return parameter;
}

/** Replaces a parameter, or one of its moments; `values` in file order. */
export function writeParameter(
  session: Session,
  p: PackagedParameter,
  values: Float32Array,
  copy: Copy = 'parameters',
): void {
  session.version.count++;
  const { buffer, offset, size } = sliceOf(p, copy);
  for (const piece of toDevice(p, values))
    session.executor.write({ buffer, offset: offset + piece.offset, size: size - piece.offset }, piece.words);
}

/** A parameter, its gradient or a moment of it, in file order; of a stored one the numbers that kernels read. */
export async function readParameter(
  session: Session,
  p: PackagedParameter,
  copy: Copy = 'parameters',
): Promise<Float32Array> {
  return fromDevice(p, await session.executor.read(sliceOf(p, copy)));
}

const sliceOf = (p: PackagedParameter, copy: Copy): Slice =>
  p.cell === null ? p.slice : { ...p.slice, buffer: copy };

/** The program that is for this. */
export const programFor = (session: Session, purpose: Purpose): Program =>
  session.executor.program(programName(purpose));

export function inputNamed(program: Program, name: string): NamedSlice {
  const input = program.inputs.find((slice) => slice.name === name);
  invariant(input, `program ${program.name} has no input ${name}`);
  return input;
}

export function outputNamed(program: Program, name: string): NamedSlice {
  const output = program.outputs.find((slice) => slice.name === name);
  invariant(output, `program ${program.name} has no output ${name}`);
  return output;
}

/** Positions 0, 1, 2, ... of every sequence, prepended vectors included. */
export function writePositions(session: Session, program: Program): void {
  const length = program.prepended + program.tokens;
  const positions = Uint32Array.from({ length: program.batch * length }, (_, i) => i % length);
  session.executor.write(inputNamed(program, 'positions'), positions);
}
