/**
 * Makes a checkout ready to run: the dependencies, the build of the command line, and a device where one is asked for. When all is there
 * it takes a few hundredths of a second. Every script of package.json begins with it; by itself it is `node runtime/setup/prepare.mjs
 * [--no-device]`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from './build.mjs';
import { chooseDriver } from './choose.mjs';
import { cacheFolder, explainMissing, recordedChoice, requestedDriver, SetupError } from './drivers.mjs';
import { installDependencies, missingPackages } from './npm.mjs';

const log = (text) => console.error(`graft setup: ${text}`);

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two `npm test` at once must not both install: the second waits for the first. */
async function withLock(work) {
  const lock = join(cacheFolder(), 'setup.lock');
  mkdirSync(cacheFolder(), { recursive: true });
  for (let told = false, unnamed = 0; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(readHolder(lock));
    // A process that was killed before it wrote its number left the file empty: nobody will remove it.
    const abandoned = holder > 0 ? !isAlive(holder) : (unnamed += 1) > 25;
    if (abandoned) rmSync(lock, { force: true });
    else {
      if (!told && holder > 0) log(`waiting for process ${holder}, which is at it already`);
      told ||= holder > 0;
      await sleep(200);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function readHolder(lock) {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return '0';
  }
}

/** Whether it takes a search, and perhaps a download, to say which driver is used. */
function driverIsOpen() {
  if (requestedDriver()) return true;
  const recorded = recordedChoice();
  return recorded === null || recorded.driver === 'none';
}

async function ensureDevice() {
  if (!driverIsOpen()) return;
  const choice = await withLock(() => chooseDriver({ log }));
  // Asked for by hand, it is no failure: much of graft works without a device.
  if (choice.driver === 'none' && process.env.GRAFT_DRIVER !== 'none')
    throw new SetupError(explainMissing(choice));
}

/**
 * Installs, builds and, with `device`, finds a driver; gives the folder of the build.
 * @throws SetupError that says what failed
 */
export async function prepare({ device = false } = {}) {
  if (missingPackages().length > 0) await withLock(() => installDependencies(log));
  const folder = await ensureBuild(log);
  if (device) await ensureDevice();
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await prepare({ device: !process.argv.includes('--no-device') });
  } catch (error) {
    log(error.stderr ? String(error.stderr).trim() : error.message);
    process.exitCode = 1;
  }
}
