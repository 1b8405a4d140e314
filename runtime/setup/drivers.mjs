/**
 * Which Vulkan driver this checkout uses, and how a process loads it. Plain JavaScript without dependencies: `prepare.mjs` runs
 * it before anything is installed, and `runtime/device/driver.ts` runs it in every process that opens a device.
 *
 * A software driver is a folder in the cache with a `driver.json`: the ICD file, and the libraries in loading order.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A failure of the setup whose message is meant for the user, as it is. */
export class SetupError extends Error {
  name = 'SetupError';
}

export const DRIVERS = ['hardware', 'system', 'lavapipe', 'swiftshader', 'none'];

/** A cache that came along from another kind of machine must not count. */
const MACHINE = `${process.platform}-${process.arch}`;

/** glibc's RTLD_LAZY | RTLD_NODELETE: Node closes what is no addon, but NODELETE keeps it loaded. */
const LOAD_AND_KEEP = 0x1001;

export function projectRoot() {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/**
 * The file of a program that runs in a process of its own, such as `runtime/experts/worker`: in the build this code is a part of, or among
 * the sources it is one of.
 */
export function programFile(name) {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = [`${name}.js`, `${name}.ts`].map((file) => join(folder, file)).find(existsSync);
    if (found !== undefined) return found;
    if (dirname(folder) === folder)
      throw new Error(`the program ${name} is nowhere above ${import.meta.url}`);
  }
}

/** A checkout keeps what it fetches to itself; an installed package may be read-only, or gone with the next version. */
export function cacheFolder() {
  if (process.env.GRAFT_CACHE) return process.env.GRAFT_CACHE;
  const root = projectRoot();
  if (!root.split(sep).includes('node_modules')) return join(root, '.cache');
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'graft');
}

export function isSoftwareDriver(driver) {
  return driver === 'lavapipe' || driver === 'swiftshader';
}

/** The folder of a fetched driver, or null. */
export function fetchedDriver(driver) {
  const folder = join(cacheFolder(), driver);
  return existsSync(join(folder, 'driver.json')) ? folder : null;
}

export function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, file);
}

export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function choiceFile() {
  return join(cacheFolder(), 'driver.json');
}

export function recordChoice(choice) {
  writeJson(choiceFile(), { ...choice, machine: MACHINE });
}

/** What `prepare.mjs` chose earlier on this machine; null when it never ran or its files are gone. */
export function recordedChoice() {
  const choice = readJson(choiceFile());
  if (!choice || !DRIVERS.includes(choice.driver)) return null;
  if (choice.machine !== MACHINE) return null;
  if (isSoftwareDriver(choice.driver) && !fetchedDriver(choice.driver)) return null;
  return choice;
}

/** The driver that GRAFT_DRIVER asks for, or null. */
export function requestedDriver() {
  const wanted = process.env.GRAFT_DRIVER;
  if (!wanted) return null;
  if (DRIVERS.includes(wanted)) return wanted;
  throw new SetupError(`GRAFT_DRIVER=${wanted}: unknown driver. Known: ${DRIVERS.join(', ')}.`);
}

/** The driver of this process: GRAFT_DRIVER, else the recorded choice, else whatever the system has. */
export function currentChoice() {
  const wanted = requestedDriver();
  if (wanted) return { driver: wanted, reason: 'GRAFT_DRIVER asks for it', tried: [] };
  const recorded = recordedChoice();
  if (recorded) return recorded;
  return { driver: 'hardware', reason: 'nothing was set up yet, so: whatever the system has', tried: [] };
}

let applied = null;

/** Makes this process use a driver. Must run before Dawn's `create`; a process can do it once. */
export function applyDriver(choice) {
  if (applied) return;
  applied = choice.driver;
  if (choice.driver === 'none') {
    process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = join(cacheFolder(), 'no-driver.json');
    return;
  }
  process.env.MESA_SHADER_CACHE_DIR ??= join(cacheFolder(), 'mesa');
  if (!isSoftwareDriver(choice.driver)) return;
  const folder = fetchedDriver(choice.driver);
  if (!folder) throw new SetupError(`the driver ${choice.driver} is not in ${cacheFolder()}`);
  const { icd, libraries } = readJson(join(folder, 'driver.json'));
  for (const library of libraries) loadLibrary(join(folder, library));
  process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = join(folder, icd);
  process.env.VK_LOADER_LAYERS_DISABLE ??= '~implicit~';
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
}

/**
 * Loads a shared library for good, so that a later `dlopen` by its bare name finds it. This is what lets us do without
 * LD_LIBRARY_PATH, which only counts when a process starts.
 */
function loadLibrary(file) {
  try {
    process.dlopen({ exports: {} }, file, LOAD_AND_KEEP);
  } catch (error) {
    // It is no addon, of course. Any other complaint is real.
    if (!String(error.message).includes('did not self-register'))
      throw new SetupError(`cannot load ${file}: ${error.message}`, { cause: error });
  }
}

/** What to tell a user who has no device. */
export function explainMissing(choice) {
  const tried = choice.tried.map(({ driver, outcome }) => `  - ${driver}: ${outcome}`);
  const lines = [`no WebGPU device was found (driver: ${choice.driver}; ${choice.reason}).`];
  if (tried.length > 0) lines.push('What was tried:', ...tried);
  lines.push(
    'What helps:',
    ...remedies().map((text) => `  - ${text}`),
    'Then: graft doctor --refresh (in a checkout: npm run graft -- doctor --refresh)',
  );
  return lines.join('\n');
}

function remedies() {
  if (process.platform === 'darwin') return ['macOS 12 or newer on a machine with Metal'];
  if (process.platform === 'win32') return ['a current graphics driver with Direct3D 12 or Vulkan'];
  return [
    'with a GPU: its Vulkan driver (Debian, Ubuntu: apt install mesa-vulkan-drivers libvulkan1; NVIDIA: its own driver)',
    'without a GPU: a network connection to a Debian mirror or to the npm registry, so that a software driver can be fetched',
    'or Mesa 23.3 or newer from your distribution: its lavapipe works (Debian 12: from bookworm-backports)',
  ];
}
