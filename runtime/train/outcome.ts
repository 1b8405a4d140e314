/**
 * Writes the results of a finished run beside its metrics: the trained parameters, and a record of how to repeat the
 * run.
 */
import type { Device } from '../device/device.ts';
import { writeSafetensors, writeText } from '../files/write.ts';
import type { Session } from '../session.ts';
import { readAdapterFile } from './adapter-file.ts';

/**
 * Writes every trained parameter, under our names, to a safetensors file; see `readAdapterFile`.
 * @param fingerprint of the base, from `startOf`
 * @param attributes by default the package's, which do not know the files of encoders
 */
export async function writeAdapter(
  path: string,
  session: Session,
  fingerprint: string,
  attributes = session.manifest.attributes,
): Promise<void> {
  const { tensors, metadata } = await readAdapterFile(session, fingerprint, attributes);
  await writeSafetensors(path, tensors, metadata);
}

export interface RunRecord {
  readonly spec: string;
  readonly adapter: string;
  readonly recipe: string;
  readonly params: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly steps: number | null;
  /** Whether the base started from nothing, and the file whose parameters it started from. */
  readonly scratch: boolean;
  readonly from: string | null;
  readonly specHash: string;
  readonly base: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** `run.json`: everything needed to do the run again. */
export async function writeRecord(folder: string, record: RunRecord, device: Device): Promise<void> {
  const { vendor, architecture, description } = device.adapter;
  const text = JSON.stringify({ ...record, device: { vendor, architecture, description } }, null, 2);
  await writeText(`${folder}/run.json`, `${text}\n`);
}
