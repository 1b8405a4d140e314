/** A model as a config.json describes it, on the device, for the cases of Hugging Face's own code. */
import { compile, type CompileOptions } from '../../../compiler/compile.ts';
import type { Config } from '../../../compiler/families/config-reader.ts';
import { readConfig, type ConfigBase } from '../../../compiler/families/config.ts';
import { memoryHost } from '../../../compiler/host.ts';
import { type Model, padded } from '../../../compiler/model/model.ts';
import { invariant } from '../../../grammar/invariant.ts';
import type { Device } from '../../device/device.ts';
import { InputError } from '../../input-error.ts';
import { loadModel } from '../../project/spec.ts';
import { inputNamed, openSession, outputNamed, type Session, writePositions } from '../../session.ts';

/** The task that trains every parameter of the base. */
export const TASK = 'everything';

/** The label of a word that no loss is taken of, in the cases of all kinds. */
export const IGNORED = -100;

/** The base that a config.json describes. @throws InputError with every key that makes it another network */
export function baseOf(config: Config, file: string): ConfigBase {
  const { base, problems } = readConfig(config);
  const [first] = problems;
  if (base !== null && first === undefined) return base;
  throw new InputError(
    `${file} ${problems.map(({ message }) => message).join('; it ')}`,
    first?.remedy ?? 'give the file of a whole model',
  );
}

/** The base alone, with a task that trains all of it. */
export function modelOf(config: Config, file: string): Model {
  baseOf(config, file);
  const spec = `base golden from "model"
adapter Golden on golden { task ${TASK} on corpus trains base }
data corpus = text("none")`;
  const specs = memoryHost({ 'golden.adapter': spec, 'model/config.json': JSON.stringify(config) });
  return loadModel({ specs, warn: () => undefined }, 'golden.adapter');
}

export type Values = ReadonlyMap<string, Float32Array>;

/** Words of the longest sequence. */
export const longestOf = (rows: readonly (readonly number[])[]): number =>
  Math.max(...rows.map(({ length }) => length));

/** Compiles a model and puts it on the device; the caller destroys its executor. */
export async function openOn(
  device: Device,
  model: Model,
  values: Values,
  options: Omit<CompileOptions, 'profile'>,
): Promise<Session> {
  const { manifest, sources } = compile(model, { profile: device.profile, ...options });
  return openSession(device, { manifest, shaders: Object.fromEntries(sources) }, ({ name }) => {
    const own = values.get(name);
    invariant(own, `no values for ${name}`);
    return own;
  });
}

/** Logits of the `forward` program at every word of the sequences: [sequences * words, vocab]. */
export async function logitsOf(
  session: Session,
  rows: readonly (readonly number[])[],
): Promise<Float32Array> {
  const program = session.executor.program('forward');
  writePositions(session, program);
  session.executor.write(inputNamed(program, 'tokens'), Uint32Array.from(rows.flat()));
  const slice = outputNamed(program, 'logits');
  const [all = new Float32Array()] = await session.executor.runAndRead([program], [slice]);
  const width = padded(slice.axis);
  // Prepended vectors have rows of their own, in front of each sequence's words.
  const words = Array.from({ length: slice.rows }, (_, r) => r).filter(
    (r) => r % (program.prepended + program.tokens) >= program.prepended,
  );
  const logits = new Float32Array(words.length * slice.axis.size);
  words.forEach((r, i) =>
    logits.set(all.subarray(r * width, r * width + slice.axis.size), i * slice.axis.size),
  );
  return logits;
}
