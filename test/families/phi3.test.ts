/** Phi-3: tensors that hold several linears, and heads that turn in part, against what transformers computes. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig } from '../../compiler/families/config.ts';
import type { Config } from '../../compiler/families/config-reader.ts';
import { baseLines } from '../../compiler/families/print-base.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import type { Base, Parameter } from '../../compiler/model/model.ts';
import { mergedBase } from '../../compiler/merge/merge.ts';
import { mergedTensors } from '../../runtime/merge/tensors.ts';
import { loadBase, planBase } from '../../runtime/weights/base.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { modelOf, odd, tiny } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';
import { declaredBase, testCache, testParts } from './parts.ts';

const t = suite('phi3');

// The second one turns by its length.
for (const name of ['phi3', 'phi3_longrope'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

const small: Base = { ...tiny, family: 'phi3', rope: { style: 'half', theta: 100, size: 4 } };
const uneven: Base = { ...odd, family: 'phi3', rope: { style: 'interleaved', theta: 100, size: 2 } };
testParts(t, [small, uneven]);
testCache(t, [small, uneven]);

t('linears that share a tensor are rows of it', () => {
  const rows = (name: string) => {
    const { source } = baseParameters(small).find((p) => p.name === `layers.1.${name}.weight`)!;
    return [source?.names.huggingface, source?.rows];
  };
  const qkv = 'model.layers.1.self_attn.qkv_proj.weight';
  assert.equal(rows('attention.wq'), [qkv, { from: 0, to: 24, of: 48 }]);
  assert.equal(rows('attention.wk'), [qkv, { from: 24, to: 36, of: 48 }]);
  assert.equal(rows('attention.wv'), [qkv, { from: 36, to: 48, of: 48 }]);
  assert.equal(rows('feed_forward.w3'), [
    'model.layers.1.mlp.gate_up_proj.weight',
    { from: 10, to: 20, of: 20 },
  ]);
  assert.is(rows('attention.wo')[1], undefined);
});

/** A file of a small base, as Hugging Face or Meta names it; each number says its place in the tensor. */
function fileOf(
  base: Base,
  style: 'huggingface' | 'meta',
  spoil: readonly number[] | null = null,
): WeightSource {
  const tensors = new Map(
    baseParameters(base).map(({ shape, source }) => {
      const name = source!.names[style];
      const of = style === 'huggingface' && source!.rows ? [source!.rows.of, ...shape.slice(1)] : shape;
      const wrong = spoil !== null && name.endsWith('qkv_proj.weight');
      return [name, { name, dtype: 'F32', shape: wrong ? spoil : of }] as const;
    }),
  );
  const read = (name: string) =>
    Promise.resolve(
      Float32Array.from({ length: tensors.get(name)!.shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    );
  return { name: 'file', tensors, metadata: {}, read, close: () => Promise.resolve() };
}

t('a shared tensor is split on reading, and turned rows change places with turned rows', async () => {
  const one: Base = { ...small, layers: 1 };
  const { values } = await loadBase(fileOf(one, 'huggingface'), one, baseParameters(one));
  assert.is(values.get('layers.0.attention.wk.weight')![0], 24 * 24);
  assert.is(values.get('layers.0.attention.wk.weight')!.length, 12 * 24);
  assert.is(values.get('layers.0.feed_forward.w3.weight')![0], 10 * 24);
  const neighbours: Base = { ...one, rope: { ...one.rope, style: 'interleaved' } };
  const turned = await loadBase(fileOf(neighbours, 'huggingface'), neighbours, baseParameters(neighbours));
  const wq = turned.values.get('layers.0.attention.wq.weight')!;
  assert.equal(
    Array.from({ length: 12 }, (_, row) => wq[row * 24]! / 24),
    [0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11],
  );
});

t('merging joins what was split, with biases on all that share a tensor', async () => {
  for (const style of ['half', 'interleaved'] as const) {
    const one: Base = { ...small, layers: 1, rope: { ...small.rope, style } };
    const model = modelOf('bias b on layers.attention.wk\ntask train on some trains b', one);
    const file = fileOf(one, 'huggingface');
    const { values } = await loadBase(file, one, baseParameters(one));
    const of = ({ name, shape }: Pick<Parameter, 'name' | 'shape'>) =>
      Promise.resolve(values.get(name) ?? new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(7));
    const { naming } = planBase(file, one, baseParameters(one));
    const writing = {
      merged: mergedBase(model),
      naming,
      dtype: 'F32',
      survival: [],
      values: of,
      before: of,
    } as const;
    const tensors = mergedTensors(model, { ...writing, survival: [], rounding: { largest: 0, at: '' } });
    const numbers = async (name: string): Promise<number[]> => {
      const tensor = tensors.find((found) => found.name === `model.layers.0.self_attn.${name}`)!;
      const bytes = await tensor.bytes();
      return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
    };
    assert.equal(await numbers('qkv_proj.weight'), [
      ...(await file.read('model.layers.0.self_attn.qkv_proj.weight')),
    ]);
    assert.equal(await numbers('qkv_proj.bias'), [
      ...Array.from({ length: 24 }, () => 0),
      ...Array.from({ length: 12 }, () => 7),
      ...Array.from({ length: 12 }, () => 0),
    ]);
    assert.is(tensors.filter(({ name }) => name.includes('qkv_proj')).length, 2);
  }
});

t('a shared tensor of another size is refused once', async () => {
  const one: Base = { ...small, layers: 1 };
  let message = '';
  await loadBase(fileOf(one, 'huggingface', [40, 24]), one, baseParameters(one)).catch((error: Error) => {
    message = error.message;
  });
  assert.is(message.match(/qkv_proj\.weight` is \[40, 24\], the base `tiny` needs \[48, 24\]/g)?.length, 1);
});

const config = {
  ...{ model_type: 'phi3', hidden_size: 48, intermediate_size: 8, num_hidden_layers: 2 },
  ...{ num_attention_heads: 4, vocab_size: 9 },
};

t('how much of a head turns', () => {
  const rope = (more: Config) => readConfig({ ...config, ...more }).base?.rope;
  assert.equal(rope({ partial_rotary_factor: 0.5 }), { style: 'half', theta: 10000, size: 6 });
  assert.equal(rope({ rope_parameters: { rope_theta: 5, partial_rotary_factor: 0.67 } }), {
    style: 'half',
    theta: 5,
    size: 8,
  });
  assert.equal(rope({ partial_rotary_factor: 1 }), { style: 'half', theta: 10000 });
  assert.match(
    readConfig({ ...config, partial_rotary_factor: 0.3 }).problems[0]!.message,
    /turns `0\.3` of a head of 12 numbers/,
  );
});

t('as the language has it', () => {
  const declared = (rope: string) =>
    declaredBase(`layers = 1  dim = 24  heads = 2  ffn = 8  vocab = 9  rope = ${rope}`);
  const base = declared('half(theta: 100, size: 6)')!;
  assert.equal(base.rope, { style: 'half', theta: 100, size: 6 });
  assert.match(baseLines(base).join('\n'), /rope = half\(theta: 100, size: 6\)/);
  assert.is(declared('half(theta: 100, size: 5)'), undefined);
  assert.is(declared('half(theta: 100, size: 14)'), undefined);
});

t.run();
