/** Tiny models on the device that all tests share. */
import { compile, type CompileOptions } from '../../compiler/compile.ts';
import type { Model } from '../../compiler/model/model.ts';
import { invariant } from '../../grammar/invariant.ts';
import { type Device, DeviceError, sharedDevice } from '../../runtime/device/device.ts';
import { openSession, outputNamed, type Session, writePositions, inputNamed } from '../../runtime/session.ts';
import { writeImages } from '../../runtime/train/batch.ts';
import { makeTrainer, type Trainer } from '../../runtime/train/trainer.ts';
import { padded } from '../../compiler/model/model.ts';
import { skip } from '../skip.ts';

/** Runs with the shared device; where there is none the test is skipped and counted as such. */
export async function withDevice(run: (device: Device) => Promise<void>): Promise<void> {
  let device: Device;
  try {
    device = await sharedDevice();
  } catch (error) {
    if (error instanceof DeviceError && error.fault === 'unavailable') return skip('no device');
    throw error;
  }
  await run(device);
}

/** Sessions are kept: pipelines are found again as long as somebody holds them. */
const opened: Session[] = [];

export type OpenOptions = Omit<CompileOptions, 'profile'> & Partial<Pick<CompileOptions, 'profile'>>;

/** Compiles a model and puts it on the device with these numbers in its parameters. */
export async function openModel(
  device: Device,
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  options: OpenOptions,
): Promise<Session> {
  const compiled = compile(model, { profile: device.profile, ...options });
  const pkg = { manifest: compiled.manifest, shaders: Object.fromEntries(compiled.sources) };
  const session = await openSession(device, pkg, ({ name }) => {
    const own = values.get(name);
    invariant(own, `no values for ${name}`);
    return own;
  });
  opened.push(session);
  return session;
}

export const openTrainer = async (...args: Parameters<typeof openModel>): Promise<Trainer> =>
  makeTrainer(await openModel(...args));

/** Logits of the `forward` program for some sequences, one row [vocab] for each word; with an image, of `forward:image`. */
export async function forward(
  session: Session,
  tokens: Uint32Array,
  image?: Float32Array,
): Promise<Float32Array[]> {
  const program = session.executor.program(image ? 'forward:image' : 'forward');
  writePositions(session, program);
  writeImages(session, program, image);
  session.executor.write(inputNamed(program, 'tokens'), tokens);
  const slice = outputNamed(program, 'logits');
  const [all] = await session.executor.runAndRead([program], [slice]);
  const width = padded(slice.axis);
  const rows = Array.from({ length: slice.rows }, (_, r) =>
    (all ?? new Float32Array()).slice(r * width, r * width + slice.axis.size),
  );
  // Prepended vectors have rows of their own, in front of each sequence's words.
  return rows.filter((_, r) => r % (program.prepended + program.tokens) >= program.prepended);
}

/** Largest absolute difference of two lists; NaN counts as infinite, as does another length. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(d <= worst)) worst = Number.isNaN(d) ? Infinity : d;
  }
  return worst;
}

export const largest = (a: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
