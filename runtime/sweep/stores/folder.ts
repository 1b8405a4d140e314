/**
 * A sweep's store in a folder, which several processes may share: `results.jsonl` is the source of truth, `claims/`
 * says which process runs which trial, `trials/` has a folder for the run of each.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder } from '../../train/run-folder.ts';
import type { TrialLine } from '../results.ts';
import type { SweepStore } from '../store.ts';
import { claim } from './claims.ts';
import { diskError } from './disk-error.ts';
import { appendLine, readLines } from './lines.ts';
import { thisMachine } from './machine.ts';

const fileOf = (folder: string): string => join(folder, 'results.jsonl');

/** The last line of each trial. */
export const readResults = (folder: string): Map<string, TrialLine> =>
  readLines(fileOf(folder), (value) => 'figures' in value || 'failed' in value);

/** Makes the folder. @throws InputError when it cannot be written */
export function openFolder(folder: string): SweepStore {
  try {
    mkdirSync(join(folder, 'trials'), { recursive: true });
    const probe = claim(folder, 'can this folder be written?');
    if (typeof probe !== 'string') probe.release();
  } catch (error) {
    throw diskError(error, folder) ?? error;
  }
  return {
    name: folder,
    machine: thisMachine(),
    results: async () => readResults(folder),
    append: async (line) => appendLine(fileOf(folder), line),
    claim: async (trial) => claim(folder, trial),
    runStore: async (trial) => runFolder(join(folder, 'trials', folderName(trial))),
    writeError: (error) => diskError(error, folder),
  };
}

/**
 * `early-first-1-late-last-4-seed-0-1f2e3d`: a name of a trial's folder that every file system accepts and no other
 * trial has.
 */
const folderName = (trial: string): string =>
  `${trial.replace(/[^\w.]+/g, '-').slice(0, 100)}-${createHash('sha256').update(trial).digest('hex').slice(0, 6)}`;
