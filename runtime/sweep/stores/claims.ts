/**
 * Claims of trials, for several processes on one folder. A claim is a file that only one process can make:
 * `claims/TRIAL.N`, where N counts the processes that claimed the trial. The file of a dead process is not removed;
 * another process makes the file of the next number, which again only one process can make. So no two processes ever
 * hold a trial, whenever one is killed. A process that gets a claim reads the results once more, since results are
 * written before a claim is given up.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf, isAlive } from '../../files/read.ts';
import type { Claim } from '../store.ts';

/**
 * In milliseconds: a living process touches its claims every BEAT, and counts as dead after SILENCE without a touch.
 */
const BEAT = 10_000;
const SILENCE = 120_000;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Distinguishes processes that have the same pid at different times. */
  readonly token: string;
  readonly trial: string;
}

const token = randomUUID();

/** Claims a trial. Returns a text when another process has the trial; the text names that process. */
export function claim(folder: string, trial: string): Claim | string {
  const claims = join(folder, 'claims');
  mkdirSync(claims, { recursive: true });
  const name = createHash('sha256').update(trial).digest('hex').slice(0, 16);
  const numbers = numbersOf(claims, name);
  const last = numbers.at(-1);
  if (last !== undefined) {
    const holder = livingOwner(join(claims, `${name}.${last}`));
    if (holder !== null) return holder;
  }
  const number = last === undefined ? 0 : last + 1;
  const path = join(claims, `${name}.${number}`);
  const owner: Owner = { pid: process.pid, host: hostname(), token, trial };
  try {
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'another process';
    throw error;
  }
  const beat = setInterval(() => touch(path), BEAT);
  beat.unref();
  return {
    isOwn: () => numbersOf(claims, name).at(-1) === number && readOwner(path)?.token === token,
    release() {
      clearInterval(beat);
      for (const old of numbersOf(claims, name))
        if (old <= number) rmSync(join(claims, `${name}.${old}`), { force: true });
    },
  };
}

/** Numbers of a trial's claims, ascending. */
const numbersOf = (claims: string, name: string): number[] =>
  readdirSync(claims)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => Number(file.slice(name.length + 1)))
    .sort((a, b) => a - b);

/** Names the living process that holds a claim; null when the process that made the claim is dead. */
function livingOwner(path: string): string | null {
  const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (age > SILENCE) return null;
  const owner = readOwner(path);
  // The file was made but its contents are not written yet.
  if (owner === null) return 'another process';
  if (owner.token === token) return `this process`;
  const here = owner.host === hostname();
  if (here && (owner.pid === process.pid || !isAlive(owner.pid))) return null;
  return `process ${owner.pid}${here ? '' : ` on ${owner.host}`}`;
}

function readOwner(path: string): Owner | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return null;
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // The claim was taken over, or the folder is gone: `isOwn` will return false.
  }
}
