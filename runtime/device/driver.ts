/**
 * Loads Dawn into Node with the Vulkan driver that `runtime/setup` chose. Software drivers live in the project's cache; their
 * libraries are loaded here, by path, before Dawn looks for them, so no environment and no second process is needed.
 */
import { chooseDriver } from '../setup/choose.mjs';
import { applyDriver, currentChoice, explainMissing } from '../setup/drivers.mjs';

let loaded: Promise<GPU> | null = null;

/** Dawn's options: exact timestamps, which only a local process may have. */
const DAWN_OPTIONS = ['disable-dawn-features=timestamp_quantization'];

async function load(): Promise<GPU> {
  // Picks, and fetches, a driver when nobody has run the setup yet.
  applyDriver(chooseDriver({ log: (text) => console.error(`graft setup: ${text}`) }));
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return create(DAWN_OPTIONS);
}

/** Dawn's entry object; one for the life of the process. */
export function loadDawn(): Promise<GPU> {
  loaded ??= load();
  return loaded;
}

/** What to tell a user when no adapter was found. */
export function explainNoDevice(): string {
  return explainMissing(currentChoice());
}
