/** How far float32 may be from the recorded figures: the cases' README, "Bounds". */
export const BOUND = {
  logits: 1e-4,
  loss: 1e-5,
  /** Of the tensor's largest. */
  gradient: 2e-4,
  stepLoss: 1e-4,
  /** Logits after five steps. */
  trained: 5e-4,
  /** Trained numbers, in learning rates. */
  parameter: 0.05,
} as const;

/** Below this difference of two logits their tokens may change places. */
export const MARGIN = 1e-3;
/** A margin that is wide enough although a file's numbers are rounded to blocks. */
export const ROUGH_MARGIN = 1e-2;
/** Numbers whose first gradient is below this share of the tensor's largest go their own way under AdamW. */
export const NOISE = 1e-5;
