/** A graph as text, one node a line: `%12 h [640, 128] = add(%10, %3)   layers.0.feed_forward`. */
import { padded } from '../model/model.ts';
import type { Graph, Node, Tensor } from './graph.ts';
import { tensorAt } from './slots.ts';

export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map((node) => {
    const outputs = node.outputs.map((id) => (id === null ? '_' : typed(tensorAt(graph, id)))).join(', ');
    const inputs = node.inputs.map((id) => (id === null ? '_' : reference(tensorAt(graph, id)))).join(', ');
    return `  ${outputs} = ${node.op}(${inputs})${attributes(node)}  // ${node.label}`;
  });
  const outputs = graph.outputs.map(({ name, tensor }) => `  ${name} = %${tensor}`);
  return [
    `graph ${graph.name} batch ${graph.batch} tokens ${graph.tokens} {`,
    ...lines,
    ...outputs,
    '}',
    '',
  ].join('\n');
}

const shape = (t: Tensor): string =>
  `[${t.rows}, ${t.axis.groups === 1 ? t.axis.size : `${t.axis.groups}x${t.axis.size}`}]`;
const typed = (t: Tensor): string =>
  `%${t.id} ${t.home === 'activations' ? '' : `${t.home}${t.parameter ? `.${t.parameter}` : ''} `}${shape(t)}`;
const reference = (t: Tensor): string => t.parameter ?? (t.home === 'activations' ? `%${t.id}` : t.name);

function attributes(node: Node): string {
  const shown = Object.entries(node.attrs)
    .filter(([, value]) => typeof value !== 'object')
    .map(([key, value]) => `${key}: ${String(value)}`);
  return shown.length === 0 ? '' : ` {${shown.join(', ')}}`;
}

/** Numbers of every home, in floats: what `graft build --emit graph` ends with. */
export function countHomes(graph: Graph): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const t of graph.tensors) totals.set(t.home, (totals.get(t.home) ?? 0) + t.rows * padded(t.axis));
  return totals;
}
