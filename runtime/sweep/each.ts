/** Runs trials one after the other, while other processes may do the same. */
import type { Claim } from './store.ts';

/** How to find, claim and run trials. */
export interface Each<T> {
  /** The trials that have not ended, read anew from the store. */
  readonly left: () => readonly T[] | Promise<readonly T[]>;
  /** Claims a trial by its name. Returns a text when another process has the trial; the text names that process. */
  readonly claim: (trial: string) => Claim | string | Promise<Claim | string>;
  /** Runs a trial, and writes its line if the claim is still held at the end. */
  readonly run: (trial: T, held: Claim) => Promise<void>;
  /** Called when other processes hold all remaining trials, with the names of these processes. */
  readonly onWait?: (holders: string) => void;
}

/** Milliseconds between two looks at whether other processes have ended their trials. */
const PAUSE = 500;

/** Runs one trial after the other until none is left, here or in another process. */
export async function runEach<T extends { readonly key: string }>({
  left,
  claim,
  run,
  onWait,
}: Each<T>): Promise<void> {
  for (let waited = ''; ;) {
    const open = await left();
    if (open.length === 0) return;
    const found = await firstFree(claim, open);
    if (typeof found === 'string') {
      if (found !== waited) onWait?.((waited = found));
      await new Promise((resume) => setTimeout(resume, PAUSE));
      continue;
    }
    const { trial, held } = found;
    try {
      // Another process may have ended this trial between the look at the results and the claim.
      if ((await left()).some(({ key }) => key === trial.key)) await run(trial, held);
    } finally {
      held.release();
    }
  }
}

/** Claims the first free trial. Returns a text when none is free: the names of the processes that hold them. */
async function firstFree<T extends { readonly key: string }>(
  claim: Each<T>['claim'],
  open: readonly T[],
): Promise<{ readonly trial: T; readonly held: Claim } | string> {
  const holders = new Set<string>();
  for (const trial of open) {
    const held = await claim(trial.key);
    if (typeof held !== 'string') return { trial, held };
    holders.add(held);
  }
  return [...holders].join(', ');
}
