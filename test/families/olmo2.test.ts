/** OLMo 2, whose norms lie behind attention and the feed-forward network, against what transformers computes. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { legendOf } from '../../compiler/describe/fusion-map.ts';
import { sitesOf } from '../../compiler/families/sites.ts';
import { mergedBase, obstaclesOf } from '../../compiler/merge/merge.ts';
import type { Base } from '../../compiler/model/model.ts';
import { modelOf, odd, tiny } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';
import { testCache, testParts } from './parts.ts';

const t = suite('olmo2');

withShared(t, 'olmo2 computes what transformers does', (folder) =>
  checkBase(join(folder, 'golden-hf/base'), 'olmo2'),
);

const small: Base = { ...tiny, family: 'olmo2', dim: 20 };
const uneven: Base = { ...odd, family: 'olmo2', dim: 14, biases: ['wq', 'wk', 'wv', 'wo'] };
testParts(t, [small, uneven]);
testCache(t, [small, uneven], 'bias n on layers.attention.{q_norm, k_norm} + layers.post_attention_norm');

t('places, and what files call them', () => {
  const sites = sitesOf(small);
  const norms = sites.filter(({ kind, layer }) => kind === 'norm' && layer === 1);
  assert.equal(
    norms.map(({ name, huggingface }) => [
      name.replace('layers.1.', ''),
      huggingface.replace('model.layers.1.', ''),
    ]),
    [
      ['attention.q_norm', 'self_attn.q_norm'],
      ['attention.k_norm', 'self_attn.k_norm'],
      ['post_attention_norm', 'post_attention_layernorm'],
      ['post_ffn_norm', 'post_feedforward_layernorm'],
    ],
  );
  assert.equal([norms[0]?.input.groups, norms[1]?.input.groups], [4, 2]);
  assert.match(legendOf([modelOf('', small)]), /A F: post_attention_norm post_ffn_norm/);
});

t('merging: no linear reads a norm of a layer, so what is added after one has no place', () => {
  const items = (on: string) => `bias b on ${on}\nscale s on every norm\ntask train on some trains s + b`;
  const never = (on: string) => obstaclesOf(modelOf(items(on), small)).map(({ part }) => part);
  assert.equal(never('layers.post_ffn_norm'), ['b']);
  assert.equal(never('layers.attention.k_norm'), ['b']);
  assert.equal(never('norm + layers.attention.wo'), []);
  assert.equal(mergedBase(modelOf(items('norm'), small)).biases, ['output']);
});

t.run();
