/** Words behind a filled cache, in float64: the same logits as all words at once, for every spec. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildForward, buildGeneration } from '../../compiler/build/programs.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { type Base, padded, type Model } from '../../compiler/model/model.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { invariant } from '../../grammar/invariant.ts';
import { givenFor, inputsOf, packAll, randomBatch } from './oracle.ts';
import { imageLibrary, library, needsImages, randomValues, sourceOf, tiny } from './subjects.ts';

const t = suite('words behind a filled cache');
const BATCH = 2;
/** Words of a piece, and of a whole sequence. */
const [PIECE, WHOLE] = [4, 8];

type Values = Map<number, Float64Array>;
const idOf = (graph: Graph, name: string): number => graph.tensors.find((one) => one.name === name)?.id ?? -1;

/** Runs one program on `state`, which is changed as the program leaves it. */
function run(
  model: Model,
  graph: Graph,
  state: Map<string, Float64Array>,
  words: {
    readonly tokens: Uint32Array;
    readonly starts: readonly number[];
    readonly last: readonly number[];
  },
): Values {
  const inputs = new Map(inputsOf(model, graph, words));
  inputs.set('last', Float64Array.from(words.last));
  if (graph.name.startsWith('extend'))
    inputs.set(
      'positions',
      Float64Array.from(
        { length: BATCH * graph.tokens },
        (_, i) => graph.prepended + (words.starts[Math.floor(i / graph.tokens)] ?? 0) + (i % graph.tokens),
      ),
    );
  const given = givenFor(model, graph, packAll(model, randomValues(model)), inputs);
  for (const { home, name, id } of graph.tensors) {
    const values = home === 'state' ? state.get(name) : undefined;
    if (values) given.set(id, values);
  }
  const values = interpret(graph, given) as Values;
  for (const { home, name, id } of graph.tensors) {
    const after = home === 'state' ? values.get(id) : undefined;
    if (after) state.set(name, after);
  }
  return values;
}

/** Logits [rows, vocab] that a program gives. */
function logitsOf(model: Model, graph: Graph, values: Values): number[][] {
  const [output] = graph.outputs;
  const tensor = graph.tensors.find(({ id }) => id === output?.tensor);
  invariant(tensor, 'logits');
  const all = values.get(tensor.id) ?? new Float64Array();
  const width = padded(tensor.axis);
  return Array.from({ length: tensor.rows }, (_, r) => [
    ...all.subarray(r * width, r * width + model.base.vocab),
  ]);
}

/** Layers that look at few keys must not see more of them behind a cache than within a whole text. */
const windowed: Base = { ...tiny, name: 'windowed', window: { tokens: 3, layers: [0] } };
const subjects = [
  ...library(),
  ...imageLibrary(),
  ...library(windowed).map(({ name, model }) => ({ name: `${name} on a base with a window`, model })),
];

for (const { name, model } of subjects)
  t(name, () => {
    const image = needsImages(model);
    const source = sourceOf(model, new Set(model.tasks.flatMap((task) => task.trains)));
    const whole = buildForward(source, { batch: BATCH, tokens: WHOLE, image }).graph();
    const front = whole.prepended;
    const context = front + WHOLE;
    const sizes = { batch: BATCH, tokens: PIECE, context, keys: [context], image, extend: true };
    const programs = buildGeneration(source, sizes).map((g) => g.graph());
    const named = (start: string): Graph => {
      const found = programs.find((graph) => graph.name.startsWith(start));
      invariant(found, start);
      return found;
    };
    const { tokens } = randomBatch(model, BATCH, WHOLE);
    const piece = (starts: readonly number[]): Uint32Array =>
      Uint32Array.from(
        starts.flatMap((start, b) => [...tokens.subarray(b * WHOLE + start, b * WHOLE + start + PIECE)]),
      );
    const all = run(model, whole, new Map(), { tokens, starts: [0, 0], last: [] });
    const wanted = logitsOf(model, whole, all);
    const state = new Map<string, Float64Array>();
    const nothing = { tokens: piece([0, 0]), starts: [0, 0], last: [0, 0] };
    run(model, named('prompts'), state, nothing);
    // The second sequence has one word less before its piece, so that the two stand at different positions.
    const starts = [PIECE, PIECE - 1];
    run(model, named('prefill'), state, {
      ...nothing,
      last: [0, 1].map((b) => b * (front + PIECE) + front + PIECE - 1),
    });
    for (const last of [0, PIECE - 1]) {
      const extend = named('extend');
      assert.ok(idOf(extend, 'cache.layers.0.key') >= 0, 'the cache is looked at');
      const rows = logitsOf(
        model,
        extend,
        run(model, extend, state, { tokens: piece(starts), starts, last: [last, PIECE + last] }),
      );
      rows.forEach((row, b) => {
        const right = wanted[b * context + front + (starts[b] ?? 0) + last] ?? [];
        row.forEach((x, i) => assert.ok(Math.abs(x - (right[i] ?? NaN)) < 1e-10, `sequence ${b}: ${x}`));
      });
    }
  });

t.run();
