/** Picks a device's driver: a real GPU, else lavapipe in the project, else SwiftShader from npm; each is tried before it is taken. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  cacheFolder,
  fetchedDriver,
  programFile,
  projectRoot,
  recordChoice,
  recordedChoice,
  requestedDriver,
  SetupError,
} from './drivers.mjs';
import { fetchLavapipe, lavapipeObstacle } from './lavapipe.mjs';
import { fetchSwiftshader, swiftshaderObstacle } from './swiftshader.mjs';

const PROBE_LIMIT_MS = 60_000;

const SOFTWARE = {
  lavapipe: { obstacle: lavapipeObstacle, fetch: fetchLavapipe },
  swiftshader: { obstacle: swiftshaderObstacle, fetch: fetchSwiftshader },
};

/**
 * Opens a device with a driver, in a process of its own: a bad driver may crash or hang, and a process can load only one.
 * Gives `{ adapter }` or `{ problem }`.
 */
export function probe(driver) {
  const env = { ...process.env, GRAFT_DRIVER: driver };
  const program = programFile('runtime/device/probe');
  const args = program.endsWith('.ts') ? ['--import', 'tsx', program] : [program];
  const result = spawnSync(process.execPath, args, {
    cwd: projectRoot(),
    env,
    encoding: 'utf8',
    timeout: PROBE_LIMIT_MS,
  });
  const answer = /^probe (\{.*\})$/m.exec(result.stdout ?? '');
  if (answer) return JSON.parse(answer[1]);
  if (result.error) return { problem: result.error.message };
  const words = (result.stderr ?? '').trim().split('\n').at(-1);
  return {
    problem: `the process that opened it ended with ${result.signal ?? `code ${result.status}`}: ${words}`,
  };
}

/** Fetches a software driver unless it is there. The folder appears whole or not at all. */
function fetchDriver(driver, log) {
  if (fetchedDriver(driver)) return;
  const destination = join(cacheFolder(), driver);
  const temporary = `${destination}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    SOFTWARE[driver].fetch(temporary, (text) => log(`${driver}: ${text}`));
    rmSync(destination, { recursive: true, force: true });
    renameSync(temporary, destination);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Fetches and opens a software driver; gives what it is, or throws the reason why not. */
function trySoftware(driver, log) {
  const obstacle = SOFTWARE[driver].obstacle();
  if (obstacle) throw new Error(obstacle);
  const wasThere = fetchedDriver(driver) !== null;
  fetchDriver(driver, log);
  const first = probe(driver);
  if (first.adapter) return first.adapter.description;
  if (!wasThere) throw new Error(first.problem);
  log(`${driver}: what was fetched earlier does not work (${first.problem}), so it is fetched anew`);
  rmSync(join(cacheFolder(), driver), { recursive: true });
  return trySoftware(driver, log);
}

function fetchWanted(driver, log) {
  try {
    const obstacle = SOFTWARE[driver].obstacle();
    if (obstacle && !fetchedDriver(driver)) throw new Error(obstacle);
    fetchDriver(driver, log);
  } catch (error) {
    throw new SetupError(`the driver ${driver} cannot be fetched: ${tidy(error)}`, { cause: error });
  }
}

function tidy(error) {
  const words = String(error.stderr ?? '').trim() || error.message;
  return words.split('\n').filter(Boolean).slice(-3).join(' | ');
}

/** Goes through the drivers in order of preference; `driver: 'none'` when all fail. */
function search(log) {
  const tried = [];
  const system = probe('hardware');
  if (system.adapter && !system.adapter.software)
    return { driver: 'hardware', reason: `a GPU is here: ${system.adapter.description}`, tried };
  tried.push({ driver: 'hardware', outcome: system.problem ?? `only a CPU: ${system.adapter.description}` });
  if (system.adapter)
    return { driver: 'system', reason: `no GPU, and the system has ${system.adapter.description}`, tried };
  log('no GPU here, so a software driver is needed');
  for (const driver of Object.keys(SOFTWARE)) {
    try {
      const description = trySoftware(driver, log);
      return { driver, reason: `no GPU; the best software driver that works is ${description}`, tried };
    } catch (error) {
      tried.push({ driver, outcome: tidy(error) });
      log(`${driver}: ${tidy(error)}`);
    }
  }
  return { driver: 'none', reason: 'nothing that was tried works', tried };
}

/**
 * The driver for this checkout: as GRAFT_DRIVER says, else as recorded, else by search, which is then recorded. `refresh`
 * searches again.
 */
export function chooseDriver({ log, refresh = false }) {
  const wanted = requestedDriver();
  if (wanted) {
    if (wanted in SOFTWARE) fetchWanted(wanted, log);
    return { driver: wanted, reason: 'GRAFT_DRIVER asks for it', tried: [] };
  }
  const recorded = refresh ? null : recordedChoice();
  // No device is not recorded as a fact: the next run may have a network.
  if (recorded && recorded.driver !== 'none') return recorded;
  const choice = search(log);
  recordChoice(choice);
  return choice;
}
