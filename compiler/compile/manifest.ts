/** The manifest: everything the runtime reads of what the passes made. */
import type { Graph } from '../graph/graph.ts';
import { attributesOf } from '../kinds/attributes.ts';
import { hasImage, imageInputs } from '../kinds/images.ts';
import type { Model } from '../model/model.ts';
import { type Constant, type Manifest, PACKAGE_FORMAT } from '../package/package.ts';
import { activeCells } from '../passes/append-optimizer.ts';
import type { Layout } from '../passes/layout.ts';
import type { MemoryPlan } from '../passes/memory.ts';
import type { Schedule } from '../passes/schedule.ts';
import type { CompileOptions } from './options.ts';

/** @param context rows of the key-value cache for each sequence */
export function makeManifest(
  model: Model,
  options: CompileOptions,
  context: number,
  made: {
    readonly graphs: readonly Graph[];
    readonly layout: Layout;
    readonly plan: MemoryPlan;
    readonly schedule: Schedule;
  },
): Manifest {
  const { graphs, layout, plan, schedule } = made;
  const tasks = model.tasks.map((task) => ({
    name: task.name,
    data: task.data,
    cells: activeCells(layout.cells, task.name),
    fields: task.fields,
  }));
  return {
    format: PACKAGE_FORMAT,
    name: model.name,
    base: model.base,
    profile: options.profile,
    spec: options.spec ?? { hash: '', text: '' },
    attributes: attributesOf(model),
    parameters: layout.parameters,
    cells: layout.cells,
    groups: model.groups,
    tasks,
    data: model.data,
    recipe: options.recipe ?? null,
    ...(hasImage(model) ? { images: imageInputs(model) } : {}),
    ...(model.experts.length > 0 ? { experts: model.experts } : {}),
    buffers: plan.sizes,
    constants: constantsOf(graphs, plan),
    context,
    memory: { peak: plan.peak, sum: plan.sum },
    kernels: schedule.kernels,
    programs: schedule.programs,
  };
}

/** Each constant once: programs share them by name. */
export function constantsOf(graphs: readonly Graph[], plan: MemoryPlan): Constant[] {
  const made = new Map<string, Constant>();
  graphs.forEach((graph, index) => {
    for (const { id, name, constant } of graph.tensors) {
      const slice = plan.slices[index]?.get(id);
      if (constant && slice && !made.has(name)) made.set(name, { ...constant, slice });
    }
  });
  return [...made.values()];
}
