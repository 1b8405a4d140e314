/** What must hold of every graph; run after every pass in tests. */
import { invariant } from '../../grammar/invariant.ts';
import { type Graph, labelOf, type Node, type OpName } from './graph.ts';
import { isEffect, tensorAt, used } from './slots.ts';

/** Slots of each operation: inputs, outputs. `gradNorm` takes any number of inputs. */
const SLOTS: Readonly<Record<OpName, readonly [number | null, number]>> = {
  matmul: [6, 2],
  addBias: [2, 1],
  mulScale: [2, 1],
  add: [2, 1],
  columnSum: [3, 1],
  scaleGrad: [3, 3],
  siluMul: [2, 1],
  siluMulGrad: [3, 2],
  rmsnorm: [2, 2],
  rmsnormGrad: [5, 1],
  layernorm: [3, 3],
  layernormGrad: [5, 1],
  unitRows: [1, 1],
  activate: [1, 1],
  activateGrad: [2, 1],
  rope: [3, 1],
  softmax: [3, 2],
  softmaxGrad: [4, 2],
  gateAdd: [3, 1],
  gateMul: [2, 1],
  gateGrad: [2, 1],
  embed: [2, 1],
  embedGrad: [3, 1],
  prepend: [2, 1],
  prependGrad: [1, 2],
  addTable: [2, 1],
  segment: [1, 1],
  segmentGrad: [1, 1],
  repeat: [1, 1],
  repeatGrad: [1, 1],
  cacheWrite: [2, 1],
  copy: [1, 1],
  crossEntropy: [3, 2],
  sum: [1, 1],
  sumSquares: [1, 1],
  gradNorm: [null, 1],
  adamw: [7, 3],
  accumulate: [3, 1],
};

/** Throws when a node has the wrong slots, reads what is not written yet, or writes an activation twice. */
export function verify(graph: Graph): Graph {
  const written = new Set<number>();
  for (const node of graph.nodes) {
    const name = `${graph.name}: ${node.op} (${labelOf(node.origin)})`;
    checkSlots(node, name);
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
  const [inputs, outputs] = SLOTS[node.op];
  invariant(inputs === null || node.inputs.length === inputs, `${name} has ${node.inputs.length} inputs`);
  invariant(node.outputs.length === outputs, `${name} has ${node.outputs.length} outputs`);
  const all = used(node.inputs);
  invariant(new Set(all).size === all.length, `${name} reads one tensor in two slots`);
}
