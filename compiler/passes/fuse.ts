/**
 * Moves bias, scale, SiLU-and-multiply and residual sums into the products they follow, and residual sums into the
 * gradients of RMSNorm and LayerNorm.
 *
 * A product takes in a follower when the follower is the only reader of what the product would otherwise have to
 * write, or when the value in between can be saved on the way (one such save a product). The fused node stands where
 * the follower stood: by then everything it reads exists, and its former result had no earlier reader.
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
  /** Where each activation is written, as fusing moves it. */
  const at = new Map<number, number>();
  nodes.forEach((node, index) => node?.outputs.forEach((id) => id !== null && at.set(id, index)));

  graph.nodes.forEach((follower, index) => {
    for (const id of candidates(follower)) {
      const where = at.get(id);
      const before = where === undefined ? null : nodes[where];
      if (where === undefined || !before || where >= index || isEffect(tensorAt(graph, id))) continue;
      const made = merge(before, follower, id, (readers.get(id) ?? 0) === 1);
      const merged = made && { ...made, fused: [...originsOf(before).slice(1), ...originsOf(follower)] };
      // A product moves down to its follower, so a value that is read in between must not move with it.
      if (!merged || readBetween(nodes, merged, where, index)) continue;
      nodes[where] = null;
      nodes[index] = merged;
      merged.outputs.forEach((out) => out !== null && at.set(out, index));
      return;
    }
  });
  return { ...graph, nodes: nodes.filter((node) => node !== null) };
}

/** Where a node comes from, and what was fused into it. */
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
    // What the gradient reads already (a norm without a linear behind it) would take two slots.
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

/** The epilogue's last step is taken. */
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

/** Like `take`, with what the product wrote so far as its second output. */
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

/** Whether some node between two places reads what the merged node would now write later. */
function readBetween(nodes: readonly (Node | null)[], merged: Node, from: number, to: number): boolean {
  invariant(from < to, 'fusing moves downwards');
  const saved = merged.outputs[1] ?? null;
  return saved !== null && nodes.slice(from + 1, to).some((node) => node?.inputs.includes(saved));
}
