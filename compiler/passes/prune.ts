/** Removes nodes none of whose results are read, and optional outputs that are not read. */
import type { Graph, Node } from '../graph/graph.ts';
import { isEffect, tensorAt, used } from '../graph/slots.ts';
import { ops } from '../ops/index.ts';

export function prune(graph: Graph): Graph {
  const live = new Set(graph.outputs.map((output) => output.tensor));
  const wanted = (id: number) => live.has(id) || isEffect(tensorAt(graph, id));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!used(node.outputs).some(wanted)) continue;
    used(node.inputs).forEach((id) => live.add(id));
    const optional = ops[node.op].optional ?? [];
    const outputs = node.outputs.map((id, slot) =>
      id !== null && optional.includes(slot) && !wanted(id) ? null : id,
    );
    nodes.push({ ...node, outputs });
  }
  return { ...graph, nodes: nodes.reverse() };
}
