/** How the tasks of an adapter are trained: plain data of a checked `recipe`. */
import type { Span } from '../../grammar/source.ts';

export interface Recipe {
  readonly name: string;
  /**
   * How tasks take turns, one task a step. Alternate: `count` steps of each in turn. Proportional: drawn with chances
   * in the ratio of the counts. Staged: one task after the other, each for its share of the run.
   */
  readonly mix: {
    readonly kind: 'alternate' | 'proportional' | 'staged';
    readonly parts: readonly { readonly task: string; readonly count: number }[];
  };
  readonly optimizer: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
  };
  /** `floor` is the share of the learning rate that is left at the end. */
  readonly schedule: {
    readonly kind: 'cosine' | 'constant' | 'linear';
    readonly warmup: Duration;
    readonly floor: number;
  };
  /** Exactly one of them is set. */
  readonly epochs: number | null;
  readonly steps: number | null;
  /** Sequences in one micro-batch. */
  readonly batch: number;
  /** Micro-batches whose gradients are added before one optimizer step. */
  readonly accumulate: number;
  /**
   * What the loss of a step is the mean of: its labels, in whichever micro-batch they are; or the mean losses of its
   * micro-batches, each of which then counts alike (the official engine_finetune.py). One micro-batch: the same.
   */
  readonly average: 'labels' | 'batches';
  /** Global gradient norm bound; null = no clipping (the official code's setting). */
  readonly clip: number | null;
  readonly seed: number;
  readonly span: Span;
}

export interface Duration {
  readonly value: number;
  /** A share is one of the whole run, from 0 to 1. */
  readonly unit: 'steps' | 'epochs' | 'share';
}
