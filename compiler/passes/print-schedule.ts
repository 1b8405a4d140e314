/** The schedule as text: each dispatch, and the line of the spec that asked for it. */
import type { Graph } from '../graph/graph.ts';
import type { LineOf } from '../graph/print.ts';
import type { Schedule } from './schedule.ts';

/** Kernel, grid, place and operation of every dispatch, and where in the spec it comes from. */
export function printSchedule(graphs: readonly Graph[], schedule: Schedule, lineOf: LineOf): string {
  return schedule.programs
    .map(({ name, dispatches }, index) => {
      const rows = dispatches.map(({ kernel, grid, label }, i) => {
        const from = linesFor(graphs, schedule, index, i, lineOf).join(', ');
        const called = schedule.kernels[kernel]?.name ?? '';
        return `  ${called.padEnd(36)} ${grid.join('x').padEnd(12)} ${label}  // ${from}`;
      });
      return [name, ...rows].join('\n');
    })
    .join('\n\n');
}

/** Every kernel's WGSL, below the lines of the spec whose dispatches run it. */
export function printKernels(graphs: readonly Graph[], schedule: Schedule, lineOf: LineOf): string {
  const lines = new Map<number, Set<string>>();
  schedule.programs.forEach(({ dispatches }, index) =>
    dispatches.forEach(({ kernel }, i) => {
      const known = lines.get(kernel) ?? new Set<string>();
      for (const line of linesFor(graphs, schedule, index, i, lineOf)) known.add(line);
      lines.set(kernel, known);
    }),
  );
  return schedule.kernels
    .map(({ name }, kernel) => {
      const from = [...(lines.get(kernel) ?? [])].map((line) => `// for ${line}`);
      return [`// ---- ${name}.wgsl`, ...from, schedule.sources.get(name) ?? ''].join('\n');
    })
    .join('\n');
}

/** The lines of the spec that asked for a dispatch: a fused one may have several. */
function linesFor(
  graphs: readonly Graph[],
  { nodes }: Schedule,
  program: number,
  dispatch: number,
  lineOf: LineOf,
): string[] {
  const node = graphs[program]?.nodes[nodes[program]?.[dispatch] ?? -1];
  const origins = node ? [node.origin, ...(node.fused ?? [])] : [];
  return [...new Set(origins.map(({ span }) => (span ? lineOf(span) : 'the base')))];
}
