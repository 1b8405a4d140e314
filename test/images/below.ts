/** What of a training step lies below the lowest trained layer: the figures of docs/images.md, computed from the graphs. */
import type { Sizes } from '../../compiler/build/programs.ts';
import type { Model } from '../../compiler/model/model.ts';
import { prune } from '../../compiler/passes/prune.ts';
import { invariant } from '../../grammar/invariant.ts';
import { trainingGraph } from '../compiler/subjects.ts';

/** The share of all products' operations in a step of the model's first task that are forward in frozen layers alone. */
export function shareBelow(model: Model, sizes: Sizes): number {
  const [task] = model.tasks;
  invariant(task, 'a task');
  const lowest = Math.min(...model.parts.flatMap(({ layers }) => layers));
  const graph = trainingGraph(model, task, sizes);
  let [all, below] = [0, 0];
  for (const node of prune(graph).nodes) {
    if (node.op !== 'matmul') continue;
    const { m, n, k, outer, inner, reps } = node.attrs;
    const operations = m * n * k * outer * inner * reps;
    const { layer } = node.origin;
    all += operations;
    if (layer !== null && layer < lowest) below += operations;
  }
  return below / all;
}
