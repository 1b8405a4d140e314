/** Reads the contents of an adapter file (our format) back from the device. */
import { readParameter, type Session } from '../session.ts';
import { adapterMetadata } from '../weights/adapter.ts';
import type { NewTensor } from '../weights/safetensors.ts';

/**
 * Every trained parameter, under our names, and the parameters of parts that kept their random start, such as an
 * untrained encoder, since the trained parameters are useless without them.
 * @param fingerprint of the base; empty where it started from nothing
 * @param attributes by default the package's
 */
export async function readAdapterFile(
  session: Session,
  fingerprint: string,
  attributes = session.manifest.attributes,
): Promise<{ readonly tensors: readonly NewTensor[]; readonly metadata: Readonly<Record<string, string>> }> {
  const { manifest } = session;
  const kept = manifest.parameters.filter(
    (p) => p.cell !== null || (p.owner !== 'base' && p.init.kind !== 'weights'),
  );
  const tensors: NewTensor[] = [];
  for (const p of kept)
    tensors.push({ name: p.name, shape: p.shape, values: await readParameter(session, p) });
  const model = { name: manifest.name, base: manifest.base, ...(attributes ? { attributes } : {}) };
  return { tensors, metadata: adapterMetadata(model, fingerprint, manifest.spec.hash) };
}
