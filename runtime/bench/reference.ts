/** The same operations in float64 on the CPU, by the references of the compiler's operations: slow, and obviously right. */
import { invariant } from '../../grammar/invariant.ts';
import { extent } from '../../compiler/graph/tape.ts';
import type { Graph, Node, Tensor } from '../../compiler/graph/graph.ts';
import { tensorAt } from '../../compiler/graph/slots.ts';
import { ops } from '../../compiler/ops/index.ts';
import type { Op, Operand } from '../../compiler/ops/op.ts';
import type { PackagedParameter, Profile } from '../../compiler/package/package.ts';
import { LEARNING_RATE, LOSSES, valuesOf, type Operation } from './ops.ts';
import { hostInputs, parameterValues } from './ours.ts';
import { compileOperation } from './package.ts';

/** Which kernels are chosen does not matter here. */
const profile: Profile = { device: 'gpu', subgroup: null };
/** Left out: gradient descent is done by hand below, to check what is made of AdamW as well. */
const OPTIMIZER: ReadonlySet<string> = new Set(['sumSquares', 'gradNorm', 'adamw']);

type Memory = Map<number, Float64Array>;

/** What `Prepared.result` should give. */
export function referenceResult(op: Operation): Float64Array {
  const { manifest, graph } = compileOperation(op, profile);
  const parameters = startValues(op, manifest.parameters);
  const inputs = hostInputs(op, valuesOf(op));
  if (op.kind !== 'block') {
    const memory = run(graph, parameters, inputs);
    return read(memory, graph.outputs.find((output) => output.name === 'out')?.tensor);
  }
  return Float64Array.from({ length: LOSSES }, () => {
    const memory = run(graph, parameters, inputs);
    descend(graph, memory, parameters);
    const loss = graph.tensors.find((t) => t.name === 'twiceLoss');
    return (read(memory, loss?.id)[0] ?? NaN) / 2;
  });
}

function startValues(op: Operation, parameters: readonly PackagedParameter[]): Map<string, Float64Array> {
  const values = valuesOf(op);
  // All sizes of the measured operations are multiples of four, so nothing is padded.
  return new Map(parameters.map((p) => [p.name, Float64Array.from(parameterValues(p, values))]));
}

function read(memory: Memory, id: number | undefined): Float64Array {
  const values = memory.get(id ?? -1);
  invariant(values, 'the graph has no such output');
  return values;
}

function run(
  graph: Graph,
  parameters: ReadonlyMap<string, Float64Array>,
  inputs: Readonly<Record<string, Float32Array | Uint32Array>>,
): Memory {
  const memory: Memory = new Map();
  for (const t of graph.tensors) {
    const parameter =
      t.home === 'weights' || t.home === 'parameters' ? parameters.get(t.parameter ?? '') : undefined;
    const input = t.home === 'inputs' ? inputs[t.name] : undefined;
    if (parameter) memory.set(t.id, parameter);
    else if (input) memory.set(t.id, Float64Array.from(input));
  }
  for (const node of graph.nodes) if (!OPTIMIZER.has(node.op)) runNode(graph, node, memory);
  return memory;
}

function runNode(graph: Graph, node: Node, memory: Memory): void {
  const operand = (id: number | null, make: (t: Tensor) => Float64Array): Operand | null => {
    if (id === null) return null;
    const tensor = tensorAt(graph, id);
    return { tensor, values: make(tensor) };
  };
  const inputs = node.inputs.map((id) => operand(id, (t) => read(memory, t.id)));
  const outputs = node.outputs.map((id) => operand(id, (t) => new Float64Array(extent(t))));
  (ops[node.op].reference as Op<Node['op']>['reference'])(node, inputs, outputs);
  for (const output of outputs) if (output) memory.set(output.tensor.id, output.values);
}

/** One step of plain gradient descent on everything that has a gradient. */
function descend(graph: Graph, memory: Memory, parameters: ReadonlyMap<string, Float64Array>): void {
  for (const t of graph.tensors) {
    const gradient = t.home === 'gradients' && t.parameter !== undefined ? memory.get(t.id) : undefined;
    const values = gradient && parameters.get(t.parameter ?? '');
    values?.forEach((value, i) => (values[i] = value - LEARNING_RATE * (gradient?.[i] ?? NaN)));
  }
}
