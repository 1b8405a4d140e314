/** What a program computes, counted from its graph. */
import type { Graph, Matmul } from './graph.ts';

/**
 * Floating-point operations of a graph's matrix products, two for each multiply-add. Everything else (norms, softmax,
 * bias and scale, the optimizer) takes one or a few operations a number, which is below a hundredth of that in any model
 * wider than a toy, and is left out as papers leave it out.
 */
export const countFlops = ({ nodes }: Pick<Graph, 'nodes'>): number =>
  nodes.reduce((sum, node) => sum + (node.op === 'matmul' ? 2 * multiplyAdds(node.attrs) : 0), 0);

const multiplyAdds = ({ m, n, k, outer, inner, reps }: Matmul): number => m * n * k * outer * inner * reps;
