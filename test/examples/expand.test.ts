/** Growing a base: the deeper one begins as the shallow one, in float64, and can learn to be more. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base } from '../../compiler/model/model.ts';
import { expandLayers } from '../../examples/base/expand.ts';
import { gradientsOf, lossOf, packAll, randomBatch, runBatch } from '../compiler/oracle.ts';
import { modelOf, randomValues, tiny, trainingGraph } from '../compiler/subjects.ts';

const t = suite('base: growing');
const onBase = (base: Base) => modelOf('task train on some trains base', base);
const shallow = onBase(tiny);
const values = randomValues(shallow);

/** The loss of a whole base on one batch, and the gradients of all its parameters. */
function trained(base: Base, own: ReadonlyMap<string, Float32Array>) {
  const model = onBase(base);
  const task = model.tasks[0]!;
  const graph = trainingGraph(model, task, { batch: 2, tokens: 5 });
  const ran = runBatch(model, graph, packAll(model, own), randomBatch(model, 2, 5));
  return { loss: lossOf(graph, ran), gradients: gradientsOf(graph, ran) };
}

for (const copies of [1, 2, 3]) {
  t(`a base of ${copies} times the layers gives the same loss`, () => {
    const layers = copies * tiny.layers;
    const deep = trained({ ...tiny, layers }, expandLayers(values, tiny.layers, layers));
    assert.is(deep.loss, trained(tiny, values).loss);
    for (const name of ['attention.wo.weight', 'feed_forward.w2.weight'])
      for (let layer = 0; layer < layers; layer++)
        assert.ok(
          deep.gradients.get(`layers.${layer}.${name}`)?.some((x) => x !== 0),
          `layer ${layer} learns`,
        );
  });
}

t('a copy stands behind its layer, and only its outputs are silent', () => {
  const deep = expandLayers(values, 2, 4);
  assert.equal(
    [...deep.keys()].sort(),
    onBase({ ...tiny, layers: 4 })
      .parameters.map((p) => p.name)
      .sort(),
  );
  assert.equal(deep.get('layers.2.attention.wo.weight'), values.get('layers.1.attention.wo.weight'));
  assert.equal(deep.get('layers.3.attention.wq.weight'), values.get('layers.1.attention.wq.weight'));
  assert.ok(deep.get('layers.3.attention.wo.weight')?.every((x) => x === 0));
});

t('layers that are no multiple are a bug', () => {
  assert.throws(() => expandLayers(values, 2, 5), /multiple/);
});

t.run();
