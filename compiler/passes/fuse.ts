/**
 * Moves bias, scale, SiLU-and-multiply and residual sums into the products they follow, and residual sums into the
 * gradients of RMSNorm and LayerNorm.
 *
 * A product absorbs a following node when that node is the only reader of the product's result, or when the fused node
 * can save the value in between as a second output (one such save a product). The fused node stands where the following
 * node stood: there all of its inputs exist, and no earlier node reads its result.
 */
import { invariant } from '../../grammar/invariant.ts';
import type { Graph, Matmul, Node, NodeOf, Origin } from '../graph/graph.ts';
import { countReaders, isEffect, tensorAt } from '../graph/slots.ts';

/** Slots of a matmul. */
const [BIAS, SCALE, RESIDUAL, SILU] = [2, 3, 4, 5] as const;
type Product = NodeOf<'matmul'>;

export function fuse(graph: Graph): Graph {
  const nodes: (Node | null)[] = [...graph.nodes];
  const readers = countReaders(graph);
  /** For each activation, the place of the node that writes it; fusing moves these places. */
  const at = new Map<number, number>();
  nodes.forEach((node, index) => node?.outputs.forEach((id) => id !== null && at.set(id, index)));

  graph.nodes.forEach((follower, index) => {
    for (const id of candidates(follower)) {
      const where = at.get(id);
      const before = where === undefined ? null : nodes[where];
      if (where === undefined || !before || where >= index || isEffect(tensorAt(graph, id))) continue;
      const made = merge(before, follower, id, (readers.get(id) ?? 0) === 1);
      const merged = made && { ...made, fused: [...originsOf(before).slice(1), ...originsOf(follower)] };
      // A fused product moves down to the node that it absorbs, so a value that is read in between must not move with
      // it.
      if (!merged || readBetween(nodes, merged, where, index)) continue;
      nodes[where] = null;
      nodes[index] = merged;
      merged.outputs.forEach((out) => out !== null && at.set(out, index));
      return;
    }
  });
  return { ...graph, nodes: nodes.filter((node) => node !== null) };
}

/** The origin of a node, and the origins of the nodes that were fused into it. */
const originsOf = ({ origin, fused = [] }: Node): readonly Origin[] => [origin, ...fused];

/** Inputs of a node whose writer could take the node in. */
function candidates(node: Node): number[] {
  const [first, second] = node.inputs;
  switch (node.op) {
    case 'addBias':
    case 'mulScale':
      return first === null || first === undefined ? [] : [first];
    case 'add':
      return [first, second].filter((id) => id !== null && id !== undefined);
    case 'siluMul':
      return second === null || second === undefined ? [] : [second];
    default:
      return [];
  }
}

function merge(before: Node, follower: Node, id: number, only: boolean): Node | null {
  const other = follower.inputs.find((input) => input !== id) ?? null;
  const result = follower.outputs[0] ?? null;
  if ((before.op === 'rmsnormGrad' || before.op === 'layernormGrad') && follower.op === 'add') {
    // A residual that the gradient already reads (of a norm without a linear behind it) would be in two slots.
    if (!only || before.inputs[4] !== null || other === null || before.inputs.includes(other)) return null;
    return { ...before, inputs: [...before.inputs.slice(0, 4), other], outputs: [result] };
  }
  if (
    before.op !== 'matmul' ||
    before.outputs[0] !== id ||
    finished(before) ||
    other === null ||
    before.inputs.includes(other)
  )
    return null;
  switch (follower.op) {
    case 'addBias':
      return only && isFlat(before.attrs) && before.inputs[BIAS] === null && before.inputs[SCALE] === null
        ? take(before, BIAS, other, result, 'none')
        : null;
    case 'mulScale':
      if (!isFlat(before.attrs) || before.inputs[SCALE] !== null) return null;
      return only
        ? take(before, SCALE, other, result, 'none')
        : saving(before, SCALE, other, result, 'biased');
    case 'siluMul':
      return only ? take(before, SILU, other, result, 'none') : saving(before, SILU, other, result, 'scaled');
    case 'add':
      return only ? take(before, RESIDUAL, other, result, 'none') : null;
    default:
      return null;
  }
}

/** Whether the last step of the epilogue is used already. */
const finished = (product: Product): boolean =>
  product.inputs[RESIDUAL] !== null || product.inputs[SILU] !== null;
/** Bias and scale are vectors over the columns of the whole result. */
const isFlat = (p: Matmul): boolean => p.outer === 1 && p.inner === 1;

function take(
  product: Product,
  slot: number,
  operand: number,
  result: number | null,
  save: Matmul['save'],
): Product {
  const inputs = product.inputs.map((input, i) => (i === slot ? operand : input));
  const attrs = save === 'none' ? product.attrs : { ...product.attrs, save };
  return { ...product, inputs, attrs, outputs: [result, product.outputs[1] ?? null] };
}

/** Like `take`, with the product's former result as the second output. */
function saving(
  product: Product,
  slot: number,
  operand: number,
  result: number | null,
  save: Matmul['save'],
): Product | null {
  if (product.attrs.save !== 'none') return null;
  const taken = take(product, slot, operand, result, save);
  return { ...taken, outputs: [result, product.outputs[0] ?? null] };
}

/** Whether a node between two places reads a tensor that the fused node would write only later. */
function readBetween(nodes: readonly (Node | null)[], merged: Node, from: number, to: number): boolean {
  invariant(from < to, 'fusing moves downwards');
  const saved = merged.outputs[1] ?? null;
  return saved !== null && nodes.slice(from + 1, to).some((node) => node?.inputs.includes(saved));
}
