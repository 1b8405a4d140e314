/** Runs trials one after the other, beside other processes that do the same. */
import type { Claim } from './store.ts';

/** What is run, and how. */
export interface Each<T> {
  /** The trials that have not ended, read anew from the store. */
  readonly left: () => readonly T[] | Promise<readonly T[]>;
  /** Claims a trial by its name. A text says which process has it. */
  readonly claim: (trial: string) => Claim | string | Promise<Claim | string>;
  /** Runs one and writes its line, if the claim is still its own by then. */
  readonly run: (trial: T, held: Claim) => Promise<void>;
  /** Called when all that is left is with others, with their names. */
  readonly onWait?: (holders: string) => void;
}

/** Between looks at whether other processes are done, in milliseconds. */
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
      // Another process may have ended it between the look and the claim.
      if ((await left()).some(({ key }) => key === trial.key)) await run(trial, held);
    } finally {
      held.release();
    }
  }
}

/** The first trial nobody has, claimed; or who has them all. */
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
