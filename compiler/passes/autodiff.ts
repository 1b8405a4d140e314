/**
 * Reverse-mode differentiation on the graph, towards one task's parameters only.
 *
 * A tensor needs a gradient when some trained parameter reaches it; nothing else is differentiated, so a frozen linear
 * gets no weight gradient and nothing below the lowest trained leaf is computed.
 */
import { invariant } from '../../grammar/invariant.ts';
import { type Builder, extend } from '../graph/builder.ts';
import type { Graph, Node, OpName, Tensor } from '../graph/graph.ts';
import type { Model } from '../model/model.ts';
import { tensorAt, used } from '../graph/slots.ts';
import { ops } from '../ops/index.ts';
import type { Op } from '../ops/op.ts';

/**
 * Appends to every training program the gradients of the parameters that its task trains; other programs stay as they
 * are.
 */
export function differentiateTasks(graphs: readonly Graph[], { tasks }: Pick<Model, 'tasks'>): Graph[] {
  const trains = new Map(tasks.map((task) => [task.name, new Set(task.trains)]));
  return graphs.map((graph) =>
    graph.purpose.kind === 'train'
      ? differentiateLoss(graph, trains.get(graph.purpose.task) ?? new Set())
      : graph,
  );
}

/** The backward pass of a graph whose cross-entropy made the gradient of the logits. */
export function differentiateLoss(graph: Graph, trained: ReadonlySet<string>): Graph {
  const g = extend(graph);
  const loss = graph.nodes.find((node) => node.op === 'crossEntropy');
  const [logits, seed] = [loss?.inputs[0], loss?.outputs[1]];
  invariant(
    typeof logits === 'number' && typeof seed === 'number',
    `${graph.name} has no gradient to begin with`,
  );
  differentiate(g, tensorAt(graph, logits), tensorAt(graph, seed), trained);
  return g.graph();
}

/**
 * For every task, the trained parameters that its loss depends on, which are those with a gradient in its training
 * program. A task without a training program counts as reaching all of its parameters, so that one checkpoint fits
 * every package of a model.
 */
export function reachedBy(
  graphs: readonly Graph[],
  { tasks }: Pick<Model, 'tasks'>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const reached = new Map(tasks.map((task) => [task.name, new Set(task.trains)]));
  for (const { purpose, tensors } of graphs)
    if (purpose.kind === 'train')
      reached.set(
        purpose.task,
        new Set(
          tensors.flatMap((t) => (t.home === 'gradients' && t.parameter !== undefined ? [t.parameter] : [])),
        ),
      );
  return reached;
}

/**
 * Appends the backward pass to `g`. `seed` is the gradient of the loss with respect to `of`. Each reached parameter's
 * gradient moves to the home `gradients`. Returns the names of the parameters that were reached.
 */
export function differentiate(
  g: Builder,
  of: Tensor,
  seed: Tensor,
  trained: ReadonlySet<string>,
): Set<string> {
  const forward = [...g.nodes];
  const needed = reach(g, forward, trained);
  const gradients = new Map<number, Tensor>([[of.id, seed]]);
  const add = (id: number, gradient: Tensor) => {
    const former = gradients.get(id);
    gradients.set(id, former ? g.add(gradient, former) : gradient);
  };
  for (const node of forward.reverse()) {
    const outputs = node.outputs.map((id) => (id === null ? null : (gradients.get(id) ?? null)));
    const needs = node.inputs.map((id) => id !== null && needed.has(id));
    if (!needs.includes(true) || outputs.every((gradient) => gradient === null)) continue;
    g.origin = node.origin;
    gradientsOf(g, node, outputs, needs).forEach((gradient, slot) => {
      const id = node.inputs[slot];
      if (gradient && id !== null && id !== undefined && needs[slot]) add(id, gradient);
    });
  }
  return settle(g, gradients, trained);
}

/** Every tensor that a trained parameter reaches. */
function reach(g: Builder, nodes: readonly Node[], trained: ReadonlySet<string>): Set<number> {
  const needed = new Set(
    g.tensors.filter((t) => t.parameter !== undefined && trained.has(t.parameter)).map((t) => t.id),
  );
  for (const node of nodes)
    if (used(node.inputs).some((id) => needed.has(id))) used(node.outputs).forEach((id) => needed.add(id));
  return needed;
}

function gradientsOf(
  g: Builder,
  node: Node,
  outputs: (Tensor | null)[],
  needs: boolean[],
): readonly (Tensor | null)[] {
  const rule = (ops[node.op] as Op<OpName>).gradient;
  invariant(rule, `${node.op} has no gradient rule`);
  return rule(g, node, outputs, needs);
}

/** Moves the gradients of parameters to where the optimizer finds them. */
function settle(
  g: Builder,
  gradients: ReadonlyMap<number, Tensor>,
  trained: ReadonlySet<string>,
): Set<string> {
  const reached = new Set<string>();
  for (const [id, gradient] of gradients) {
    const name = tensorAt(g, id).parameter;
    if (name === undefined || !trained.has(name)) continue;
    const made = tensorAt(g, gradient.id);
    // Parameters that are added to each other share one gradient tensor; each needs a copy of its own.
    const own = made.home === 'activations' ? made : g.copy(made, 'gradients', made.name);
    g.rehome(own, 'gradients', name);
    reached.add(name);
  }
  return reached;
}
