/**
 * Fuses three nodes in the backward pass of a linear with a scale into one: dz = dy * s for the product, the column
 * sums of dy * z for the scale, and the column sums of dz for the bias. The separate nodes read dy, z, dy and dz; the
 * fused node reads dy and z, and does not write dz where only the bias needs it.
 *
 * The fused node stands where dz was computed. The sums move up to it: their operands are computed by then, and no node
 * between reads their results.
 */
import type { Graph, Node, NodeOf } from '../graph/graph.ts';
import { countReaders, isEffect, tensorAt } from '../graph/slots.ts';

type ColumnSum = NodeOf<'columnSum'>;

export function fuseScale(graph: Graph): Graph {
  const readers = countReaders(graph);
  const sums = columnSums(graph.nodes);
  const at = new Map<number, number>();
  graph.nodes.forEach((node, index) => node.outputs.forEach((id) => id !== null && at.set(id, index)));
  const taken = new Set<Node>();
  const fused = graph.nodes.map((node, index): Node => {
    const [dy, s] = node.inputs;
    const [dz] = node.outputs;
    if (node.op !== 'mulScale' || !isId(dy) || !isId(s) || !isId(dz)) return node;
    const later = (id: number) =>
      (sums.get(id) ?? []).filter((sum) => !taken.has(sum) && (at.get(sum.outputs[0] ?? -1) ?? -1) > index);
    const scale = later(dy).find(
      ({ inputs: [, z] }) => isId(z) && z !== s && z !== dz && (at.get(z) ?? -1) < index,
    );
    const bias = later(dz).find(({ inputs: [, other] }) => other === null);
    if (!scale && (!bias || isProduct(graph, at.get(dy)))) return node;
    for (const sum of [scale, bias]) if (sum) taken.add(sum);
    const written = isEffect(tensorAt(graph, dz)) || (readers.get(dz) ?? 0) > (bias ? 1 : 0);
    return {
      op: 'scaleGrad',
      inputs: [dy, scale?.inputs[1] ?? null, s],
      outputs: [written ? dz : null, scale?.outputs[0] ?? null, bias?.outputs[0] ?? null],
      attrs: {},
      origin: node.origin,
      fused: [scale, bias].flatMap((sum) => sum?.origin ?? []),
    };
  });
  return { ...graph, nodes: fused.filter((_, index) => !taken.has(graph.nodes[index] as Node)) };
}

const isId = (id: number | null | undefined): id is number => typeof id === 'number';

/** Column sums without row weights, by the tensor that they sum (or the first factor of the product that they sum). */
function columnSums(nodes: readonly Node[]): Map<number, ColumnSum[]> {
  const sums = new Map<number, ColumnSum[]>();
  for (const node of nodes) {
    const [a, , rowScale] = node.inputs;
    if (node.op === 'columnSum' && isId(a) && rowScale === null) sums.set(a, [...(sums.get(a) ?? []), node]);
  }
  return sums;
}

/** A plain product can scale its own result at no cost, which is cheaper than a pass over dy for the bias alone. */
function isProduct(graph: Graph, index: number | undefined): boolean {
  const node = index === undefined ? undefined : graph.nodes[index];
  return node?.op === 'matmul' && node.attrs.outer === 1 && node.attrs.inner === 1;
}
