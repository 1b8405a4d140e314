/** What is known of a trial that has ended: figures or a reason, with what they are figures of. */
import type { TestScore } from '../project/held-out.ts';
import type { Identity, PlannedTrial } from './plan.ts';

/** What a finished trial measured. */
export interface Figures {
  /** Mean cross-entropy over the test data; of the last tenth of training where there is none. */
  readonly loss: number;
  readonly lossOf: 'test' | 'training';
  /** Mean over tasks and their test data; null where nothing is asked. */
  readonly accuracy: number | null;
  readonly tests: readonly TestScore[];
  /** Mean of the last tenth of its steps, by task. */
  readonly training: Readonly<Record<string, number>>;
  /** Trained numbers. */
  readonly parameters: number;
  /** Of one training step, by task. */
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

/** What a result was made with. */
export interface Machine {
  readonly machine: string;
  readonly host: string;
  /** Of the checkout it ran in, with a `+` when files differed from it; empty outside of one. */
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
  /** When it began, and seconds it took in all. */
  readonly started: string;
  readonly seconds: number;
  readonly device: string;
  /** One of the two. */
  readonly figures?: Figures;
  readonly failed?: string;
}

/** One combination of values, with what its seeds measured. */
export interface CombinationResult {
  readonly combination: number;
  readonly params: Readonly<Record<string, string>>;
  readonly lines: readonly TrialLine[];
  readonly figures: readonly Figures[];
}

/** Whether a line is of this trial as it is planned now. */
export const isSame = (line: TrialLine, { work }: PlannedTrial): boolean =>
  typeof work === 'string'
    ? line.identity === null && line.failed === work
    : JSON.stringify(line.identity) === JSON.stringify(work.identity);

/** `instruct on heldout`. */
export const testName = ({ task, data }: Pick<TestScore, 'task' | 'data'>): string => `${task} on ${data}`;
