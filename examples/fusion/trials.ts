/**
 * Trials in a file: one JSON line each. What is finished is not run again, what was killed starts anew, and what
 * failed is noted and does not stop the rest.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What tells one trial from another; it is its name in the file as well. */
export interface Trial {
  readonly design: string;
  readonly schedule: string;
  readonly seed: number;
}

export const keyOf = ({ design, schedule, seed }: Trial): string => `${design} ${schedule} ${seed}`;

export type Line<R> = Trial & { readonly seconds: number } & (
    { readonly result: R } | { readonly error: string }
  );

export const isFinished = <R>(line: Line<R>): line is Line<R> & { readonly result: R } => 'result' in line;

/**
 * The lines of a file, the last of each trial. A line that was cut off by a kill is left out: its trial counts as not
 * run.
 */
export function readTrials<R>(file: string): Line<R>[] {
  if (!existsSync(file)) return [];
  const latest = new Map<string, Line<R>>();
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    const line = parseLine<R>(text);
    if (line) latest.set(keyOf(line), line);
  }
  return [...latest.values()];
}

function parseLine<R>(text: string): Line<R> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'design' in value ? (value as Line<R>) : null;
  } catch {
    return null;
  }
}

/** Adds a line; a rest of a line before it is ended first. */
function appendTrial<R>(file: string, line: Line<R>): void {
  mkdirSync(dirname(file), { recursive: true });
  const torn = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, 'utf8'));
  appendFileSync(file, `${torn ? '\n' : ''}${JSON.stringify(line)}\n`);
}

export interface RunTrialsOptions {
  /** Run what failed before once more. */
  readonly retry?: boolean;
  readonly onStart?: (trial: Trial, index: number, of: number) => void;
  readonly onError?: (trial: Trial, error: unknown) => void;
}

/** Runs what the file does not have yet, in order. */
export async function runTrials<R>(
  file: string,
  trials: readonly Trial[],
  run: (trial: Trial) => Promise<R>,
  { retry = false, onStart, onError }: RunTrialsOptions = {},
): Promise<Line<R>[]> {
  for (const [index, trial] of trials.entries()) {
    // Read anew each time: another process may work on the same file.
    const before = readTrials<R>(file).find((line) => keyOf(line) === keyOf(trial));
    if (before && (isFinished(before) || !retry)) continue;
    onStart?.(trial, index, trials.length);
    const { design, schedule, seed } = trial;
    const start = performance.now();
    const seconds = (): number => Math.round((performance.now() - start) / 100) / 10;
    try {
      const result = await run(trial);
      appendTrial<R>(file, { design, schedule, seed, seconds: seconds(), result });
    } catch (error) {
      onError?.(trial, error);
      appendTrial<R>(file, { design, schedule, seed, seconds: seconds(), error: messageOf(error) });
    }
  }
  return readTrials<R>(file);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
