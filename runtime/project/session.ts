/** Compiled models on a device with their start in place. */
import type { Compiled } from '../../compiler/compile.ts';
import type { Device } from '../device/device.ts';
import type { Capacity } from '../device/fit.ts';
import { openSession, type Session } from '../session.ts';
import type { ProjectHost } from './host.ts';
import type { Origin, Start } from './start.ts';

/** What this device can hold: a software device has the machine's memory. */
export const capacityOf = ({ memory }: Pick<ProjectHost, 'memory'>, device: Device): Capacity => ({
  limits: device.limits,
  ...(device.adapter.software && memory !== null ? { memory } : {}),
});

/** A session, and what the files that it was filled from hold. */
export interface OpenedModel {
  readonly session: Session;
  readonly origin: Origin;
}

/**
 * A compiled model on the device with its start in place; the files of the start are closed.
 * @throws InputError when the start does not belong to the base
 */
export async function openCompiled(device: Device, compiled: Compiled, start: Start): Promise<OpenedModel> {
  const shaders = Object.fromEntries(compiled.sources);
  try {
    const session = await openSession(device, { manifest: compiled.manifest, shaders }, start.values);
    try {
      return { session, origin: await start.origin() };
    } catch (error) {
      session.executor.destroy();
      throw error;
    }
  } finally {
    await start.close();
  }
}
