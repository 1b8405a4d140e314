/** Checks the invariants of a graph; tests run it after every pass. */
import { invariant } from '../../grammar/invariant.ts';
import { type Graph, labelOf, type Node } from '../graph/graph.ts';
import { isEffect, tensorAt, used } from '../graph/slots.ts';
import { ops } from './index.ts';

/** Throws when a node has the wrong slots, reads what is not written yet, or writes an activation twice. */
export function verify(graph: Graph): Graph {
  const written = new Set<number>();
  for (const node of graph.nodes) {
    const name = `${graph.name}: ${node.op} (${labelOf(node.origin)})`;
    checkSlots(node, name);
    node.inputs.forEach((id, slot) => {
      const storage = id === null ? undefined : tensorAt(graph, id).storage;
      invariant(
        storage === undefined ||
          (node.op === 'matmul' && slot === 1) ||
          ((node.op === 'embed' || node.op === 'inverseNorms') && slot === 0),
        `${name} cannot read numbers stored as ${storage}`,
      );
    });
    for (const id of used(node.inputs))
      invariant(
        written.has(id) || tensorAt(graph, id).home !== 'activations',
        `${name} reads ${tensorAt(graph, id).name} before it is written`,
      );
    for (const id of used(node.outputs)) {
      invariant(
        isEffect(tensorAt(graph, id)) || !written.has(id),
        `${name} writes ${tensorAt(graph, id).name} again`,
      );
      written.add(id);
    }
  }
  return graph;
}

function checkSlots(node: Node, name: string): void {
  const [inputs, outputs] = ops[node.op].slots;
  invariant(inputs === null || node.inputs.length === inputs, `${name} has ${node.inputs.length} inputs`);
  invariant(node.outputs.length === outputs, `${name} has ${node.outputs.length} outputs`);
  const all = used(node.inputs);
  invariant(new Set(all).size === all.length, `${name} reads one tensor in two slots`);
}
