/**
 * Tells bases apart, so that an adapter is not put on a model it was not trained on: people load a LLaMA-1 adapter
 * under LLaMA-2 and get empty text (OpenGVLab/LLaMA-Adapter issue 107).
 */
import { sha256 } from '../hash.ts';
import { InputError } from '../input-error.ts';
import { showShape, type WeightSource } from './source.ts';

/** Values of each tensor that go into the hash. */
const SAMPLE = 256;

/** A base tensor, whole or sampled. */
export interface Sampled {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What of a tensor goes into the hash: a sample of a sample is the same, so a large base need not be kept whole. */
export function sampleEvenly(values: Float32Array): Float32Array {
  const count = Math.min(SAMPLE, values.length);
  const sample = new Float32Array(count);
  for (let i = 0; i < count; i++) sample[i] = values[Math.floor((i * values.length) / count)]!;
  return sample;
}

/**
 * sha256 (64 hex digits) over the names, shapes and an even sample of 256 values of each tensor, in order of name. It
 * does not depend on the file's format, nor on whether it is float16 or the same numbers as float32.
 */
export async function fingerprintBase(tensors: Iterable<Sampled>): Promise<string> {
  const parts: (string | Float32Array)[] = [];
  for (const { name, shape, values } of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    parts.push(`${name} ${showShape(shape)}\n`, sampleEvenly(values));
  }
  return await sha256(parts);
}

/** Says that an adapter file states another base than this one; null where it states this one, or none. */
export function anotherBase(
  { name, metadata }: Pick<WeightSource, 'name' | 'metadata'>,
  fingerprint: string,
  base: string,
): string | null {
  const stated = metadata['base_fingerprint'];
  if (stated === undefined || stated === fingerprint) return null;
  return `${name} was trained on another base than \`${base}\` (fingerprint ${stated.slice(0, 12)}, this base has ${fingerprint.slice(0, 12)})`;
}

/** Refuses an adapter that was trained on another base. @throws InputError with both fingerprints */
export function requireSameBase(
  adapter: Pick<WeightSource, 'name' | 'metadata'>,
  fingerprint: string,
  base: string,
): void {
  const another = anotherBase(adapter, fingerprint, base);
  if (another !== null)
    throw new InputError(
      another,
      'load the weights it was trained on; an adapter does not carry over to another model, not even of the same sizes',
    );
}
