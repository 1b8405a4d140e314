/**
 * The second half of the compiler: from a checked model to a package that a runtime can run, as one list of passes.
 *
 * Between passes there is plain read-only data, and `graft build --emit NAME` prints it after any of them. Every pass is
 * total: what the user can get wrong was caught by `check`, except what depends on the device's limits.
 */
import { invariant } from '../grammar/invariant.ts';
import type { Source } from './build/context.ts';
import { makeManifest } from './compile/manifest.ts';
import type { CompileOptions } from './compile/options.ts';
import { buildPrograms, cacheRows } from './compile/programs.ts';
import type { Graph } from './graph/graph.ts';
import { printGraphs, type LineOf } from './graph/print.ts';
import { verify } from './ops/verify.ts';
import { hooksOf } from './kinds/index.ts';
import type { Model } from './model/model.ts';
import type { Manifest } from './package/package.ts';
import { appendOptimizers } from './passes/append-optimizer.ts';
import { differentiateTasks, reachedBy } from './passes/autodiff.ts';
import { fuseScale } from './passes/fuse-scale.ts';
import { fuse } from './passes/fuse.ts';
import { type Layout, layOut, noLayout } from './passes/layout.ts';
import { type MemoryPlan, noPlan, planMemory } from './passes/memory.ts';
import { printLayout, printMemory } from './passes/print-memory.ts';
import { printKernels, printSchedule } from './passes/print-schedule.ts';
import { prune } from './passes/prune.ts';
import { noSchedule, type Schedule, scheduleAll } from './passes/schedule.ts';

export type { CompileOptions, TaskSizes } from './compile/options.ts';

/** A model on its way to a package. What no pass has made yet is empty. */
interface Compilation {
  readonly source: Source;
  readonly options: CompileOptions;
  readonly graphs: readonly Graph[];
  readonly layout: Layout;
  readonly plan: MemoryPlan;
  readonly schedule: Schedule;
  readonly manifest: Manifest | null;
}

interface Pass {
  readonly name: string;
  readonly run: (c: Compilation) => Compilation;
  /** What `graft build --emit` can print after it, by stage; `lineOf` finds the line of a place in the spec. */
  readonly dumps: Readonly<Record<string, (c: Compilation, lineOf: LineOf) => string>>;
}

/** A pass that makes other graphs of the graphs. */
const onGraphs = (
  name: string,
  run: (graphs: readonly Graph[], c: Compilation) => readonly Graph[],
  ...alsoCalled: readonly string[]
): Pass => ({
  name,
  run: (c) => ({ ...c, graphs: run(c.graphs, c) }),
  dumps: Object.fromEntries(
    [name, ...alsoCalled].map((stage) => [stage, (c: Compilation) => printGraphs(c.graphs)]),
  ),
});

const each = (run: (graph: Graph) => Graph) => (graphs: readonly Graph[]) => graphs.map((g) => run(g));

/** In the order in which they run. */
export const passes: readonly Pass[] = [
  // A graph for each program: the forward pass, and the loss with its gradient for training.
  onGraphs('build', (_, { source, options }) => buildPrograms(source, options)),
  // The gradient of every parameter that a task trains.
  onGraphs('autodiff', (graphs, { source }) => differentiateTasks(graphs, source.model)),
  {
    // A place for every parameter: frozen, or trained and contiguous by cell.
    name: 'layout',
    run: (c) => ({ ...c, layout: layOut(c.source.model, reachedBy(c.graphs, c.source.model)) }),
    dumps: { layout: (c) => printLayout(c.layout) },
  },
  // Gradient norm, clipping and AdamW; with accumulation a program of their own.
  onGraphs('optimizer', (graphs, { layout, options }) => appendOptimizers(graphs, layout, options.recipe)),
  onGraphs('verify', each(verify)),
  // Without nodes whose results are not read.
  onGraphs('prune', each(prune)),
  // The gradients of a bias, a scale and what they were applied to, in one operation.
  onGraphs('fuse-scale', each(fuseScale)),
  // Bias, scale, SiLU-and-multiply and residual sums in the products before them.
  onGraphs(
    'fuse',
    each((graph) => verify(fuse(graph))),
    'graph',
  ),
  {
    // A slice of a buffer for every tensor; activations share bytes by lifetime.
    name: 'memory',
    run: (c) => ({ ...c, plan: planMemory(c.graphs, c.layout) }),
    dumps: { memory: ({ graphs, plan }) => printMemory(graphs, plan) },
  },
  {
    // Kernels, bindings, uniforms and grids.
    name: 'schedule',
    run: (c) => ({ ...c, schedule: scheduleAll(c.graphs, c.plan, c.options.profile) }),
    dumps: {
      schedule: ({ graphs, schedule }, lineOf) => printSchedule(graphs, schedule, lineOf),
      wgsl: ({ graphs, schedule }, lineOf) => printKernels(graphs, schedule, lineOf),
    },
  },
  {
    name: 'package',
    run: (c) => ({
      ...c,
      manifest: makeManifest(c.source.model, c.options, cacheRows(c.source, c.options), c),
    }),
    dumps: { package: ({ manifest }) => JSON.stringify(manifest, null, 2) },
  },
];

/** What can be printed on the way, in the order in which it is made. */
export const stages: readonly string[] = passes.flatMap(({ dumps }) => Object.keys(dumps));

export interface Compiled {
  readonly manifest: Manifest;
  /** WGSL by kernel name. */
  readonly sources: ReadonlyMap<string, string>;
  /** Every program's graph after all passes. */
  readonly graphs: readonly Graph[];
  /** For each program, the node of its graph that each dispatch is of. */
  readonly nodes: Schedule['nodes'];
  /** Parameters a task is asked to train but whose loss does not depend on them. */
  readonly unreached: readonly { readonly task: string; readonly parameter: string }[];
  readonly plan: MemoryPlan;
}

/** The package of a model. */
export function compile(model: Model, options: CompileOptions): Compiled {
  const made = runPasses(model, options, passes);
  const { manifest, graphs, plan, schedule } = made;
  invariant(manifest, 'the last pass makes the manifest');
  const { sources, nodes } = schedule;
  return { manifest, sources, graphs, nodes, unreached: unreachedIn(made), plan };
}

/** Runs the passes up to the one that makes `stage`, and prints it. */
export function printStage(model: Model, options: CompileOptions, stage: string, lineOf: LineOf): string {
  const last = passes.findIndex(({ dumps }) => Object.hasOwn(dumps, stage));
  const dump = passes[last]?.dumps[stage];
  invariant(dump, `no pass makes ${stage}`);
  return dump(runPasses(model, options, passes.slice(0, last + 1)), lineOf);
}

function runPasses(model: Model, options: CompileOptions, run: readonly Pass[]): Compilation {
  const trainable = new Set(model.tasks.flatMap((task) => task.trains));
  const source: Source = { model, trainable, hooksOf, taps: options.taps ?? false };
  const nothing = { graphs: [], layout: noLayout, plan: noPlan, schedule: noSchedule, manifest: null };
  return run.reduce<Compilation>((c, pass) => pass.run(c), { source, options, ...nothing });
}

function unreachedIn({ graphs, source: { model } }: Compilation): Compiled['unreached'] {
  const reached = reachedBy(graphs, model);
  return model.tasks.flatMap(({ name: task, trains }) =>
    trains
      .filter((parameter) => !reached.get(task)?.has(parameter))
      .map((parameter) => ({ task, parameter })),
  );
}
