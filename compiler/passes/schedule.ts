/** Turns nodes into dispatches: kernels by device class, bindings by the memory plan. */
import { invariant } from '../../grammar/invariant.ts';
import { type Graph, labelOf, type Node } from '../graph/graph.ts';
import { tensorAt, used } from '../graph/slots.ts';
import type { Dispatch, KernelEntry, NamedSlice, Profile, Program, Slice } from '../package/package.ts';
import { emit } from '../wgsl/emit.ts';
import type { Kernel, Launch } from '../wgsl/kernel.ts';
import type { MemoryPlan } from './memory.ts';

export interface Schedule {
  readonly programs: readonly Program[];
  readonly kernels: readonly KernelEntry[];
  /** WGSL by kernel name. */
  readonly sources: ReadonlyMap<string, string>;
  /** For each program, the node of its graph that each dispatch belongs to. */
  readonly nodes: readonly (readonly number[])[];
}

export const noSchedule: Schedule = { programs: [], kernels: [], sources: new Map(), nodes: [] };

/** The dispatches of every program. Programs share kernels, which are listed in the order of their first use. */
export function scheduleAll(graphs: readonly Graph[], plan: MemoryPlan, profile: Profile): Schedule {
  const table = new KernelTable();
  const made = graphs.map((graph, index) => {
    const slices = plan.slices[index];
    invariant(slices, `program ${index} has no memory plan`);
    return schedule(graph, slices, plan, profile, table);
  });
  return {
    programs: made.map(({ program }) => program),
    kernels: table.entries,
    sources: table.sources,
    nodes: made.map(({ nodes }) => nodes),
  };
}

class KernelTable {
  readonly entries: KernelEntry[] = [];
  readonly sources = new Map<string, string>();
  readonly #index = new Map<string, number>();

  add(kernel: Kernel): number {
    const known = this.#index.get(kernel.name);
    if (known !== undefined) {
      invariant(this.sources.get(kernel.name) === kernel.code, `two kernels are called ${kernel.name}`);
      return known;
    }
    const { name, bindings, features, code } = kernel;
    this.#index.set(name, this.entries.length);
    this.sources.set(name, code);
    return this.entries.push({ name, bindings, features }) - 1;
  }
}

function schedule(
  graph: Graph,
  slices: ReadonlyMap<number, Slice>,
  plan: MemoryPlan,
  profile: Profile,
  kernels: KernelTable,
): { program: Program; nodes: readonly number[] } {
  const dispatches: Dispatch[] = [];
  const nodes: number[] = [];
  let optimizerFrom = -1;
  graph.nodes.forEach((node, index) => {
    if (optimizerFrom < 0 && isOptimizer(node)) optimizerFrom = dispatches.length;
    for (const launch of emit(node, graph, profile)) {
      dispatches.push(dispatch(launch, node, slices, plan, kernels));
      nodes.push(index);
    }
  });
  const { purpose, name, batch, tokens, prepended } = graph;
  const named = (home: 'inputs' | 'results') =>
    touched(graph)
      .filter((id) => tensorAt(graph, id).home === home)
      .map((id) => namedSlice(graph, id, slices));
  const outputs = graph.outputs.map((output) => ({
    ...namedSlice(graph, output.tensor, slices),
    name: output.name,
  }));
  const program: Program = {
    ...purpose,
    name,
    batch,
    tokens,
    prepended,
    dispatches,
    inputs: named('inputs'),
    outputs: [...named('results'), ...outputs],
    optimizerFrom: optimizerFrom < 0 ? dispatches.length : optimizerFrom,
  };
  return { program, nodes };
}

const isOptimizer = (node: Node): boolean => node.op === 'sumSquares' || node.op === 'accumulate';

const touched = (graph: Graph): number[] => [
  ...new Set(graph.nodes.flatMap((node) => [...used(node.inputs), ...used(node.outputs)])),
];

function dispatch(
  launch: Launch,
  node: Node,
  slices: ReadonlyMap<number, Slice>,
  plan: MemoryPlan,
  kernels: KernelTable,
): Dispatch {
  let spare = 0;
  const bindings = launch.operands.map((id): Slice => {
    if (id === null) return { ...plan.scratch, offset: plan.scratch.offset + 256 * spare++, size: 256 };
    const slice = slices.get(id);
    invariant(slice, `${node.op} (${labelOf(node.origin)}) uses tensor ${id}, which has no place`);
    return slice;
  });
  return {
    kernel: kernels.add(launch.kernel),
    bindings,
    uniforms: launch.uniforms,
    grid: launch.grid,
    label: `${labelOf(node.origin)} ${node.op}`,
  };
}

function namedSlice(graph: Graph, id: number, slices: ReadonlyMap<number, Slice>): NamedSlice {
  const { name, dtype, rows, axis, image } = tensorAt(graph, id);
  const slice = slices.get(id);
  invariant(slice, `${name} has no place`);
  return { ...slice, name, dtype, rows, axis, ...(image === undefined ? {} : { image }) };
}
