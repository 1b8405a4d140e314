/** Qwen3 against what transformers computes, and every kind of part on it. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseParameters, sitesOf } from '../../compiler/families/sites.ts';
import { mergedBase, obstaclesOf } from '../../compiler/merge/merge.ts';
import { legendOf } from '../../compiler/describe/fusion-map.ts';
import type { Base, Task } from '../../compiler/model/model.ts';
import { checkTask } from '../compiler/differences.ts';
import { modelOf, odd, tiny } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';
import { testCache, testParts } from './parts.ts';

const t = suite('qwen3');

/** Head widths that are no share of the width, and no multiple of four. */
const small: Base = { ...tiny, family: 'qwen3', dim: 20, rope: { style: 'half', theta: 1000 }, tied: true };
const uneven: Base = { ...odd, family: 'qwen3', dim: 14, biases: ['wq', 'wk', 'wv', 'wo'] };

for (const name of ['qwen3', 'qwen3_f16', 'qwen3_yarn'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

t('places, and what files call them', () => {
  const sites = sitesOf(small);
  const norm = sites.find(({ name }) => name === 'layers.1.attention.k_norm');
  assert.equal([norm?.kind, norm?.input.size, norm?.input.groups], ['norm', 6, 1]);
  const { source } = baseParameters(small).find(({ name }) => name === 'layers.1.attention.k_norm.weight')!;
  assert.is(source?.names.huggingface, 'model.layers.1.self_attn.k_norm.weight');
  assert.is(source?.rowOrder, 'rotary');
  assert.match(legendOf([modelOf('', small)]), /q k v o Q K: wq wk wv wo q_norm k_norm/);
});

testParts(t, [small, uneven], {
  'parts on the norms of heads':
    'scale w on layers.attention.{q_norm, k_norm}\nbias v on layers.attention.k_norm',
});
testCache(t, [small, uneven], 'bias n on layers.attention.{q_norm, k_norm}');

t('gradients of the whole base', () => {
  const model = modelOf('unfreeze all on every norm\ntask train on some trains base', small);
  assert.ok(model.tasks[0]!.trains.includes('layers.0.attention.q_norm.weight'));
  checkTask(model, model.tasks[0] as Task);
});

t('merging: a scale of a head norm is its weight, and a bias behind one has no place', () => {
  const model = modelOf(
    'scale s on layers.attention.q_norm\nbias b on layers.attention.{wq, k_norm}\ntask train on some trains s + b',
    small,
  );
  assert.equal(
    obstaclesOf(model).map(({ part, never }) => [part, never]),
    [['b', true]],
  );
  const mergeable = modelOf(
    'scale s on every norm\nbias b on layers.attention.wq\ntask train on some trains s + b',
    small,
  );
  assert.equal(obstaclesOf(mergeable), []);
  assert.equal(mergedBase(mergeable).biases, ['wq', 'wk', 'wv', 'wo']);
});

t.run();
