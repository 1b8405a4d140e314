/** What is taken out of an encoder: tokens of any block, of several side by side, and nothing run above them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../compiler/ops/interpret.ts';
import { buildEncoding } from '../../compiler/build/programs.ts';
import { extent } from '../../compiler/graph/tape.ts';
import { ceil4, type Model, padded } from '../../compiler/model/model.ts';
import { givenFor, inputsOf, packAll } from '../compiler/oracle.ts';
import { modelOf, randomValues, tiny, sourceOf } from '../compiler/subjects.ts';

const t = suite('what encoders give');

const [BATCH, WIDTH, TOKENS] = [2, 6, 5];

/** Three blocks of 6 numbers over a class token and four patches. */
const seeing = (
  fields: string,
  model = 'vit(resolution: 4, patch: 2, width: 6, layers: 3, heads: 2, output: 5)',
) =>
  modelOf(`encoder vision { model = ${model}  ${fields} }
    project visual from vision { length = 1 }
    prompt image on layers[first 1] from visual`);

interface Ran {
  /** Rows of logical numbers, by the name of a tap or output. */
  readonly rows: ReadonlyMap<string, readonly (readonly number[])[]>;
  readonly labels: readonly string[];
}

/** Runs the encoder alone, in float64. */
function run(model: Model, part = 'vision'): Ran {
  const graph = buildEncoding({ ...sourceOf(model), taps: true }, part, BATCH).graph();
  const parameters = packAll(model, randomValues(model));
  const inputs = inputsOf(model, graph, { tokens: new Uint32Array() });
  const values = interpret(graph, givenFor(model, graph, parameters, inputs));
  const rows = new Map(
    graph.outputs.map(({ name, tensor: id }) => {
      const tensor = graph.tensors[id]!;
      const all = values.get(id) ?? new Float64Array();
      assert.is(all.length, extent(tensor));
      const { groups, size } = tensor.axis;
      const row = (r: number) =>
        Array.from({ length: groups * size }, (_, i) => {
          const column = Math.floor(i / size) * ceil4(size) + (i % size);
          return all[r * padded(tensor.axis) + column] ?? NaN;
        });
      return [name, Array.from({ length: tensor.rows }, (_, r) => row(r))] as const;
    }),
  );
  return { rows, labels: graph.nodes.map(({ origin }) => origin.site) };
}

const all = run(seeing(''));
const block = (i: number, rows = all.rows) => rows.get(`vision.blocks.${i}`) ?? [];

/** Rows of some tokens of every image. */
const pick = (rows: readonly (readonly number[])[], from: number, length: number) =>
  rows.filter((_, r) => r % TOKENS >= from && r % TOKENS < from + length);

const tokens = (fields: string) => run(seeing(fields)).rows.get('tokens');

t('class token, patches, or all, at the end', () => {
  const whole = all.rows.get('tokens') ?? [];
  assert.is(whole.length, BATCH * TOKENS);
  assert.is(whole[0]?.length, 5);
  assert.equal(tokens('take = tokens'), whole);
  assert.equal(tokens('take = class'), pick(whole, 0, 1));
  assert.equal(tokens('take = patches'), pick(whole, 1, 4));
});

t('the same after a block in the middle, without what stands at the end', () => {
  assert.is(block(1).length, BATCH * TOKENS);
  assert.is(block(1)[0]?.length, WIDTH);
  assert.equal(tokens('at = 1'), block(1));
  assert.equal(tokens('at = 2  take = class'), pick(block(2), 0, 1));
  assert.equal(tokens('at = last 1  take = patches'), pick(block(2), 1, 4));
  assert.not.equal(block(1), block(2));
});

t('several blocks lie side by side, lowest first', () => {
  const beside = (blocks: readonly number[], from: number, length: number) =>
    pick(block(0), from, length).map((_, r) => blocks.flatMap((i) => pick(block(i), from, length)[r] ?? []));
  assert.equal(tokens('at = [0, 2]  take = class'), beside([0, 2], 0, 1));
  assert.equal(tokens('at = [2, 0]  take = class'), beside([0, 2], 0, 1));
  assert.equal(tokens('at = all  take = patches'), beside([0, 1, 2], 1, 4));
  assert.equal(tokens('at = last 2'), beside([1, 2], 0, 5));
});

t('one linear layer over two blocks is the sum of one over each', () => {
  const model =
    modelOf(`encoder vision { model = vit(resolution: 4, patch: 2, width: 6, layers: 3, heads: 2)  take = class  at = [0, 2] }
    project visual from vision { length = 2 }
    prompt image on layers[first 1] from visual`);
  const weight = model.parameters.find((p) => p.name === 'visual.weight');
  assert.equal(weight?.shape, [2 * tiny.dim, 2 * WIDTH]);
  const [w, b] = ['visual.weight', 'visual.bias'].map((name) => randomValues(model).get(name) ?? []);
  const { rows } = run(model, 'visual');
  rows.get('tokens')?.forEach((made, r) => {
    const image = Math.floor(r / 2);
    made.forEach((x, i) => {
      const row = (r % 2) * tiny.dim + i;
      const at = [0, 2].flatMap((n) => block(n, rows)[image * TOKENS] ?? []);
      const wanted = at.reduce((sum, t, k) => sum + t * (w?.[row * 2 * WIDTH + k] ?? NaN), b?.[row] ?? NaN);
      assert.ok(Math.abs(x - wanted) < 1e-12, `${x}, by the formula ${wanted}`);
    });
  });
});

t('nothing above the last block that is taken is run, or has parameters', () => {
  const model = seeing('at = [0, 1]');
  const { labels } = run(model);
  assert.ok(labels.some((label) => label.startsWith('vision.blocks.1')));
  assert.not.ok(
    labels.some((label) => /blocks\.2|ln_post|proj/.test(label)),
    labels.join(' '),
  );
  const names = model.parameters.filter((p) => p.owner === 'vision').map((p) => p.name);
  assert.ok(names.includes('vision.blocks.1.norm1.weight'));
  assert.not.ok(
    names.some((name) => /blocks\.2|ln_post|vision\.proj/.test(name)),
    names.join(' '),
  );
  assert.ok(all.labels.some((label) => label === 'vision.proj'));
});

t('features are rows too, what they call the class token first', () => {
  const features = (take: string) =>
    run(seeing(`take = ${take}`, 'features(width: 7, tokens: 5)')).rows.get('tokens') ?? [];
  assert.is(features('tokens').length, BATCH * TOKENS);
  assert.equal(features('class'), pick(features('tokens'), 0, 1));
  assert.equal(features('patches'), pick(features('tokens'), 1, 4));
});

t.run();
