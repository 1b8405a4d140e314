/** Families with LLaMA's places against what transformers computes on them. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config } from '../../compiler/families/config-reader.ts';
import { readConfig } from '../../compiler/families/config.ts';
import { baseLines } from '../../compiler/families/print-base.ts';
import type { Base } from '../../compiler/model/model.ts';
import { withShared } from '../shared.ts';
import { odd, tiny } from '../compiler/subjects.ts';
import { checkBase } from './golden.ts';
import { declaredBase, testCache, testParts } from './parts.ts';

const t = suite('mistral and qwen2');

// Windows in every layer, narrower and wider than the head's share of the width; and from the second layer on.
for (const name of ['qwen2', 'qwen2_yarn', 'mistral', 'mistral_std', 'qwen2_sliding'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

const mistral = {
  ...{ model_type: 'mistral', hidden_size: 36, intermediate_size: 40, num_hidden_layers: 1, vocab_size: 9 },
  ...{ num_attention_heads: 4, head_dim: 14 },
};

t('mistral has a window in every layer, unless it is null', () => {
  const { base, problems } = readConfig({ ...mistral, sliding_window: null, num_attention_heads: 16 });
  assert.equal(problems, []);
  assert.equal([base?.headDim, base?.kvHeads, base?.biases], [14, 8, undefined]);
  const window = (more: Config) => readConfig({ ...mistral, num_key_value_heads: 2, ...more }).base?.window;
  assert.equal(window({ sliding_window: null }), undefined);
  assert.equal(window({ sliding_window: 5 }), { tokens: 5, layers: [0] });
  assert.equal(window({}), { tokens: 4096, layers: [0] });
  assert.equal(window({ sliding_window: 5, layer_types: ['full_attention'] }), undefined);
  const types = (...layer_types: string[]) =>
    readConfig({ ...mistral, num_key_value_heads: 2, layer_types }).problems.map(({ message }) => message);
  assert.equal(types('chunked_attention'), ['has layers of the type `chunked_attention` (`layer_types`)']);
  assert.equal(types('full_attention', 'full_attention')[0], 'has 2 `layer_types` for 1 layers');
});

t('qwen2 has biases on queries, keys and values, and no windows unless it says so', () => {
  const qwen = {
    ...mistral,
    model_type: 'qwen2',
    head_dim: undefined,
    num_key_value_heads: 2,
    sliding_window: 4096,
  };
  const { base, problems } = readConfig({ ...qwen, use_sliding_window: false, max_window_layers: 1 });
  assert.equal(problems, []);
  assert.equal([base?.headDim, base?.biases], [9, ['wq', 'wk', 'wv']]);
  const layers = (more: Config) =>
    readConfig({ ...qwen, num_hidden_layers: 3, use_sliding_window: true, ...more }).base?.window?.layers;
  assert.equal(layers({ max_window_layers: 1 }), [1, 2]);
  assert.equal(layers({}), undefined);
});

const narrow: Base = { ...tiny, family: 'mistral', name: 'windows', window: { tokens: 2, layers: [0, 1] } };
const late: Base = { ...odd, family: 'qwen2', name: 'late windows', window: { tokens: 3, layers: [1] } };
testParts(t, [narrow, late]);
testCache(t, [narrow, late]);

t('a base with windows, as the language has it', () => {
  const declared = (attributes: string): Base | undefined =>
    declaredBase(`layers = 5  dim = 8  heads = 2  ffn = 8  vocab = 9  ${attributes}`);
  const base = declared('window = 3  windowed = 0..4 by 2')!;
  assert.equal(base.window, { tokens: 3, layers: [0, 2, 4] });
  assert.equal(declared('window = 3')?.window?.layers, [0, 1, 2, 3, 4]);
  assert.is(declared('windowed = all'), undefined);
  assert.is(declared('window = 3  windowed = 7'), undefined);
  assert.match(baseLines(base).join('\n'), /^window = 3 {2}windowed = \[0, 2, 4\]$/m);
});

t.run();
