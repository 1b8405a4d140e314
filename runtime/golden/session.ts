/** What every golden check needs: the case's weights on the device, batches, and outputs without padding. */
import type { Compiled } from '../../compiler/compile.ts';
import { kindOfPart } from '../../compiler/kinds/index.ts';
import { ceil4, type Model, padded } from '../../compiler/model/model.ts';
import type { NamedSlice, PackagedParameter } from '../../compiler/package/package.ts';
import { IGNORE } from '../data/encode.ts';
import type { Device } from '../device/device.ts';
import { padFeatures, patchImages } from '../images/features.ts';
import { initParameter } from '../random.ts';
import { openSession, readParameter, type Session, writeParameter } from '../session.ts';
import type { MicroBatch } from '../train/batch.ts';
import type { GoldenConfig, Tensors } from './case.ts';
import {
  BOUNDS,
  type Figure,
  PARAMETER_BOUND,
  parameterDifference,
  relativeDifference,
  type Report,
} from './compare.ts';
import { type Subject, valuesOf } from './subject.ts';

/** Parts that a case does not have yet (the biases of stage 1) keep their start, which changes nothing. */
export const startValues =
  (keys: Subject['keys'], weights: Tensors) =>
  (p: PackagedParameter): Float32Array =>
    valuesOf(keys, weights, p.name) ?? initParameter(p.init, p, 0);

export const open = (
  device: Device,
  compiled: Compiled,
  keys: Subject['keys'],
  weights: Tensors,
): Promise<Session> =>
  openSession(
    device,
    { manifest: compiled.manifest, shaders: Object.fromEntries(compiled.sources) },
    startValues(keys, weights),
  );

/** Writes the case's weights again, after training changed them. */
export function restore(session: Session, keys: Subject['keys'], weights: Tensors): void {
  for (const p of session.manifest.parameters)
    if (p.cell !== null) writeParameter(session, p, startValues(keys, weights)(p));
}

export interface Inputs {
  readonly batch: MicroBatch;
  readonly rows: readonly (readonly number[])[];
}

export function inputsOf(inputs: Tensors, config: GoldenConfig, model: Model): Inputs {
  const [tokens, labels] = [inputs.get('tokens'), inputs.get('labels')];
  if (!tokens || !labels) throw new Error('internal error: the case has no tokens or labels');
  const [count = 0, length = 0] = tokens.shape;
  const rows = Array.from({ length: count }, (_, b) => [
    ...tokens.values.subarray(b * length, (b + 1) * length),
  ]);
  const image = imagesOf(inputs, config, model);
  return {
    rows,
    batch: { ...makeBatch(rows, [...labels.values], config.ignore_index), ...(image ? { image } : {}) },
  };
}

/** Pictures as patches, or features; null where the case has none that its spec looks at. */
export function imagesOf(inputs: Tensors, config: GoldenConfig, model: Model): Float32Array | null {
  if (!model.parts.some((part) => kindOfPart(part).hooks.image)) return null;
  const [image, features] = [inputs.get('image'), inputs.get('features')];
  if (features) return padFeatures(features.values, features.shape[1] ?? 1);
  const patch = config.clip?.patch_size ?? config.patch_size;
  return image && patch ? patchImages(image.values, image.shape[3] ?? 0, patch) : null;
}

/** Labels shifted by one: what each position must predict. */
export function makeBatch(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  ignore: number,
): MicroBatch {
  const length = rows[0]?.length ?? 0;
  const shifted = Uint32Array.from({ length: rows.length * length }, (_, i) => {
    const next = i % length === length - 1 ? ignore : labels[i + 1];
    return next === ignore || next === undefined ? IGNORE : next;
  });
  const labelled = shifted.filter((label) => label !== IGNORE).length;
  return { tokens: Uint32Array.from(rows.flat()), labels: shifted, labelled };
}

/** An output without the padding of its axis. */
export async function readOutput(session: Session, output: NamedSlice): Promise<Float32Array> {
  const all = await session.executor.read(output);
  const { groups, size } = output.axis;
  const [width, stride] = [padded(output.axis), ceil4(size)];
  const values = new Float32Array(output.rows * groups * size);
  for (let r = 0; r < output.rows; r++)
    for (let g = 0; g < groups; g++)
      values.set(
        all.subarray(r * width + g * stride, r * width + g * stride + size),
        (r * groups + g) * size,
      );
  return values;
}

/** Gradients of the parameters that a file of the case has. */
export async function compareGradients(
  session: Session,
  keys: Subject['keys'],
  expected: Tensors,
  report: Report,
  prefix = '',
  only?: ReadonlySet<string>,
): Promise<void> {
  for (const p of session.manifest.parameters) {
    const wanted = p.cell !== null && (only?.has(p.name) ?? true);
    const values = wanted ? valuesOf(keys, expected, p.name, prefix) : null;
    // A key's bias has no gradient (a softmax ignores a shift), so what is there is rounding on both sides.
    if (values && !isNoise(p.name))
      report.add(
        'gradients',
        relativeDifference(await readParameter(session, p, 'gradients'), values),
        BOUNDS.gradient,
        p.name,
      );
  }
}

/** The bias of a block's keys in a projector: its true gradient is 0. */
const isNoise = (name: string): boolean => name.endsWith('.attn.k.bias');

/** Trained parameters after some steps. Outliers are counted over the set, since 0.1 % of a short vector is none. */
export async function compareParameters(
  session: Session,
  keys: Subject['keys'],
  trained: readonly string[],
  expected: Tensors,
  lr: number,
  report: Report,
  figure: Figure = 'parameters',
  prefix = '',
): Promise<void> {
  const [actual, wanted]: [number[], number[]] = [[], []];
  const names = new Set(trained);
  for (const p of session.manifest.parameters) {
    const values = names.has(p.name) && !isNoise(p.name) ? valuesOf(keys, expected, p.name, prefix) : null;
    if (!values) continue;
    for (const value of await readParameter(session, p)) actual.push(value);
    for (const value of values) wanted.push(value);
  }
  const difference = parameterDifference(Float32Array.from(actual), Float32Array.from(wanted), lr);
  report.add(figure, difference, PARAMETER_BOUND, 'trained parameters, in learning rates');
}
