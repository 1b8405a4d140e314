/**
 * The static memory plan: where every tensor of every program lives.
 *
 * Activations share one arena: a tensor's bytes are free again after its last reader (greedy by size, after Pisarchyk
 * and Lee, arXiv 2001.03288). State and constants are shared between programs by name; inputs and results get a place
 * of their own in each program, so the host need not write an input again that has not changed.
 */
import { invariant } from '../../grammar/invariant.ts';
import { extent } from '../graph/tape.ts';
import type { Graph, Tensor } from '../graph/graph.ts';
import { tensorAt, used } from '../graph/slots.ts';
import type { BufferName, Slice } from '../package/package.ts';
import { padded } from '../model/model.ts';
import { formats, storedBytes } from '../storage/index.ts';
import { FreeSpace } from './free-space.ts';
import { align, type Layout } from './layout.ts';

export interface MemoryPlan {
  /** For each program, the slice of each tensor id. */
  readonly slices: readonly ReadonlyMap<number, Slice>[];
  readonly sizes: Readonly<Partial<Record<BufferName, number>>>;
  readonly peak: number;
  readonly sum: number;
  /** A piece of the arena that no tensor uses, for bindings a kernel does not read. */
  readonly scratch: Slice;
}

export const noPlan: MemoryPlan = {
  slices: [],
  sizes: {},
  peak: 0,
  sum: 0,
  scratch: { buffer: 'activations', offset: 0, size: 0 },
};

/** Bytes of scratch: room for distinct pieces, since two bindings of one dispatch may not overlap. */
const SCRATCH = 8 * 256;

export const sizeOf = (t: Tensor): number =>
  t.storage === undefined ? 4 * extent(t) : storedBytes(formats[t.storage], t.rows, padded(t.axis));

export function planMemory(graphs: readonly Graph[], layout: Layout): MemoryPlan {
  const bumps = new Map<BufferName, number>();
  const shared = new Map<string, Slice>();
  const bump = (buffer: BufferName, size: number): Slice => {
    const offset = bumps.get(buffer) ?? 0;
    bumps.set(buffer, offset + align(size));
    return { buffer, offset, size };
  };
  const once = (key: string, make: () => Slice): Slice => {
    const known = shared.get(key) ?? make();
    shared.set(key, known);
    return known;
  };
  const arenas = graphs.map(planArena);
  const slices = graphs.map((graph, index) => {
    const plan = new Map<number, Slice>();
    for (const t of graph.tensors) {
      const slice =
        t.home === 'activations' ? arenas[index]?.slices.get(t.id) : fixed(t, index, layout, bump, once);
      if (slice) plan.set(t.id, slice);
    }
    return plan;
  });
  const peak = Math.max(0, ...arenas.map((arena) => arena.peak));
  const sum = Math.max(0, ...arenas.map((arena) => arena.sum));
  const scratch: Slice = { buffer: 'activations', offset: peak, size: SCRATCH };
  return { slices, sizes: sizes(bumps, layout, graphs, peak), peak, sum, scratch };
}

/** The place of a tensor that is not an activation. */
function fixed(
  t: Tensor,
  program: number,
  layout: Layout,
  bump: (buffer: BufferName, size: number) => Slice,
  once: (key: string, make: () => Slice) => Slice,
): Slice {
  const buffer: BufferName = t.home;
  switch (t.home) {
    case 'weights':
    case 'parameters':
      // A parameter that its task trains but the loss does not depend on lies with the frozen ones, whatever home the
      // graph gives it.
      return ofParameter(t, layout);
    case 'gradients':
    case 'accumulated':
    case 'first':
    case 'second':
      return { ...ofParameter(t, layout), buffer };
    case 'state':
    case 'constants':
    case 'step': {
      const slice = once(`${t.home} ${t.name}`, () => bump(buffer, sizeOf(t)));
      invariant(slice.size === sizeOf(t), `${t.name} has two sizes`);
      return slice;
    }
    case 'inputs':
    case 'results':
      return once(`${t.home} ${program} ${t.name}`, () => bump(buffer, sizeOf(t)));
    case 'activations':
      throw new Error('internal error: activations are planned by lifetime');
  }
}

function ofParameter(t: Tensor, layout: Layout): Slice {
  const cell = t.cell === undefined ? undefined : layout.cells[t.cell];
  if (cell) return { buffer: 'parameters', offset: cell.offset + 4 * (t.from ?? 0), size: sizeOf(t) };
  const parameter = layout.byName.get(t.parameter ?? '');
  invariant(parameter, `${t.name} has no place`);
  return { ...parameter.slice, size: sizeOf(t) };
}

function sizes(
  bumps: ReadonlyMap<BufferName, number>,
  layout: Layout,
  graphs: readonly Graph[],
  peak: number,
) {
  const uses = (home: Tensor['home']) => graphs.some((graph) => graph.tensors.some((t) => t.home === home));
  const all: Partial<Record<BufferName, number>> = {
    weights: layout.weights,
    parameters: layout.trained,
    activations: peak + SCRATCH,
    ...Object.fromEntries(bumps),
  };
  for (const home of ['gradients', 'accumulated', 'first', 'second'] as const)
    if (uses(home)) all[home] = layout.trained;
  return Object.fromEntries(Object.entries(all).filter(([, size]) => size > 0));
}

interface Life {
  readonly id: number;
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** From the node that writes a tensor to the last that reads it; outputs live to the end. */
export function lifetimes(graph: Graph): Life[] {
  const lives = new Map<number, { from: number; to: number }>();
  graph.nodes.forEach((node, index) => {
    for (const id of [...used(node.outputs), ...used(node.inputs)]) {
      const life = lives.get(id);
      if (life) life.to = index;
      else lives.set(id, { from: index, to: index });
    }
  });
  for (const { tensor } of graph.outputs) {
    const life = lives.get(tensor);
    if (life) life.to = graph.nodes.length;
  }
  return [...lives]
    .filter(([id]) => tensorAt(graph, id).home === 'activations')
    .map(([id, { from, to }]) => ({ id, from, to, size: align(sizeOf(tensorAt(graph, id))) }));
}

/** Largest first, each at the lowest offset that is free for its whole life. */
function planArena(graph: Graph): { slices: ReadonlyMap<number, Slice>; peak: number; sum: number } {
  // An output lives on after the last node.
  const space = new FreeSpace(graph.nodes.length + 1);
  const lives = lifetimes(graph).sort((a, b) => b.size - a.size || a.from - b.from);
  const placed = lives.map((life) => {
    const offset = space.lowest(life.from, life.to, life.size);
    space.take(life.from, life.to, offset, life.size);
    return { ...life, offset };
  });
  const slices = new Map<number, Slice>(
    placed.map((p) => [
      p.id,
      { buffer: 'activations', offset: p.offset, size: sizeOf(tensorAt(graph, p.id)) },
    ]),
  );
  const peak = placed.reduce((most, p) => Math.max(most, p.offset + p.size), 0);
  return { slices, peak, sum: placed.reduce((total, p) => total + p.size, 0) };
}
