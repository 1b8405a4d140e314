/**
 * Trials of this folder in a file: one JSON line each. What is finished is not run again, what was killed starts anew, and
 * what failed is noted and does not stop the rest. Several processes may work on one file.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { runEach } from '../../runtime/sweep/each.ts';
import { claim } from '../../runtime/sweep/stores/claims.ts';
import { appendLine, readLines } from '../../runtime/sweep/stores/lines.ts';

/** What tells one trial from another. */
export interface Trial {
  readonly design: string;
  readonly schedule: string;
  readonly seed: number;
}

/** Its name in the file. */
export const keyOf = ({ design, schedule, seed }: Trial): string => `${design} ${schedule} ${seed}`;

export type Line<R> = Trial & {
  readonly trial: string;
  readonly started: string;
  readonly seconds: number;
} & ({ readonly result: R } | { readonly error: string });

export const isFinished = <R>(line: Line<R>): line is Line<R> & { readonly result: R } => 'result' in line;

/** The last line of each trial. */
export const readTrials = <R>(file: string): Line<R>[] => [
  ...readLines<Line<R>>(file, (value) => 'design' in value && 'seconds' in value).values(),
];

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
  // What failed before this moment has a second chance, once: here, or in another process that began it since.
  const since = retry ? new Date().toISOString() : '';
  const tried = new Set<string>();
  const keyed = trials.map((trial) => ({ ...trial, key: keyOf(trial) }));
  const left = () => {
    const over = new Set(
      readTrials<R>(file).flatMap((line) =>
        isFinished(line) || !retry || tried.has(line.trial) || line.started > since ? [line.trial] : [],
      ),
    );
    return keyed.filter(({ key }) => !over.has(key));
  };
  mkdirSync(dirname(file), { recursive: true });
  await runEach({
    left,
    claim: (trial) => claim(dirname(file), trial),
    run: async ({ key, ...trial }, held) => {
      tried.add(key);
      onStart?.(trial, keyed.length - left().length, keyed.length);
      const [started, begun] = [new Date().toISOString(), performance.now()];
      const outcome = await tryRun(run, trial, onError);
      const seconds = Math.round((performance.now() - begun) / 100) / 10;
      const line: Line<R> = { trial: key, ...trial, started, seconds, ...outcome };
      if (held.isOwn()) appendLine(file, line);
    },
  });
  return readTrials<R>(file);
}

async function tryRun<R>(
  run: (trial: Trial) => Promise<R>,
  trial: Trial,
  onError: RunTrialsOptions['onError'],
): Promise<{ readonly result: R } | { readonly error: string }> {
  try {
    return { result: await run(trial) };
  } catch (error) {
    onError?.(trial, error);
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
