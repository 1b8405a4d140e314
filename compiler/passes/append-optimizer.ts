/** Appends the optimizer to a training graph: gradient norm, then AdamW, once for each contiguous cell. */
import { Builder, extend } from '../graph/builder.ts';
import { BLOCK, type Graph, type Home, MAX_CELLS, PARTIALS, STEP, type Tensor } from '../graph/graph.ts';
import { axis } from '../model/model.ts';
import type { Recipe } from '../model/recipe.ts';
import type { Cell } from '../package/package.ts';
import type { Layout } from './layout.ts';

type Arena = Extract<Home, 'parameters' | 'gradients' | 'accumulated' | 'first' | 'second'>;

/** A cell, or a piece of one that is larger than a binding may be. */
interface Piece {
  /** Index of the cell. */
  readonly cell: number;
  /** Numbers of the cell before this piece. */
  readonly from: number;
  /** Numbers in this piece. */
  readonly count: number;
}

/** Most numbers of a piece: 64 MiB, half of the smallest limit on a binding, and a whole number of blocks. */
const PIECE = 2 ** 24;

/**
 * The cells (parameter groups) that a task trains, by their index. The task's programs hold an `adamw` for each of these
 * and none for the others, so an idle group keeps its parameters and moments bit for bit.
 */
export const activeCells = (cells: readonly Cell[], task: string): number[] =>
  cells.flatMap((cell, index) => (cell.tasks.includes(task) ? [index] : []));

function piecesOf(cells: readonly Cell[], active: readonly number[]): Piece[] {
  return active.flatMap((cell) => {
    const size = (cells[cell]?.size ?? 0) / 4;
    return Array.from({ length: Math.ceil(size / PIECE) }, (_, i) => ({
      cell,
      from: i * PIECE,
      count: Math.min(PIECE, size - i * PIECE),
    }));
  });
}

function arena(g: Builder, home: Arena, { cell, from, count }: Piece): Tensor {
  return g.tensor(`${home}.${cell}.${from}`, 1, axis(count), home, 'f32', { cell, from });
}

/**
 * The per-step scalars. The tensor has room for the largest possible number of cells, since it is made before the layout
 * counts them.
 */
export const stepTensor = (g: Builder): Tensor =>
  g.tensors.find((t) => t.home === 'step') ?? g.tensor('step', 1, axis(STEP.cells + 2 * MAX_CELLS), 'step');

/**
 * Appends the optimizer to every training program. With accumulation, the optimizer becomes a program of its own
 * (`update`), which runs once a step.
 */
export function appendOptimizers(
  graphs: readonly Graph[],
  { cells }: Layout,
  recipe: Recipe | undefined,
): Graph[] {
  if (!recipe) return [...graphs];
  return graphs.flatMap((graph) => {
    if (graph.purpose.kind !== 'train') return [graph];
    const { task } = graph.purpose;
    const active = activeCells(cells, task);
    const g = extend(graph);
    if (recipe.accumulate === 1) {
      appendOptimizer(g, cells, active, recipe, 'gradients');
      return [g.graph()];
    }
    appendAccumulation(g, cells, active, recipe);
    const update = new Builder({ kind: 'update', task }, g.batch, g.tokens);
    appendOptimizer(update, cells, active, recipe, 'accumulated');
    return [g.graph(), update.graph()];
  });
}

/** Adds this micro-batch's gradients to those before it. */
function appendAccumulation(
  g: Builder,
  cells: readonly Cell[],
  active: readonly number[],
  { span }: Pick<Recipe, 'span'>,
): void {
  const step = stepTensor(g);
  g.at('accumulate', { span });
  for (const piece of piecesOf(cells, active)) {
    const sum = arena(g, 'accumulated', piece);
    g.node('accumulate', [arena(g, 'gradients', piece), sum, step], [sum], {});
  }
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
  g.at('optimizer', { span: recipe.span });
  const pieces = piecesOf(cells, active);
  const partials = pieces.map((piece) => {
    const partial = g.tensor(`squares.${piece.cell}.${piece.from}`, 1, axis(PARTIALS));
    g.node('sumSquares', [arena(g, from, piece)], [partial], {});
    return partial;
  });
  const norm = g.tensor('norm', 1, axis(4), 'results');
  g.node('gradNorm', [...partials, step], [norm], {});
  const [beta1, beta2] = recipe.optimizer.betas;
  for (const piece of pieces) {
    const [p, m, v] = (['parameters', 'first', 'second'] as const).map((home) => arena(g, home, piece)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const blocks = g.tensor(
      `blocks.${piece.cell}.${piece.from}`,
      1,
      axis((2 * piece.count) / BLOCK),
      'constants',
      'f32',
      { constant: { kind: 'blocks', cell: piece.cell, from: piece.from } },
    );
    const gradient = arena(g, from, piece);
    const attrs = { cell: piece.cell, beta1, beta2, eps: recipe.optimizer.eps };
    g.node('adamw', [p, gradient, m, v, blocks, norm, step], [p, m, v], attrs);
  }
}
