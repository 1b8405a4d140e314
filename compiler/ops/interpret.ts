/**
 * Runs a graph on the CPU in float64 with the references of its operations: slow and obvious, the oracle for whole
 * programs.
 */
import { invariant } from '../../grammar/invariant.ts';
import { ops } from './index.ts';
import type { Op, Operand, Values } from './op.ts';
import { extent } from '../graph/tape.ts';
import type { Graph, Node, OpName } from '../graph/graph.ts';
import { tensorAt } from '../graph/slots.ts';

/**
 * The values of every tensor after all nodes ran, by tensor id. `given` holds the values of the tensors that no node
 * writes, and is not changed. State that is not given starts as zeros.
 */
export function interpret(
  graph: Pick<Graph, 'tensors' | 'nodes'>,
  given: ReadonlyMap<number, Values>,
): Map<number, Values> {
  const values = new Map(given);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => (id === null ? null : read(graph, values, id)));
    const outputs = node.outputs.map((id) => (id === null ? null : makeOutput(graph, values, node, id)));
    const reference = (ops[node.op] as Op<OpName>).reference;
    reference(node, inputs, outputs);
    for (const output of outputs) if (output) values.set(output.tensor.id, output.values);
  }
  return values;
}

function read(graph: Pick<Graph, 'tensors'>, values: ReadonlyMap<number, Values>, id: number): Operand {
  const tensor = tensorAt(graph, id);
  const found = values.get(id) ?? (tensor.home === 'state' ? new Float64Array(extent(tensor)) : undefined);
  invariant(found, `${tensor.name} is read before it has values`);
  invariant(
    found.length === extent(tensor),
    `${tensor.name}: ${found.length} values for ${extent(tensor)} places`,
  );
  return { tensor, values: found };
}

/** Zeros, or a copy of the former values where the node only changes some: operations in place, and state. */
function makeOutput(
  graph: Pick<Graph, 'tensors'>,
  values: ReadonlyMap<number, Values>,
  node: Node,
  id: number,
): Operand {
  const tensor = tensorAt(graph, id);
  const keeps = node.inputs.includes(id) || tensor.home === 'state';
  return {
    tensor,
    values: keeps ? read(graph, values, id).values.slice() : new Float64Array(extent(tensor)),
  };
}
