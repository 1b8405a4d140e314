/** Appends the optimizer to a training graph: gradient norm, then AdamW, once for each contiguous cell. */
import type { Builder } from '../graph/builder.ts';
import { BLOCK, type Home, MAX_CELLS, PARTIALS, STEP, type Tensor } from '../graph/graph.ts';
import { axis, type Recipe } from '../model/model.ts';
import type { Cell } from '../package/package.ts';

type Arena = Extract<Home, 'parameters' | 'gradients' | 'accumulated' | 'first' | 'second'>;

function arena(g: Builder, home: Arena, cell: Cell, index: number): Tensor {
  const t: Tensor = { ...g.tensor(`${home}.${index}`, 1, axis(cell.size / 4), home), cell: index };
  g.tensors[t.id] = t;
  return t;
}

/** The per-step scalars; room for as many cells as there can be is cheaper than knowing them before the layout. */
export const stepTensor = (g: Builder): Tensor =>
  g.tensors.find((t) => t.home === 'step') ?? g.tensor('step', 1, axis(STEP.cells + 2 * MAX_CELLS), 'step');

/** Adds this micro-batch's gradients to those before it. */
export function appendAccumulation(g: Builder, cells: readonly Cell[], active: readonly number[]): void {
  const step = stepTensor(g);
  g.label = 'accumulate';
  eachActive(cells, active, (cell, index) => {
    const sum = arena(g, 'accumulated', cell, index);
    g.node('accumulate', [arena(g, 'gradients', cell, index), sum, step], [sum], {});
  });
}

/** The gradient norm over all active cells, then one AdamW each; the norm goes to the results. */
export function appendOptimizer(
  g: Builder,
  cells: readonly Cell[],
  active: readonly number[],
  recipe: Recipe,
  from: 'gradients' | 'accumulated',
): void {
  const step = stepTensor(g);
  g.label = 'optimizer';
  const partials: Tensor[] = [];
  eachActive(cells, active, (cell, index) => {
    const partial = g.tensor(`squares.${index}`, 1, axis(PARTIALS));
    g.node('sumSquares', [arena(g, from, cell, index)], [partial], {});
    partials.push(partial);
  });
  const norm = g.tensor('norm', 1, axis(4), 'results');
  g.node('gradNorm', [...partials, step], [norm], {});
  const [beta1, beta2] = recipe.optimizer.betas;
  eachActive(cells, active, (cell, index) => {
    const [p, m, v] = (['parameters', 'first', 'second'] as const).map((home) =>
      arena(g, home, cell, index),
    ) as [Tensor, Tensor, Tensor];
    const blocks = g.tensor(`blocks.${index}`, 1, axis((2 * cell.size) / (4 * BLOCK)), 'constants');
    const gradient = arena(g, from, cell, index);
    g.node('adamw', [p, gradient, m, v, blocks, norm, step], [p, m, v], {
      cell: index,
      beta1,
      beta2,
      eps: recipe.optimizer.eps,
    });
  });
}

function eachActive(
  cells: readonly Cell[],
  active: readonly number[],
  f: (cell: Cell, index: number) => void,
): void {
  cells.forEach((cell, index) => active.includes(index) && f(cell, index));
}
