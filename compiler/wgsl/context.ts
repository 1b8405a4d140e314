/** The arguments of emitters, and helpers for the tensors of a node. */
import { invariant } from '../../grammar/invariant.ts';
import type { Graph, NodeOf, OpName, Tensor } from '../graph/graph.ts';
import { padded } from '../model/model.ts';
import type { Profile } from '../package/package.ts';
import type { Launch } from './kernel.ts';

/** Chooses the kernels of one kind of node. */
export type Emitter<K extends OpName> = (
  node: NodeOf<K>,
  graph: Graph,
  profile: Profile,
) => readonly Launch[];

export function tensorAt(graph: Graph, id: number | null | undefined): Tensor {
  const tensor = graph.tensors[id ?? -1];
  invariant(tensor, `no tensor ${id}`);
  return tensor;
}

/** Groups of four numbers in a row. */
export const quads = (tensor: Tensor): number => padded(tensor.axis) / 4;
