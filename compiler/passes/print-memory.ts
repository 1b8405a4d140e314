/** The memory plan as text: buffers, and for each program where every activation lies and for how long. */
import type { Graph } from '../graph/graph.ts';
import { tensorAt } from '../graph/slots.ts';
import type { Layout } from './layout.ts';
import { lifetimes, type MemoryPlan } from './memory.ts';

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

export function printMemory(graphs: readonly Graph[], plan: MemoryPlan): string {
  const buffers = Object.entries(plan.sizes).map(([name, size]) => `  ${name.padEnd(12)} ${kib(size)}`);
  const saved = plan.sum === 0 ? 0 : 100 * (1 - plan.peak / plan.sum);
  const head = [
    `activations: peak ${kib(plan.peak)}, ${kib(plan.sum)} without sharing (${saved.toFixed(0)} % saved)`,
    'buffers',
    ...buffers,
  ];
  return [...head, ...graphs.map((graph, index) => printArena(graph, index, plan))].join('\n');
}

/** Where every parameter lies: frozen ones first, then cell by cell. */
export function printLayout({ parameters, cells }: Layout): string {
  const rows = parameters.map(({ name, cell, slice, storage }) => {
    const place = cell === null ? 'frozen' : `cell ${cell}`;
    return `  ${String(slice.offset).padStart(10)} +${String(slice.size).padEnd(10)} ${place.padEnd(8)} ${name}${storage ? `  as ${storage}` : ''}`;
  });
  return [...cells.map(({ tasks }, index) => `cell ${index}: trained by ${tasks.join(', ')}`), ...rows].join(
    '\n',
  );
}

function printArena(graph: Graph, index: number, plan: MemoryPlan): string {
  const rows = lifetimes(graph)
    .sort((a, b) => a.from - b.from)
    .map(({ id, from, to, size }) => {
      const offset = plan.slices[index]?.get(id)?.offset ?? 0;
      return `  ${String(offset).padStart(10)} +${String(size).padEnd(10)} nodes ${from}..${to}  ${tensorAt(graph, id).name}`;
    });
  return [`\n${graph.name}`, ...rows].join('\n');
}
