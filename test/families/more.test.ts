/** Families with LLaMA's places against what transformers computes on them. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig } from '../../compiler/families/config.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';

const t = suite('mistral and qwen2');

for (const name of ['qwen2', 'qwen2_yarn'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

const mistral = {
  ...{ model_type: 'mistral', hidden_size: 36, intermediate_size: 40, num_hidden_layers: 1, vocab_size: 9 },
  ...{ num_attention_heads: 4, head_dim: 14 },
};

t('mistral is read where it has no window, and refused by name where it has one', () => {
  const { base, problems } = readConfig({ ...mistral, sliding_window: null, num_attention_heads: 16 });
  assert.equal(problems, []);
  assert.equal([base?.headDim, base?.kvHeads, base?.biases], [14, 8, undefined]);
  const windowed = readConfig({ ...mistral, sliding_window: 5 }).problems.map(({ message }) => message);
  assert.equal(windowed, ['has a window of `5` tokens (`sliding_window`)']);
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
  assert.match(
    readConfig({ ...qwen, use_sliding_window: true }).problems[0]!.message,
    /`use_sliding_window`/,
  );
});

t.run();
