import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base } from '../../compiler/model/model.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { openFile } from '../../runtime/files.ts';
import { loadBase, planBase } from '../../runtime/weights/base.ts';
import { fingerprintBase, requireSameBase } from '../../runtime/weights/fingerprint.ts';
import { openLlama2c } from '../../runtime/weights/llama2c.ts';
import { reorderRope } from '../../runtime/weights/rope.ts';
import { layoutSafetensors, openSafetensors } from '../../runtime/weights/safetensors.ts';
import { openSharded } from '../../runtime/weights/sharded.ts';
import { bytesSource, type WeightSource } from '../../runtime/weights/source.ts';
import { createRandom } from '../../runtime/random.ts';
import { withShared } from '../shared.ts';

const t = suite('base');

const tiny: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 2,
  dim: 12,
  heads: 3,
  kvHeads: 1,
  headDim: 4,
  ffn: 20,
  vocab: 7,
  context: 16,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};

type Tensors = Map<string, { shape: readonly number[]; values: Float32Array }>;
type Stored = ReadonlyMap<string, { shape: readonly number[]; values: Float32Array | Uint8Array }>;

function weightsOf(base: Base): Tensors {
  const random = createRandom('weights');
  return new Map(
    baseParameters(base).map(({ name, shape }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, values: Float32Array.from({ length: count }, () => random.normal()) }];
    }),
  );
}

async function sourceOf(tensors: Stored, metadata: Record<string, string> = {}): Promise<WeightSource> {
  const { size, chunks } = layoutSafetensors(
    [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
    metadata,
  );
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return await openSafetensors(bytesSource('tiny.safetensors', bytes));
}

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));

/** The transformers conversion script's permutation, written as it is there. */
function permuteAsTransformers(
  values: Float32Array,
  heads: number,
  headDim: number,
  width: number,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let h = 0; h < heads; h++) {
    for (let j = 0; j < headDim / 2; j++) {
      for (let c = 0; c < 2; c++) {
        // view(heads, headDim / 2, 2, width).transpose(1, 2)
        const from = (h * headDim + 2 * j + c) * width;
        const to = (h * headDim + c * (headDim / 2) + j) * width;
        out.set(values.subarray(from, from + width), to);
      }
    }
  }
  return out;
}

function asHuggingface(tensors: Tensors, base: Base): Tensors {
  return new Map(
    [...tensors].map(([name, { shape, values }]) => {
      const rotary = /attention\.w([qk])\.weight$/.exec(name);
      const heads = rotary?.[1] === 'q' ? base.heads : base.kvHeads;
      const moved = rotary ? permuteAsTransformers(values, heads, base.headDim, base.dim) : values;
      return [huggingfaceName(name), { shape, values: moved }];
    }),
  );
}

/** Hugging Face's name of a parameter of the tiny base. */
const huggingfaceName = (name: string): string =>
  baseParameters({ ...tiny, biases: ['wq', 'wk', 'wv', 'wo', 'output'] }).find((p) => p.name === name)!
    .source!.names.huggingface;

async function message(promise: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof promise === 'function' ? promise() : promise);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

t('a parameter says what Meta and Hugging Face call its tensor, and where the order of rows matters', () => {
  const source = (name: string) => baseParameters(tiny).find((p) => p.name === name)!.source!;
  const down = source('layers.1.feed_forward.w2.weight');
  assert.is(down.names.huggingface, 'model.layers.1.mlp.down_proj.weight');
  assert.is(down.rowOrder, 'plain');
  assert.is(source('layers.0.attention.wk.weight').rowOrder, 'rotary');
  assert.is(source('output.weight').names.huggingface, 'lm_head.weight');
  for (const { name, source: of } of baseParameters(tiny)) assert.is(of?.names.meta, name);
});

