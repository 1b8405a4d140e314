/**
 * The interface to the place where a training run keeps metrics and checkpoints. In Node it is a folder
 * (run-folder.ts); a page brings its own.
 */
import type { Attributes } from '../../compiler/package/package.ts';

export interface CheckpointMeta {
  /** Optimizer steps done. */
  readonly step: number;
  /** sha256 of the spec, `Manifest.spec.hash`. */
  readonly spec: string;
  /** Fingerprint of the base, from `loadBase`. */
  readonly base: string;
  readonly seed: number;
  /** The adapter and its recipe as this run uses them, `--steps` included. Absent in older files. */
  readonly recipe?: string;
  /**
   * Hashes of the other files that the run reads, such as data and encoders' weights, by the names that messages use.
   * Absent in older files.
   */
  readonly inputs?: Readonly<Record<string, string>>;
  /**
   * Attributes of the spec's parts, tasks and base, so that a message can name the one that changed. Absent in older
   * files.
   */
  readonly attributes?: Attributes;
  /** Steps that each cell was trained for, in the order of `Manifest.cells`: AdamW's bias correction needs them. */
  readonly cellSteps: readonly number[];
  /** Versions of the program that wrote the checkpoint, such as `{ graft: '0.1.0', package: '1' }`. */
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
  /** Newer files that were damaged and skipped, with the reason. */
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
  /** Labels of the step. A step without labels has a loss of 0, which means nothing. */
  readonly labels: number;
  /** Seconds since this process began to train. */
  readonly seconds: number;
}

export interface MetricsFile {
  /** Metrics of the steps before the run was continued, from the file. */
  readonly kept: readonly StepMetrics[];
  append(metrics: StepMetrics): Promise<void>;
  seconds(): number;
  close(): Promise<void>;
}

export interface RunStore {
  /** The name that messages use for the place of the checkpoints. */
  readonly place: string;
  /** The last whole checkpoint; null: there is none yet. @throws InputError when all of them are damaged */
  readonly loadCheckpoint: () => Promise<LoadedCheckpoint | null>;
  /** @throws InputError when the checkpoint cannot be written; earlier checkpoints are untouched then */
  readonly saveCheckpoint: (checkpoint: Checkpoint) => Promise<unknown>;
  /**
   * Opens the metrics for steps from `first` on. Metrics of later steps are removed, since these steps are run again.
   */
  readonly openMetrics: (first: number) => Promise<MetricsFile>;
}
