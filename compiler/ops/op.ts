/** The descriptor of an operation, apart from its kernels: its slots, its gradient, its reference on the CPU. */
import type { Builder } from '../graph/builder.ts';
import type { NodeOf, OpName, Tensor } from '../graph/graph.ts';

/** Values of a tensor on the CPU, in its padded layout. */
export type Values = Float64Array;

/** One tensor of a node together with its values. */
export interface Operand {
  readonly tensor: Tensor;
  readonly values: Values;
}

export interface Op<K extends OpName> {
  /** Numbers of inputs and outputs of its nodes; null: any number of inputs. */
  readonly slots: readonly [inputs: number | null, outputs: number];
  /** Output slots that a node may leave empty: values that only a gradient reads, and gradients that no node needs. */
  readonly optional?: readonly number[];
  /** Floating-point operations of a node; absent where they are too few to count (see flops.ts). */
  readonly flops?: (node: NodeOf<K>) => number;
  /**
   * Gradients of the inputs from the gradients of the outputs, as new nodes of `g`; null where none flows.
   * `needs[i]` says whether anyone wants the gradient of input i. Absent: the operation has no gradient.
   */
  readonly gradient?: (
    g: Builder,
    node: NodeOf<K>,
    outputs: readonly (Tensor | null)[],
    needs: readonly boolean[],
  ) => readonly (Tensor | null)[];
  /**
   * The operation in float64, slow and obvious: the oracle for every kernel. `outputs[i].values` start as zeros
   * (or as the former values of tensors that are updated in place) and are filled.
   */
  readonly reference: (
    node: NodeOf<K>,
    inputs: readonly (Operand | null)[],
    outputs: readonly (Operand | null)[],
  ) => void;
}
