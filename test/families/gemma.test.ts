/** Gemma 2 and 3 against what transformers computes, and every kind of part on them. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig } from '../../compiler/families/config.ts';
import type { Config } from '../../compiler/families/config-reader.ts';
import { baseLines } from '../../compiler/families/print-base.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { mergedBase } from '../../compiler/merge/merge.ts';
import type { Base, Parameter } from '../../compiler/model/model.ts';
import { mergedTensors } from '../../runtime/merge/tensors.ts';
import { loadBase, planBase } from '../../runtime/weights/base.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { modelOf, odd, tiny } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';
import { declaredBase, testCache, testParts } from './parts.ts';

const t = suite('gemma');

for (const name of ['gemma2', 'gemma3'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

const capped: Base = {
  ...{ ...odd, family: 'gemma2', name: 'capped', tied: true, scoreDim: 5, scoreCap: 1.5, logitCap: 2 },
  window: { tokens: 2, layers: [0] },
};
const turning: Base = {
  ...{ ...tiny, family: 'gemma3_text', name: 'two bases', dim: 20, tied: true, scoreDim: 7 },
  rope: { style: 'half', theta: 1000, windowTheta: 10, scaling: { kind: 'linear', factor: 8 } },
  window: { tokens: 3, layers: [1] },
};
testParts(t, [capped, turning]);
testCache(t, [capped, turning], 'scale n on every norm');

t('files hold the weights of norms less 1, and merging writes them so', async () => {
  const model = modelOf('scale s on norm\ntask train on some trains s', capped);
  const stored = (): Promise<Float32Array> => Promise.resolve(Float32Array.of(0.25, -0.5));
  const norm = baseParameters(capped).find(({ name }) => name === 'norm.weight')!;
  const width = norm.shape[0]!;
  const file: WeightSource = {
    ...{ name: 'file', metadata: {}, close: () => Promise.resolve() },
    tensors: new Map(
      baseParameters(capped).map(({ shape, source }) => {
        const name = source!.names.huggingface;
        return [name, { name, dtype: 'F32', shape }];
      }),
    ),
    read: async (name) => {
      const { shape } = file.tensors.get(name)!;
      const [a, b] = await stored();
      return Float32Array.from({ length: shape.reduce((x, y) => x * y, 1) }, (_, i) => (i % 2 ? b! : a!));
    },
  };
  const { values } = await loadBase(file, capped, baseParameters(capped));
  assert.equal([...values.get('norm.weight')!.slice(0, 2)], [1.25, 0.5]);
  assert.equal([...values.get('layers.1.post_ffn_norm.weight')!.slice(0, 2)], [1.25, 0.5]);
  assert.equal(
    [...(values.get('output.weight') ?? values.get('tok_embeddings.weight')!)].slice(0, 2),
    [0.25, -0.5],
  );
  const { naming } = planBase(file, capped, baseParameters(capped));
  const of = ({ name }: Pick<Parameter, 'name'>) =>
    Promise.resolve(values.get(name) ?? new Float32Array(width).fill(2));
  const tensors = mergedTensors(model, {
    ...{ merged: mergedBase(model), naming, dtype: 'F32', survival: [], rounding: { largest: 0, at: '' } },
    ...{ values: of, before: of },
  });
  const bytes = await tensors.find(({ name }) => name === 'model.norm.weight')!.bytes();
  // Twice 1 + w, less 1.
  assert.equal([...new Float32Array(bytes.buffer, bytes.byteOffset, 2)], [1.5, 0]);
});

const config = {
  ...{ model_type: 'gemma2', hidden_size: 36, intermediate_size: 8, num_hidden_layers: 7 },
  ...{ num_attention_heads: 4, vocab_size: 9 },
};

t('what a config.json means where it says nothing', () => {
  const two = readConfig(config).base!;
  assert.equal([two.headDim, two.kvHeads, two.tied, two.scoreCap, two.logitCap], [256, 4, true, 50, 30]);
  assert.equal(two.window, { tokens: 4096, layers: [0, 2, 4, 6] });
  const { scoreCap, logitCap } = readConfig({ ...config, attn_logit_softcapping: null }).base!;
  assert.equal([scoreCap, logitCap], [undefined, 30]);
  const three = readConfig({ ...config, model_type: 'gemma3_text' }).base!;
  assert.equal(three.rope, { style: 'half', theta: 1e6, windowTheta: 1e4 });
  assert.equal(three.window!.layers, [0, 1, 2, 3, 4, 6]);
  assert.equal([three.scoreCap, three.logitCap], [undefined, undefined]);
});

t('what is not understood is refused by name', () => {
  const refused = (more: Config) => readConfig({ ...config, ...more }).problems.map(({ key }) => key);
  assert.equal(refused({ hidden_activation: 'gelu_pytorch_tanh', hidden_act: null }), []);
  assert.equal(refused({ hidden_activation: 'gelu' }), ['hidden_activation']);
  assert.equal(refused({ use_bidirectional_attention: true }), ['use_bidirectional_attention']);
  const local = { rope_type: 'linear', factor: 2, rope_theta: 1e4 };
  const full = { rope_type: 'default', rope_theta: 1e6 };
  const tables = { rope_parameters: { full_attention: full, sliding_attention: local } };
  assert.equal(refused({ ...tables, model_type: 'gemma3_text' }), ['rope_parameters']);
});

t('as the language has them', () => {
  const base = declaredBase(
    'family = gemma3_text  layers = 2  dim = 8  heads = 2  ffn = 8  vocab = 9  rope = half(theta: 1000, window_theta: 10)  window = 3  windowed = 0  score_dim = 5  score_cap = 2.5  logit_cap = 30',
  )!;
  assert.equal([base.scoreDim, base.scoreCap, base.logitCap, base.rope.windowTheta], [5, 2.5, 30, 10]);
  const lines = baseLines(base).join('\n');
  assert.match(lines, /rope = half\(theta: 1000, window_theta: 10\)/);
  assert.match(lines, /score_dim = 5 {2}score_cap = 2\.5 {2}logit_cap = 30/);
});

t.run();