t('the row order is that of the transformers script, and goes back', () => {
  for (const [heads, headDim, width] of [
    [3, 4, 5],
    [1, 2, 1],
    [2, 8, 3],
  ] as const) {
    const values = Float32Array.from({ length: heads * headDim * width }, (_, i) => i);
    const half = reorderRope(values, headDim, width, 'interleaved', 'half');
    assert.equal(half, permuteAsTransformers(values, heads, headDim, width));
    assert.equal(reorderRope(half, headDim, width, 'half', 'interleaved'), values);
  }
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

t('tells a model with more layers, without a head, with biases, or of other names', async () => {
  const tensors = weightsOf(tiny);
  const one = { ...tiny, layers: 1 };
  assert.match(
    await message(async () => planBase(await sourceOf(tensors), one, baseParameters(one))),
    /it has 2 layers, the base `tiny` declares 1/,
  );
  const headless = new Map(tensors);
  headless.delete('output.weight');
  assert.match(
    await message(async () => planBase(await sourceOf(headless), tiny, baseParameters(tiny))),
    /write `tied = true`/,
  );
  const biased = asHuggingface(tensors, tiny);
  biased.set('model.layers.0.self_attn.q_proj.bias', { shape: [12], values: new Float32Array(12) });
  assert.match(
    await message(async () => planBase(await sourceOf(biased), tiny, baseParameters(tiny))),
    /q_proj\.bias`: the base declares no such bias[^]*write `biases = \[wq\]` in the base/,
  );
  const gguf = renamed(tensors, (name) => `blk.${name}`);
  assert.match(
    await message(async () => planBase(await sourceOf(gguf), tiny, baseParameters(tiny))),
    /neither Meta's nor Hugging Face's/,
  );
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

t('a tensor of a layer that the base has no place for says what it would change', async () => {
  const foreign = async (name: string, tensors = asHuggingface(weightsOf(tiny), tiny)): Promise<string> => {
    tensors.set(name, { shape: [1], values: Float32Array.of(1) });
    return await message(async () => {
      const plan = planBase(await sourceOf(tensors), tiny, baseParameters(tiny));
      throw new Error(`nothing wrong, left over: ${plan.unexpected.join()}`);
    });
  };
  const layer = 'model.layers.1.';
  assert.match(
    await foreign(`${layer}self_attn.q_norm.weight`),
    /q_norm\.weight`: a norm of the queries, which the base/,
  );
  assert.match(await foreign(`${layer}post_feedforward_layernorm.weight`), /another norm, which the base/);
  assert.match(await foreign(`${layer}mlp.experts.0.up_proj.weight`), /one of several feed-forward networks/);
  assert.match(await foreign(`${layer}self_attn.sinks`), /takes part in every softmax/);
  assert.match(await foreign(`${layer}mlp.up_proj.weight_scale`), /part of a quantised weight/);
  assert.match(await foreign(`${layer}self_attn.strange`), /a place that the base does not have/);
  assert.match(await foreign('lm_head.bias'), /the base declares no such bias/);
  for (const harmless of [
    `${layer}self_attn.rotary_emb.inv_freq`,
    `${layer}self_attn.q_proj.lora_A.default.weight`,
    'vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight',
    'multi_modal_projector.linear_1.weight',
  ])
    assert.match(await foreign(harmless), /^nothing wrong/, harmless);
  // Under Meta's names an adapter lies beside the base.
  assert.match(await foreign('layers.1.attention.gate', weightsOf(tiny)), /^nothing wrong/);
});

t('tensors nobody asked for are listed', async () => {
  const tensors = weightsOf(tiny);
  tensors.set('adapter_query.weight', { shape: [1], values: Float32Array.of(1) });
  tensors.set('rope.freqs', { shape: [1], values: Float32Array.of(1) });
  const plan = planBase(await sourceOf(tensors), tiny, baseParameters(tiny));
  assert.equal(plan.unexpected, ['adapter_query.weight']);
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

t('fingerprints tell bases apart and do not depend on order', async () => {
  const list = [...weightsOf(tiny)].map(([name, tensor]) => ({ name, ...tensor }));
  const print = await fingerprintBase(list);
  assert.match(print, /^[0-9a-f]{64}$/);
  assert.is(await fingerprintBase([...list].reverse()), print);
  list[4]!.values[0]! += 1;
  const other = await fingerprintBase(list);
  assert.is.not(other, print);
  const stating = (base_fingerprint: string) => ({ name: 'a.safetensors', metadata: { base_fingerprint } });
  assert.throws(
    () => requireSameBase(stating(other), print, 'tiny'),
    /a\.safetensors was trained on another base than `tiny`/,
  );
  requireSameBase(stating(print), print, 'tiny');
  requireSameBase({ name: 'a.safetensors', metadata: {} }, print, 'tiny');
});

t('shards are put together by their index', async () => {
  const tensors = [...weightsOf(tiny)];
  const parts = new Map(
    ['a.safetensors', 'b.safetensors'].map((name, i) => [name, tensors.filter((_, n) => n % 2 === i)]),
  );
  const open = async (name: string): Promise<ReturnType<typeof bytesSource>> => {
    const list = parts.get(name);
    if (!list) throw new Error(`no ${name}`);
    const { chunks } = layoutSafetensors(list.map(([tensor, value]) => ({ name: tensor, ...value })));
    const bytes = await new Blob([...chunks()] as BlobPart[]).arrayBuffer();
    return bytesSource(name, bytes);
  };
  const map = Object.fromEntries(
    tensors.map(([name], n) => [name, n % 2 === 0 ? 'a.safetensors' : 'b.safetensors']),
  );
  const source = await openSharded(JSON.stringify({ weight_map: map }), 'x.index.json', open);
  const loaded = await loadBase(source, tiny, baseParameters(tiny));
  for (const [name, { values }] of tensors) assert.equal(loaded.values.get(name), values);
  await source.close();
  const swapped = JSON.stringify({
    weight_map: {
      ...map,
      'norm.weight': map['norm.weight'] === 'a.safetensors' ? 'b.safetensors' : 'a.safetensors',
    },
  });
  assert.match(await message(openSharded(swapped, 'x.index.json', open)), /says that `norm\.weight` is in/);
  const escape = JSON.stringify({ weight_map: { x: '../secret' } });
  assert.match(await message(openSharded(escape, 'x.index.json', open)), /is not a file beside it/);
  assert.match(await message(openSharded('{}', 'x.index.json', open)), /no `weight_map`/);
});

/** A llama2.c file of random weights; returns it with the tensors. */
function llama2cFile(base: Base): { bytes: Uint8Array; tensors: Tensors } {
  const tensors = weightsOf(base);
  const order = [
    'tok_embeddings',
    'attention_norm',
    'attention.wq',
    'attention.wk',
    'attention.wv',
    'attention.wo',
    'ffn_norm',
    'feed_forward.w1',
    'feed_forward.w2',
    'feed_forward.w3',
    'norm',
  ];
  const header = Int32Array.of(
    base.dim,
    base.ffn,
    base.layers,
    base.heads,
    base.kvHeads,
    base.tied ? base.vocab : -base.vocab,
    base.context,
  );
  const floats: Float32Array[] = [];
  for (const name of order) {
    const layered = tensors.has(`${name}.weight`)
      ? [`${name}.weight`]
      : [...Array(base.layers).keys()].map((i) => `layers.${i}.${name}.weight`);
    for (const key of layered) floats.push(tensors.get(key)!.values);
  }
  floats.push(new Float32Array(base.context * base.headDim));
  if (!base.tied) floats.push(tensors.get('output.weight')!.values);
  const bytes = new Uint8Array(28 + 4 * floats.reduce((n, f) => n + f.length, 0));
  bytes.set(new Uint8Array(header.buffer));
  let at = 28;
  for (const values of floats) {
    bytes.set(new Uint8Array(values.buffer), at);
    at += values.byteLength;
  }
  return { bytes, tensors };
}

t('llama2.c files, tied and not, with grouped queries', async () => {
  for (const tied of [true, false]) {
    const base = { ...tiny, tied };
    const { bytes, tensors } = llama2cFile(base);
    const file = await openLlama2c(bytesSource('m.bin', bytes));
    const { name: _name, ...dims } = base;
    assert.equal(file.base, dims);
    const loaded = await loadBase(file, base, baseParameters(base));
    for (const [name, { values }] of tensors) assert.equal(loaded.values.get(name), values, name);
  }
});

t('llama2.c files that are none', async () => {
  const { bytes } = llama2cFile(tiny);
  const refuse = async (file: Uint8Array, pattern: RegExp): Promise<void> =>
    assert.match(await message(openLlama2c(bytesSource('m.bin', file))), pattern);
  await refuse(bytes.slice(0, 10), /m\.bin: 10 bytes: not a llama2\.c model/);
  await refuse(bytes.slice(0, -4), /its header asks for \d+ bytes, the file has/);
  const damaged = (index: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setInt32(4 * index, value, true);
    return copy;
  };
  await refuse(damaged(0, -1), /dim = -1/);
  await refuse(damaged(3, 5), /dim 12 is no multiple of 5 heads/);
  await refuse(damaged(4, 2), /3 heads are no multiple of 2/);
  await refuse(damaged(5, 0), /vocabulary 0/);
  await refuse(damaged(2, 2 ** 30), /layers = /);
});

withShared(t, 'stories260K.bin', async (folder) => {
  const file = await openLlama2c(await openFile(join(folder, 'data/stories260K.bin')));
  const { base } = file;
  assert.equal(
    [base.dim, base.ffn, base.layers, base.heads, base.kvHeads, base.vocab, base.context, base.tied],
    [64, 172, 5, 8, 4, 512, 512, true],
  );
  const loaded = await loadBase(
    file,
    { name: 'stories', ...base },
    baseParameters({ name: 'stories', ...base }),
  );
  assert.is(loaded.values.get('layers.4.attention.wk.weight')!.length, 32 * 64);
  await file.close();
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
