/** What a program computes, counted from its graph. */
import type { Graph, OpName } from '../graph/graph.ts';
import { ops } from './index.ts';
import type { Op } from './op.ts';

/**
 * Floating-point operations of a graph's matrix products. Everything else (norms, softmax, bias and scale, the optimizer)
 * takes one or a few operations a number, which is below a hundredth of that in any model wider than a toy, and is left
 * out as papers leave it out.
 */
export const countFlops = ({ nodes }: Pick<Graph, 'nodes'>): number =>
  nodes.reduce((sum, node) => sum + ((ops[node.op] as Op<OpName>).flops?.(node) ?? 0), 0);
