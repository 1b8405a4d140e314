/** Graphs in float64: what a program must give, from parameters and a batch. */
import type { Graph, Tensor } from '../../compiler/graph/graph.ts';
import { IGNORE, STEP } from '../../compiler/graph/graph.ts';
import { extent } from '../../compiler/graph/tape.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { type Model, padded } from '../../compiler/model/model.ts';
import { ropeTable } from '../../compiler/package/constants.ts';
import { invariant } from '../../grammar/invariant.ts';
import { createRandom } from '../../runtime/random.ts';
import type { MicroBatch } from '../../runtime/train/batch.ts';
import { pack } from '../../runtime/weights/pack.ts';

export type Numbers = ReadonlyMap<string, Float64Array>;

/** Parameters as graphs hold them: padded, in float64. */
export function packAll(model: Model, values: ReadonlyMap<string, Float32Array>): Map<string, Float64Array> {
  return new Map(
    model.parameters.map((p) => {
      const own = values.get(p.name);
      invariant(own, `no values for ${p.name}`);
      return [p.name, Float64Array.from(pack(own, p.shape, p.axes))];
    }),
  );
}

/** Random tokens; some positions have no label, and the last of each sequence never has one. */
export function randomBatch(model: Model, batch: number, tokens: number, seed = 7): MicroBatch {
  const random = createRandom('batch', seed);
  const ids = Uint32Array.from({ length: batch * tokens }, () => random.integer(model.base.vocab));
  const labels = ids.map((_, i) => ((i + 1) % tokens === 0 || i % 4 === 1 ? IGNORE : (ids[i + 1] ?? 0)));
  return { tokens: ids, labels, labelled: labels.filter((label) => label !== IGNORE).length };
}

/** What the host would write into a program's inputs for a batch. */
export function inputsOf(
  model: Model,
  graph: Pick<Graph, 'batch' | 'tokens' | 'prepended' | 'tensors'>,
  batch: Pick<MicroBatch, 'tokens'> & Partial<MicroBatch>,
): Numbers {
  const front = graph.prepended;
  const length = front + graph.tokens;
  const at = (i: number) => Math.floor(i / length) * graph.tokens + (i % length) - front;
  const labels = Array.from({ length: graph.batch * length }, (_, i) =>
    i % length < front ? IGNORE : (batch.labels?.[at(i)] ?? IGNORE),
  );
  const inputs = new Map<string, Float64Array>([
    ['tokens', Float64Array.from(batch.tokens)],
    ['positions', Float64Array.from(labels, (_, i) => i % length)],
    ['labels', Float64Array.from(labels)],
    ...places('tokens', [...batch.tokens], Math.ceil(model.base.vocab / 4) * 4),
  ]);
  for (const t of graph.tensors)
    if (t.home === 'inputs' && t.name.startsWith('image.')) inputs.set(t.name, imageFor(t));
  const picked = graph.tensors.find((t) => t.home === 'inputs' && t.name === 'rows');
  if (!picked) return inputs;
  const rows = labels.flatMap((label, row) => (label === IGNORE ? [] : [row]));
  const all = Array.from({ length: picked.axis.size }, (_, i) => rows[i] ?? 0);
  inputs.set('rows', Float64Array.from(all));
  inputs.set(
    'labels',
    Float64Array.from(all, (row, i) => (i < rows.length ? (labels[row] ?? IGNORE) : IGNORE)),
  );
  for (const [name, values] of places('rows', all, labels.length)) inputs.set(name, values);
  return inputs;
}

/** A random image, patch by patch; the padding of its rows is zero. */
export function imageFor(t: Pick<Tensor, 'name' | 'rows' | 'axis'>): Float64Array {
  const random = createRandom('image', t.name);
  const width = padded(t.axis);
  return Float64Array.from({ length: t.rows * width }, (_, i) =>
    i % width < t.axis.size ? Math.fround(random.normal()) : 0,
  );
}

/** For each id below `count` the places it stands at: what the gradient of picking rows is summed over. */
function places(name: string, ids: readonly number[], count: number): [string, Float64Array][] {
  const at = Array.from({ length: count }, (_, id) =>
    ids.flatMap((other, place) => (other === id ? [place] : [])),
  );
  const starts = at.reduce<number[]>((sums, list) => [...sums, (sums.at(-1) ?? 0) + list.length], [0]);
  return [
    [`${name}.order`, Float64Array.from(at.flat())],
    [`${name}.starts`, Float64Array.from(starts)],
  ];
}

/** Values of the tensors no node writes. `lossScale` is what multiplies each label's cross-entropy. */
export function givenFor(
  model: Model,
  graph: Pick<Graph, 'tensors'>,
  parameters: Numbers,
  inputs: Numbers,
  lossScale = 1,
): Map<number, Float64Array> {
  const values = new Map<number, Float64Array>();
  for (const t of graph.tensors) {
    const source = sourceOf(model, t, parameters, inputs, lossScale);
    if (source) values.set(t.id, fit(source, extent(t)));
  }
  return values;
}

/** Rows past the last vector are padding that a graph does not look at. */
const fit = (source: Float64Array, length: number): Float64Array => {
  const fitted = new Float64Array(length);
  fitted.set(source.subarray(0, length));
  return fitted;
};

function sourceOf(
  model: Model,
  t: Tensor,
  parameters: Numbers,
  inputs: Numbers,
  lossScale: number,
): Float64Array | null {
  switch (t.home) {
    case 'weights':
    case 'parameters':
      return parameters.get(t.parameter ?? '') ?? null;
    case 'constants':
      return t.constant?.kind === 'rope' ? Float64Array.from(ropeTable(t.rows, t.constant)) : null;
    case 'inputs':
      return inputs.get(t.name) ?? null;
    case 'step': {
      const step = new Float64Array(extent(t));
      step[STEP.lossScale] = lossScale;
      return step;
    }
    default:
      return null;
  }
}

/** Runs a training or evaluation graph on a batch; `lossScale` makes the loss the mean over its labels. */
export function runBatch(
  model: Model,
  graph: Graph,
  parameters: Numbers,
  batch: MicroBatch,
): Map<number, Float64Array> {
  return interpret(
    graph,
    givenFor(model, graph, parameters, inputsOf(model, graph, batch), 1 / batch.labelled),
  );
}

/** The loss a graph computed. */
export function lossOf(graph: Graph, values: ReadonlyMap<number, Float64Array>): number {
  const loss = graph.tensors.find((t) => t.home === 'results' && t.name === 'loss');
  return values.get(loss?.id ?? -1)?.[0] ?? NaN;
}

/** Gradients by parameter, padded. */
export function gradientsOf(
  graph: Graph,
  values: ReadonlyMap<number, Float64Array>,
): Map<string, Float64Array> {
  const written = new Set(graph.nodes.flatMap((node) => node.outputs));
  return new Map(
    graph.tensors
      .filter((t) => t.home === 'gradients' && t.cell === undefined && written.has(t.id))
      .map((t) => [t.parameter ?? '', values.get(t.id) ?? new Float64Array()]),
  );
}
