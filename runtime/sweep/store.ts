/**
 * The interface to the place where a sweep keeps its results, which also makes processes that share the place run each
 * trial once. `stores/folder.ts` is the store for Node, a folder; a page would keep lines in its own storage and be the
 * only claimant.
 */
import type { InputError } from '../input-error.ts';
import type { RunStore } from '../train/run-store.ts';
import type { Machine, TrialLine } from './results.ts';

export interface Claim {
  /** Whether this process still holds the claim: after a long sleep another process may have taken the trial over. */
  isOwn(): boolean;
  release(): void;
}

export interface SweepStore {
  /** The name that messages use for the store. */
  readonly name: string;
  /** The machine and versions that results of this process are made with. */
  readonly machine: Machine;
  /** The last line of each trial that has ended, by its name. */
  readonly results: () => Promise<ReadonlyMap<string, TrialLine>>;
  readonly append: (line: TrialLine) => Promise<void>;
  /** Claims a trial by its name. Returns a text when another process has the trial; the text names that process. */
  readonly claim: (trial: string) => Promise<Claim | string>;
  /** The store for metrics and checkpoints of a trial. */
  readonly runStore: (trial: string) => Promise<RunStore>;
  /**
   * For an error that every later write would meet too, such as a full disk, the message for the user; null for any
   * other error.
   */
  readonly writeError: (error: unknown) => InputError | null;
}
