/**
 * Where a sweep keeps its results, and how the processes that share one come to run each trial once. `stores/folder.ts` is a
 * folder in Node; a page would keep lines in its own storage, and be the only one that claims.
 */
import type { InputError } from '../input-error.ts';
import type { RunStore } from '../train/run-store.ts';
import type { Machine, TrialLine } from './results.ts';

export interface Claim {
  /** Whether it is still this process's: after a long sleep another one may have taken the trial over. */
  isOwn(): boolean;
  release(): void;
}

export interface SweepStore {
  /** What messages call it. */
  readonly name: string;
  /** What results are made with here. */
  readonly machine: Machine;
  /** The last line of each trial that has ended, by its name. */
  readonly results: () => Promise<ReadonlyMap<string, TrialLine>>;
  readonly append: (line: TrialLine) => Promise<void>;
  /** Claims a trial by its name. A text says which process has it. */
  readonly claim: (trial: string) => Promise<Claim | string>;
  /** Where the run of a trial is kept. */
  readonly runStore: (trial: string) => Promise<RunStore>;
  /** What every later write would meet as well, in the user's words; null for any other error. */
  readonly writeError: (error: unknown) => InputError | null;
}
