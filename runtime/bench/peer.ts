/** Loads a peer from a folder where it is installed, on the device that we use too. */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { loadDawn } from '../device/driver.ts';
import { InputError } from '../input-error.ts';

/** Both peers look for `navigator.gpu`, as in a browser. Must be called before they are loaded. */
export async function offerGpu(): Promise<void> {
  const gpu = await loadDawn();
  const value = { gpu, userAgent: 'node', hardwareConcurrency: 2, language: 'en' };
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true });
}

/** A package installed in `folder`. */
export function loadPeer(folder: string, name: string): unknown {
  const require = createRequire(join(resolve(folder), 'package.json'));
  try {
    return require(name);
  } catch (error) {
    const help = 'install @jax-js/jax, @tensorflow/tfjs and @tensorflow/tfjs-backend-webgpu there.';
    const reason = (error as Error).message.split('\n')[0];
    throw new InputError(`${name} cannot be loaded from ${folder}: ${reason}`, help, { cause: error });
  }
}
