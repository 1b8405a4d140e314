/** Reading the slots of nodes. */
import { invariant } from '../../grammar/invariant.ts';
import type { Graph, Tensor } from './graph.ts';

type Tensors = Pick<Graph, 'tensors'>;

export function tensorAt(graph: Tensors, id: number): Tensor {
  const tensor = graph.tensors[id];
  invariant(tensor, `tensor ${id} does not exist`);
  return tensor;
}

/** Ids in use among a node's slots. */
export const used = (slots: readonly (number | null)[]): number[] => slots.filter((id) => id !== null);

/** How many nodes read each tensor; a graph output counts as a reader. */
export function countReaders(graph: Pick<Graph, 'nodes' | 'outputs'>): Map<number, number> {
  const readers = new Map<number, number>();
  const count = (id: number) => readers.set(id, (readers.get(id) ?? 0) + 1);
  for (const node of graph.nodes) used(node.inputs).forEach(count);
  for (const output of graph.outputs) count(output.tensor);
  return readers;
}

/** Whether the values of this tensor are read outside of the graph: by the host, the optimizer, or a later run. */
export const isEffect = (tensor: Tensor): boolean => tensor.home !== 'activations';
