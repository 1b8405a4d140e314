/**
 * Trials in a folder, whatever they are: a file of JSON lines that only ever grows, and a loop that several processes may run
 * on it. Lines are added each in one write; of several lines of a trial the last counts, and a line that a kill or a full
 * disk cut off counts as not written.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Claim, claim } from './claims.ts';

/** What every line has: the name of its trial. */
export interface Line {
  readonly trial: string;
}

/** The last line of each trial. A line that `isWhole` does not take is passed over. */
export function readLines<L extends Line>(file: string, isWhole: (value: object) => boolean): Map<string, L> {
  const latest = new Map<string, L>();
  if (!existsSync(file)) return latest;
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    const value = parsed(text);
    if (typeof value !== 'object' || value === null || !('trial' in value) || !isWhole(value)) continue;
    const line = value as L;
    latest.set(line.trial, line);
  }
  return latest;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Adds a line; the rest of a line that was cut off is ended first. */
export function appendLine(file: string, line: Line): void {
  appendFileSync(file, `${endsTorn(file) ? '\n' : ''}${JSON.stringify(line)}\n`);
}

function endsTorn(file: string): boolean {
  if (!existsSync(file)) return false;
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const last = new Uint8Array(1);
    return size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  } finally {
    closeSync(handle);
  }
}

export interface Each<T> {
  /** The trials that have not ended, read anew from the folder. */
  readonly left: () => readonly T[];
  /** Runs one and writes its line, if the claim is still its own by then. */
  readonly run: (trial: T, held: Claim) => Promise<void>;
  /** Called when all that is left is with others, with their names. */
  readonly onWait?: (holders: string) => void;
}

/** Between looks at whether other processes are done, in milliseconds. */
const PAUSE = 500;

/** Runs one trial after the other until none is left, here or in another process. */
export async function runEach<T extends { readonly key: string }>(
  folder: string,
  { left, run, onWait }: Each<T>,
): Promise<void> {
  for (let waited = ''; ;) {
    const open = left();
    if (open.length === 0) return;
    const found = firstFree(folder, open);
    if (typeof found === 'string') {
      if (found !== waited) onWait?.((waited = found));
      await sleep(PAUSE);
      continue;
    }
    const { trial, held } = found;
    try {
      // Another process may have ended it between the look and the claim.
      if (left().some(({ key }) => key === trial.key)) await run(trial, held);
    } finally {
      held.release();
    }
  }
}

/** The first trial nobody has, claimed; or who has them all. */
function firstFree<T extends { readonly key: string }>(
  folder: string,
  open: readonly T[],
): { readonly trial: T; readonly held: Claim } | string {
  const holders = new Set<string>();
  for (const trial of open) {
    const held = claim(folder, trial.key);
    if (typeof held !== 'string') return { trial, held };
    holders.add(held);
  }
  return [...holders].join(', ');
}
