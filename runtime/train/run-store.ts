/** Where a training run keeps its metrics and checkpoints: a folder in Node (run-folder.ts), whatever a page has elsewhere. */
import type { Attributes } from '../../compiler/package/package.ts';

export interface CheckpointMeta {
  /** Optimizer steps done. */
  readonly step: number;
  /** sha256 of the spec, `Manifest.spec.hash`. */
  readonly spec: string;
  /** Fingerprint of the base, from `loadBase`. */
  readonly base: string;
  readonly seed: number;
  /** The adapter and its recipe as the run has them, `--steps` included; older files do not say. */
  readonly recipe?: string;
  /** Hashes of what else the run reads, such as data and encoders' files, by what they are called; older files do not say. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** What the spec's parts, tasks and base are, so that a changed one can be named; older files do not say. */
  readonly attributes?: Attributes;
  /** Steps each cell was trained for, in the order of `Manifest.cells`: AdamW corrects its bias by it. */
  readonly cellSteps: readonly number[];
  /** Versions of what wrote it, such as `{ graft: '0.1.0', package: '1' }`. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface CheckpointTensor {
  /** The parameter's name; `m.NAME` and `v.NAME` for its moments. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Checkpoint {
  readonly tensors: readonly CheckpointTensor[];
  readonly meta: CheckpointMeta;
}

export interface LoadedCheckpoint {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly meta: CheckpointMeta;
  readonly path: string;
  /** Newer files that were damaged and passed over, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export interface StepMetrics {
  readonly step: number;
  readonly task: string;
  readonly loss: number;
  /** Gradient norm before clipping. */
  readonly norm: number;
  readonly lr: number;
  /** Tokens of the step, padding included. */
  readonly tokens: number;
  /** Labels of the step; the loss of one without any is 0, and says nothing. */
  readonly labels: number;
  /** Since this process began to train. */
  readonly seconds: number;
}

export interface MetricsFile {
  /** Steps of the run from before it was gone on with, as the file has them. */
  readonly kept: readonly StepMetrics[];
  append(metrics: StepMetrics): Promise<void>;
  seconds(): number;
  close(): Promise<void>;
}

export interface RunStore {
  /** What messages call the place of the checkpoints. */
  readonly place: string;
  /** The last whole checkpoint; null: there is none yet. @throws InputError when all of them are damaged */
  readonly loadCheckpoint: () => Promise<LoadedCheckpoint | null>;
  /** @throws InputError when it cannot be kept; earlier checkpoints are untouched then */
  readonly saveCheckpoint: (checkpoint: Checkpoint) => Promise<unknown>;
  /** Metrics for steps from `first` on: those of later steps are dropped, they will come again. */
  readonly openMetrics: (first: number) => Promise<MetricsFile>;
}
