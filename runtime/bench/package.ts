/** Compiles a measured operation with the compiler's own passes. It is no adapter, so the model around it is made up. */
import { constantsOf } from '../../compiler/compile/manifest.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { verify } from '../../compiler/ops/verify.ts';
import { logical, type Base, type Model, type Parameter } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { PACKAGE_FORMAT, type Manifest, type Profile } from '../../compiler/package/package.ts';
import { fuseScale } from '../../compiler/passes/fuse-scale.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { layOut } from '../../compiler/passes/layout.ts';
import { planMemory } from '../../compiler/passes/memory.ts';
import { appendOptimizer } from '../../compiler/passes/append-optimizer.ts';
import { prune } from '../../compiler/passes/prune.ts';
import { scheduleAll } from '../../compiler/passes/schedule.ts';
import { buildGraph, parameterAxes } from './graphs.ts';
import { LEARNING_RATE, trainedOf, type Operation } from './ops.ts';

const span = { file: '', start: 0, end: 0 };
const TASK = 'step';

/**
 * Plain gradient descent out of AdamW, to compare losses with peers that have only that in common: without memory
 * (betas of 0) its step is rate * g / (|g| + eps), and with an eps far above every gradient that is rate / eps * g.
 */
const EPS = 1e6;
export const RATE = LEARNING_RATE * EPS;

const recipe: Recipe = {
  name: 'sgd',
  mix: { kind: 'alternate', parts: [{ task: TASK, count: 1 }] },
  optimizer: { lr: RATE, betas: [0, 0], eps: EPS, weightDecay: 0 },
  schedule: { kind: 'constant', warmup: { value: 0, unit: 'steps' }, floor: 0 },
  epochs: null,
  steps: null,
  batch: 1,
  accumulate: 1,
  average: 'labels',
  clip: null,
  seed: 0,
  span,
};

export interface BenchPackage {
  readonly manifest: Manifest;
  readonly shaders: Readonly<Record<string, string>>;
  /** The graph after all passes, for the reference. */
  readonly graph: Graph;
}

export function compileOperation(op: Operation, profile: Profile): BenchPackage {
  const model = modelOf(op);
  const table = new Map(
    model.parameters.map((p) => [
      p.name,
      { axes: p.axes, trainable: model.tasks[0]?.trains.includes(p.name) ?? false },
    ]),
  );
  const { g, reached } = buildGraph(op, model, table);
  const layout = layOut(model, new Map([[TASK, reached]]));
  if (op.kind === 'block') appendOptimizer(g, layout.cells, [...layout.cells.keys()], recipe, 'gradients');
  const graph = verify(fuse(fuseScale(prune(verify(g.graph())))));
  const plan = planMemory([graph], layout);
  const { kernels, programs, sources } = scheduleAll([graph], plan, profile);
  const constants = constantsOf([graph], plan);
  const manifest: Manifest = {
    ...{ format: PACKAGE_FORMAT, name: op.name, base: model.base, profile, spec: { hash: '', text: '' } },
    ...{ parameters: layout.parameters, cells: layout.cells, groups: {}, tasks: [], data: [], recipe },
    ...{ buffers: plan.sizes, constants, context: 0, memory: { peak: plan.peak, sum: plan.sum } },
    ...{ kernels, programs },
  };
  return { manifest, shaders: Object.fromEntries(sources), graph };
}

/** Only the heads, the parameters and what is trained matter; the rest fills the type. */
function modelOf(op: Operation): Model {
  const { heads, dim, ffn, tokens } = op.kind === 'block' ? op : { heads: 1, dim: 4, ffn: 4, tokens: 1 };
  const base: Base = {
    ...{ name: 'bench', family: 'llama', layers: 1, dim, heads, kvHeads: heads, headDim: dim / heads, ffn },
    ...{ vocab: 1, context: tokens, normEps: 0, rope: { style: 'half', theta: 1 }, tied: false },
  };
  const parameters = Object.entries(parameterAxes(op)).map(([name, axes]): Parameter => ({
    ...{
      name,
      shape: axes.map(logical),
      axes,
      init: { kind: 'weights' },
      owner: 'base',
      decay: false,
      rate: 1,
    },
  }));
  const trains = op.kind === 'block' ? trainedOf(op) : [];
  const tasks = [{ name: TASK, data: '', trains, groups: [], fields: {}, span }];
  return {
    name: 'bench',
    base,
    sites: [],
    parts: [],
    parameters,
    groups: {},
    tasks,
    data: [],
    experts: [],
    recipes: [],
  };
}
