/**
 * A file of JSON lines, one for each trial that ended, which only ever grows. Lines are added each in one write; of several
 * lines of a trial the last counts, and a line that a kill or a full disk cut off counts as not written.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/** The field that every line has: the name of its trial. */
export interface Line {
  readonly trial: string;
}

/** The last line of each trial. Lines that `isWhole` does not accept are skipped. */
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

/** Adds a line. If the last line was cut off, a line break ends it first. */
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
