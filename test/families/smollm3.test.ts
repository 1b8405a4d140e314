/** SmolLM3, whose layers without rotary positions are a feature of any base, against what transformers computes. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig } from '../../compiler/families/config.ts';
import type { Config } from '../../compiler/families/config-reader.ts';
import { baseLines } from '../../compiler/families/print-base.ts';
import type { Base } from '../../compiler/model/model.ts';
import { odd } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';
import { declaredBase, testCache, testParts } from './parts.ts';

const t = suite('smollm3');

withShared(t, 'smollm3 computes what transformers does', (folder) =>
  checkBase(join(folder, 'golden-hf/base'), 'smollm3'),
);

const small: Base = { ...odd, family: 'smollm3', tied: true, unrotated: [1] };
testParts(t, [small]);
testCache(t, [small]);

t('which layers are not rotated', () => {
  const config = {
    ...{ model_type: 'smollm3', hidden_size: 24, intermediate_size: 8, num_hidden_layers: 9 },
    ...{ num_attention_heads: 4, vocab_size: 9 },
  };
  const of = (more: Config) => readConfig({ ...config, ...more }).base?.unrotated;
  assert.equal(of({}), [3, 7]);
  assert.equal(of({ no_rope_layer_interval: 3 }), [2, 5, 8]);
  assert.equal(of({ no_rope_layers: [1, 1, 0, 1, 1, 1, 1, 1, 0] }), [2, 8]);
  assert.equal(of({ no_rope_layers: [1, 1, 1, 1, 1, 1, 1, 1, 1] }), undefined);
  assert.match(readConfig({ ...config, no_rope_layers: [1] }).problems[0]!.message, /each of 9 layers/);
});

t('as the language has them', () => {
  const base = declaredBase('layers = 9  dim = 8  heads = 2  ffn = 8  vocab = 9  unrotated = 3..8 by 4')!;
  assert.equal(base.unrotated, [3, 7]);
  assert.match(baseLines(base).join('\n'), /^unrotated = \[3, 7\]$/m);
});

t.run();
