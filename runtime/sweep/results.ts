/**
 * The result of a trial that has ended: its figures, or the reason of its failure, and the hashes that identify the
 * trial.
 */
import type { TestScore } from '../project/held-out.ts';
import type { Identity, PlannedTrial } from './plan.ts';

/** The measurements of a finished trial. */
export interface Figures {
  /** Mean cross-entropy over the test data; without test data, of the last tenth of training. */
  readonly loss: number;
  readonly lossOf: 'test' | 'training';
  /** Mean over tasks and their test data; null where no test data has questions. */
  readonly accuracy: number | null;
  readonly tests: readonly TestScore[];
  /** Mean training loss over the last tenth of the steps, by task. */
  readonly training: Readonly<Record<string, number>>;
  /** Trained numbers. */
  readonly parameters: number;
  /** Floating-point operations of one training step, by task. */
  readonly flops: Readonly<Record<string, number>>;
  /** Bytes of all buffers of the training package. */
  readonly memory: number;
  /** Seconds of training. */
  readonly time: number;
  readonly steps: number;
  /** Mean |f(g)| of the trained gates, f = tanh or identity, by prompt. */
  readonly gates: Readonly<Record<string, number>>;
  /** Training loss by task: [step, mean loss since the point before]. */
  readonly curve: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

/** The machine and the versions that a result was made with. */
export interface Machine {
  readonly machine: string;
  readonly host: string;
  /**
   * Commit of the checkout that the trial ran in, with a `+` when files differed from the commit; empty outside of a
   * checkout.
   */
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** A trial that has ended, as a store keeps it. */
export interface TrialLine extends Machine {
  /** The name of the trial. */
  readonly trial: string;
  readonly params: Readonly<Record<string, string>>;
  readonly seed: number | null;
  /** Null where the spec of the trial has errors. */
  readonly identity: Identity | null;
  /** When the trial began, and the seconds it took in all. */
  readonly started: string;
  readonly seconds: number;
  readonly device: string;
  /** A line has either figures or a reason. */
  readonly figures?: Figures;
  readonly failed?: string;
}

/** One combination of values, with the figures of its seeds. */
export interface CombinationResult {
  readonly combination: number;
  readonly params: Readonly<Record<string, string>>;
  readonly lines: readonly TrialLine[];
  readonly figures: readonly Figures[];
}

/** Whether a line is the result of this trial as the plan has it now: all hashes are equal. */
export const isSame = (line: TrialLine, { work }: PlannedTrial): boolean =>
  typeof work === 'string'
    ? line.identity === null && line.failed === work
    : JSON.stringify(line.identity) === JSON.stringify(work.identity);

/** The lines of those trials that have ended as the plan has them now. */
export const linesOf = (
  trials: readonly PlannedTrial[],
  results: ReadonlyMap<string, TrialLine>,
): TrialLine[] =>
  trials.flatMap((trial) => {
    const line = results.get(trial.key);
    return line && isSame(line, trial) ? [line] : [];
  });

/** `instruct on heldout`. */
export const testName = ({ task, data }: Pick<TestScore, 'task' | 'data'>): string => `${task} on ${data}`;
