/** Removes what nobody reads: nodes without a used output, and optional outputs that are not used. */
import type { Graph, Node } from '../graph/graph.ts';
import { isEffect, tensorAt, used } from '../graph/slots.ts';

/** Output slots that an operation can leave out: what only a gradient reads, and gradients nobody asked for. */
const OPTIONAL: Readonly<Partial<Record<Node['op'], readonly number[]>>> = {
  rmsnorm: [1],
  layernorm: [1, 2],
  siluMulGrad: [0, 1],
  scaleGrad: [0, 1, 2],
  prependGrad: [0, 1],
  crossEntropy: [1],
};

export function prune(graph: Graph): Graph {
  const live = new Set(graph.outputs.map((output) => output.tensor));
  const wanted = (id: number) => live.has(id) || isEffect(tensorAt(graph, id));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!used(node.outputs).some(wanted)) continue;
    used(node.inputs).forEach((id) => live.add(id));
    const optional = OPTIONAL[node.op] ?? [];
    const outputs = node.outputs.map((id, slot) =>
      id !== null && optional.includes(slot) && !wanted(id) ? null : id,
    );
    nodes.push({ ...node, outputs });
  }
  return { ...graph, nodes: nodes.reverse() };
}
