/** What every contestant offers: ourselves, jax-js and tfjs alike. Each runs in a process of its own. */
import { LOSSES, type Numbers, type Operation } from './ops.ts';

export type SideName = 'ours' | 'jax-js' | 'tfjs';

/** An operation that is ready to run on one side. */
export interface Prepared {
  /** Enqueues n runs one after the other, then waits for the device once. A run of a block is one training step. */
  run(n: number): Promise<void>;
  /** The output of the operation; for a block the losses before each of the first `LOSSES` steps. */
  result(): Promise<Float32Array>;
  close(): void;
}

/**
 * A training step that is ready to run.
 * @param advance runs n steps and gives the loss before the last of them, which is read once
 */
export function preparedStep(advance: (n: number) => Promise<number>, close: () => void): Prepared {
  const losses: number[] = [];
  const run = async (n: number): Promise<void> => {
    losses.push(await advance(n));
  };
  return {
    run,
    async result() {
      while (losses.length < LOSSES) await run(1);
      return Float32Array.from(losses.slice(0, LOSSES));
    },
    close,
  };
}

export interface Side {
  prepare(op: Operation, values: Numbers): Promise<Prepared>;
}

/** What the parent asks of a worker; `lane` names a prepared operation. */
export type Request =
  | {
      readonly ask: 'open';
      readonly side: SideName;
      /** Where the peers are installed. */
      readonly folder: string | null;
      /** Whether a peer's waits sleep, as ours always do: see runtime/device/poll.ts. */
      readonly sameWait: boolean;
    }
  | { readonly ask: 'prepare'; readonly lane: string; readonly op: Operation }
  | { readonly ask: 'run'; readonly lane: string; readonly n: number }
  | { readonly ask: 'result'; readonly lane: string }
  | { readonly ask: 'close'; readonly lane: string };

/** What comes back: milliseconds for `prepare` (from given numbers to the end of the first run) and `run`, numbers for `result`. */
export type Answer = Done | Refusal;
export interface Done {
  readonly ok: true;
  readonly ms: number;
  readonly values: Float32Array | null;
}
export interface Refusal {
  readonly ok: false;
  readonly error: string;
  /** The error's name, by which `main` tells what a user can mend from bugs. */
  readonly name: string;
}
