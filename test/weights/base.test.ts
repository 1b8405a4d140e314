import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base } from '../../compiler/model/model.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { openFile } from '../../runtime/files.ts';
import { loadBase, planBase } from '../../runtime/weights/base.ts';
import { openSafetensors } from '../../runtime/weights/safetensors.ts';
import { withShared } from '../shared.ts';
import {
  asHuggingface,
  huggingfaceName,
  message,
  permuteAsTransformers,
  renamed,
  sourceOf,
  tiny,
  weightsOf,
} from './make.ts';

const t = suite('base');

t('a parameter says what Meta and Hugging Face call its tensor, and where the order of rows matters', () => {
  const source = (name: string) => baseParameters(tiny).find((p) => p.name === name)!.source!;
  const down = source('layers.1.feed_forward.w2.weight');
  assert.is(down.names.huggingface, 'model.layers.1.mlp.down_proj.weight');
  assert.is(down.rowOrder, 'plain');
  assert.is(source('layers.0.attention.wk.weight').rowOrder, 'rotary');
  assert.is(source('output.weight').names.huggingface, 'lm_head.weight');
  for (const { name, source: of } of baseParameters(tiny)) assert.is(of?.names.meta, name);
});

t('loads the same base from every naming', async () => {
  const tensors = weightsOf(tiny);
  const plain = await loadBase(await sourceOf(tensors), tiny, baseParameters(tiny));
  for (const [name, { values }] of tensors) assert.equal(plain.values.get(name), values);
  const others = [
    renamed(tensors, (name) => `llama.${name}`),
    renamed(tensors, (name) => `llma.${name}`),
    asHuggingface(tensors, tiny),
  ];
  for (const other of others) {
    const loaded = await loadBase(await sourceOf(other), tiny, baseParameters(tiny));
    assert.is(loaded.fingerprint, plain.fingerprint);
    for (const [name, { values }] of tensors) assert.equal(loaded.values.get(name), values, name);
  }
});

t('a base that declares half-split rows gets them', async () => {
  const half: Base = { ...tiny, rope: { style: 'half', theta: 10000 } };
  const tensors = weightsOf(tiny);
  const hf = asHuggingface(tensors, tiny);
  const name = 'layers.1.attention.wk.weight';
  const expected = hf.get(huggingfaceName(name))!.values;
  assert.equal((await loadBase(await sourceOf(hf), half, baseParameters(half))).values.get(name), expected);
  assert.equal(
    (await loadBase(await sourceOf(tensors), half, baseParameters(half))).values.get(name),
    expected,
  );
  // A file that states its own order is believed.
  const own = await loadBase(await sourceOf(tensors, { rope: 'half' }), half, baseParameters(half));
  assert.equal(own.values.get(name), tensors.get(name)!.values);
});

t('tells every tensor that is missing or of another shape', async () => {
  const tensors = weightsOf(tiny);
  tensors.delete('layers.0.attention.wo.weight');
  tensors.set('norm.weight', { shape: [13], values: new Float32Array(13) });
  const text = await message(loadBase(await sourceOf(tensors), tiny, baseParameters(tiny)));
  assert.match(text, /tiny\.safetensors does not hold the base `tiny`/);
  assert.match(text, /missing: `layers\.0\.attention\.wo\.weight` \[12, 12\]/);
  assert.match(text, /`norm\.weight` is \[13\], the base `tiny` needs \[12\]/);
});

t('biases of the base are read where it declares them, in the order of its rows', async () => {
  const biased = { ...tiny, biases: ['wq', 'wv', 'output'] } as const;
  const tensors = weightsOf(biased);
  const hf = asHuggingface(tensors, biased);
  for (const layer of [0, 1]) {
    const { values } = tensors.get(`layers.${layer}.attention.wq.bias`)!;
    const moved = permuteAsTransformers(values, tiny.heads, tiny.headDim, 1);
    hf.set(`model.layers.${layer}.self_attn.q_proj.bias`, { shape: [12], values: moved });
  }
  const loaded = await loadBase(await sourceOf(hf), biased, baseParameters(biased));
  for (const [name, { values }] of tensors) assert.equal(loaded.values.get(name), values, name);
  hf.delete('model.layers.1.self_attn.v_proj.bias');
  assert.match(
    await message(async () => planBase(await sourceOf(hf), biased, baseParameters(biased))),
    /missing: `layers\.1\.attention\.wv\.bias` \[4\]/,
  );
});

t('a tied base whose file has another head is told so; the same numbers are fine', async () => {
  const tied = { ...tiny, tied: true };
  const tensors = asHuggingface(weightsOf(tied), tied);
  const embedding = tensors.get('model.embed_tokens.weight')!;
  tensors.set('lm_head.weight', { ...embedding, values: embedding.values.slice() });
  const same = await loadBase(await sourceOf(tensors), tied, baseParameters(tied));
  assert.is(same.values.size, baseParameters(tied).length);
  tensors.get('lm_head.weight')!.values[5]! += 1e-3;
  assert.match(
    await message(loadBase(await sourceOf(tensors), tied, baseParameters(tied))),
    /a head of its own, `lm_head\.weight`, whose numbers are not those of `model\.embed_tokens\.weight`/,
  );
});

t('whole numbers are no weights: a quantised model is refused by name', async () => {
  const name = 'layers.0.attention.wq.weight';
  const tensors = weightsOf(tiny);
  const former = tensors.get(name)!;
  const whole = [name, { ...former, values: Uint8Array.from(former.values) }] as const;
  const source = await sourceOf(
    new Map<string, { shape: readonly number[]; values: Float32Array | Uint8Array }>([...tensors, whole]),
  );
  assert.match(
    await message(async () => planBase(source, tiny, baseParameters(tiny))),
    /`layers\.0\.attention\.wq\.weight` holds whole numbers \(U8\), as of a quantised model/,
  );
});

t('a base that holds NaN is refused', async () => {
  const tensors = weightsOf(tiny);
  tensors.get('layers.1.ffn_norm.weight')!.values[3] = NaN;
  assert.match(
    await message(loadBase(await sourceOf(tensors), tiny, baseParameters(tiny))),
    /tensor `layers\.1\.ffn_norm\.weight` has 1 of 12 values/,
  );
});

withShared(t, 'the golden cases hold their bases', async (folder) => {
  for (const golden of ['A', 'B', 'C', 'C2', 'J_gqa', 'K_early']) {
    const config = JSON.parse(readFileSync(join(folder, 'golden', golden, 'config.json'), 'utf8')) as Record<
      string,
      number
    >;
    const heads = config['n_heads']!;
    const base: Base = {
      ...tiny,
      layers: config['n_layers']!,
      dim: config['dim']!,
      heads,
      kvHeads: config['n_kv_heads'] ?? heads,
      headDim: config['head_dim']!,
      ffn: config['ffn_hidden']!,
      vocab: config['vocab_size']!,
    };
    const source = await openSafetensors(
      await openFile(join(folder, 'golden', golden, 'weights.safetensors')),
    );
    const loaded = await loadBase(source, base, baseParameters(base));
    assert.is(loaded.values.size, 3 + 9 * base.layers, golden);
    await source.close();
  }
});

t.run();
