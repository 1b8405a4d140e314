/**
 * Makes a fresh checkout runnable: the dependencies, then a device. `npm start`, `npm test` and the other scripts run it first;
 * when all is there it takes a few milliseconds. `--no-device` stops after the dependencies.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseDriver } from './choose.mjs';
import { cacheFolder, explainMissing } from './drivers.mjs';
import { installDependencies } from './npm.mjs';

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
    return work();
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

function prepare() {
  installDependencies(log);
  if (process.argv.includes('--no-device')) return 0;
  const choice = chooseDriver({ log });
  if (choice.driver !== 'none') return 0;
  // Asked for by hand, it is no failure: much of graft works without a device.
  if (process.env.GRAFT_DRIVER === 'none') return 0;
  console.error(explainMissing(choice));
  return 1;
}

try {
  process.exitCode = await withLock(prepare);
} catch (error) {
  log(error.stderr ? String(error.stderr).trim() : error.message);
  process.exitCode = 1;
}
