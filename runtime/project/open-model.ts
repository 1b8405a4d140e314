/** A package with its base and its trained parts on a device, in one call, and the trained parts as a file again. */
import { invariant } from '../../grammar/invariant.ts';
import type { Manifest, PackagedParameter } from '../../compiler/package/package.ts';
import type { Device } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import { initParameter } from '../random.ts';
import { openSession, type Package, type Session } from '../session.ts';
import { type AdapterModel, importAdapter } from '../weights/adapter.ts';
import { readAdapterFile } from '../train/adapter-file.ts';
import { compareAttributes, requireSameAttributes } from '../weights/attributes.ts';
import { planBase, readBaseParameter, requireTied } from '../weights/base.ts';
import { fingerprintBase, requireSameBase, type Sampled, sampleEvenly } from '../weights/fingerprint.ts';
import { rowNorms } from '../weights/row-norms.ts';
import { layoutSafetensors } from '../weights/safetensors.ts';
import { listSome, type WeightSource } from '../weights/source.ts';

export interface ModelOptions {
  readonly base: WeightSource;
  /** Trained parts, as `graft train` or `adapterFile` writes them; without it they start from the seed. */
  readonly adapter?: WeightSource;
  /** Default: the recipe's, or 0. */
  readonly seed?: number;
}

export interface LoadedModel {
  readonly session: Session;
  /** Tells this base from others, see `fingerprintBase`. */
  readonly fingerprint: string;
}

/** A package knows its parts by their parameters alone, which is all that files of our own need. */
const modelOf = (manifest: Manifest): AdapterModel => ({ ...manifest, parts: [] });

/**
 * Opens a package and fills it, one tensor at a time.
 * @throws InputError when base, adapter and package do not belong together
 */
export async function openModel(device: Device, pkg: Package, options: ModelOptions): Promise<LoadedModel> {
  const { manifest } = pkg;
  const { base, adapter, seed = manifest.recipe?.seed ?? 0 } = options;
  const plan = planBase(base, manifest.base, manifest.parameters);
  await requireTied(base, manifest.base, plan);
  const reads = new Map(plan.reads.map((read) => [read.parameter.name, read]));
  const trained = adapter ? await readTrained(adapter, manifest) : new Map<string, Float32Array>();
  const samples: Sampled[] = [];
  const startOf = async (p: PackagedParameter): Promise<Float32Array> => {
    const of = p.init.kind === 'norms' ? reads.get(p.init.of) : undefined;
    if (!of) return initParameter(p.init, p, seed);
    return rowNorms(await readBaseParameter(base, manifest.base, plan, of), p.shape[0] ?? 1);
  };
  const valuesOf = async (p: PackagedParameter): Promise<Float32Array> => {
    const read = reads.get(p.name);
    if (!read) return trained.get(p.name) ?? startOf(p);
    // Read even where the adapter replaces it, as a norm that was trained: the fingerprint is the base's.
    const values = await readBaseParameter(base, manifest.base, plan, read, { checkFinite: true });
    samples.push({ name: p.name, shape: p.shape, values: sampleEvenly(values) });
    return trained.get(p.name) ?? values;
  };
  const session = await openSession(device, pkg, valuesOf);
  const fingerprint = await fingerprintBase(samples);
  try {
    if (adapter) requireSameBase(adapter, fingerprint, manifest.base.name);
  } catch (error) {
    session.executor.destroy();
    throw error;
  }
  return { session, fingerprint };
}

/** Trained numbers of a file. @throws InputError where the package would make another model of them */
async function readTrained(
  adapter: WeightSource,
  manifest: Manifest,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { name, attributes } = manifest;
  if (attributes)
    requireSameAttributes(
      adapter.name,
      name,
      compareAttributes(adapter, attributes).differences,
      'build the package from the spec it was trained with',
    );
  const { values, unused } = await importAdapter(adapter, modelOf(manifest));
  if (unused.length > 0)
    throw new InputError(
      `${adapter.name} holds ${listSome(unused)}, which the package of \`${name}\` has no place for`,
      'build the package from the spec it was trained with',
    );
  return values;
}

/** The trained parts as a safetensors file: offer it for download, or give it to `openModel` again. */
export async function adapterFile({ session, fingerprint }: LoadedModel): Promise<Blob> {
  const { manifest } = session;
  invariant(
    manifest.parameters.some(({ cell }) => cell !== null),
    'an adapter file of a package that trains nothing',
  );
  const { tensors, metadata } = await readAdapterFile(session, fingerprint);
  const { chunks } = layoutSafetensors(tensors, metadata);
  return new Blob([...chunks()] as Uint8Array<ArrayBuffer>[]);
}
