/** A graph as text, one node a line: `%12 h [640, 128] = add(%10, %3)   layers.0.feed_forward`. */
import type { Span } from '../../grammar/source.ts';
import { padded } from '../model/model.ts';
import { type Graph, labelOf, type Node, type Tensor } from './graph.ts';
import { tensorAt } from './slots.ts';

/** Gives the file and line of a place in the spec, as `v2.adapter:12`. */
export type LineOf = (span: Span) => string;

function printGraph(graph: Graph): string {
  const lines = graph.nodes.map((node) => {
    const outputs = node.outputs.map((id) => (id === null ? '_' : typed(tensorAt(graph, id)))).join(', ');
    const inputs = node.inputs.map((id) => (id === null ? '_' : reference(tensorAt(graph, id)))).join(', ');
    return `  ${outputs} = ${node.op}(${inputs})${attributes(node)}  // ${labelOf(node.origin)}`;
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

/** Graphs one below the other, each with a count of numbers for every home. */
export const printGraphs = (graphs: readonly Graph[]): string =>
  graphs
    .map((graph) => {
      const homes = [...countHomes(graph)].map(([home, count]) => `  // ${home}: ${count} numbers`);
      return `${printGraph(graph)}${homes.join('\n')}\n`;
    })
    .join('\n');

/** Counts the numbers of the tensors of every home. */
function countHomes(graph: Graph): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const t of graph.tensors) totals.set(t.home, (totals.get(t.home) ?? 0) + t.rows * padded(t.axis));
  return totals;
}
