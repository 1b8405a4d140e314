import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { joinShards, splitAxis } from '../../runtime/weights/meta.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';

const t = suite('shards of Meta');

type Tensors = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
>;

const source = (name: string, tensors: Tensors): WeightSource => ({
  name,
  metadata: {},
  tensors: new Map(
    Object.entries(tensors).map(([key, { shape }]) => [key, { name: key, dtype: 'F32', shape }]),
  ),
  read: (key) => Promise.resolve(Float32Array.from(tensors[key]?.values ?? [])),
  close: () => Promise.resolve(),
});

/** One of two shards: shard i counts from 10 i. */
const shard = (i: number, rows = 2): WeightSource =>
  source(`consolidated.0${i}.pth`, {
    'layers.0.attention.wq.weight': { shape: [rows, 2], values: [0, 1, 2, 3].map((x) => x + 10 * i) },
    'layers.0.attention.wo.weight': { shape: [2, 2], values: [0, 1, 2, 3].map((x) => x + 10 * i) },
    'tok_embeddings.weight': { shape: [3, 1], values: [0, 1, 2].map((x) => x + 10 * i) },
    'layers.0.feed_forward.w2_scale': { shape: [2], values: [i, i] },
    'norm.weight': { shape: [2], values: [7, 8] },
  });

t('each tensor is joined along the axis it was split', async () => {
  const whole = joinShards([shard(0), shard(1)], 'folder');
  const read = async (name: string): Promise<number[]> => [...(await whole.read(name))];
  assert.equal(whole.tensors.get('layers.0.attention.wq.weight')?.shape, [4, 2]);
  assert.equal(await read('layers.0.attention.wq.weight'), [0, 1, 2, 3, 10, 11, 12, 13]);
  assert.equal(whole.tensors.get('layers.0.attention.wo.weight')?.shape, [2, 4]);
  assert.equal(await read('layers.0.attention.wo.weight'), [0, 1, 10, 11, 2, 3, 12, 13]);
  assert.equal(await read('tok_embeddings.weight'), [0, 10, 1, 11, 2, 12]);
  assert.equal(await read('layers.0.feed_forward.w2_scale'), [0, 0, 1, 1]);
  assert.equal(await read('norm.weight'), [7, 8]);
});

t('an embedding as wide as the model is split by tokens, as in LLaMA 3', async () => {
  const half = (i: number): WeightSource =>
    source(`consolidated.0${i}.pth`, {
      'tok_embeddings.weight': { shape: [1, 2], values: [i, i] },
      'norm.weight': { shape: [2], values: [7, 8] },
    });
  const whole = joinShards([half(0), half(1)], 'folder');
  assert.equal(whole.tensors.get('tok_embeddings.weight')?.shape, [2, 2]);
  assert.equal([...(await whole.read('tok_embeddings.weight'))], [0, 0, 1, 1]);
});

t('one shard is taken as it is', async () => {
  const whole = joinShards([shard(0)], 'folder');
  assert.equal(whole.tensors.get('layers.0.attention.wo.weight')?.shape, [2, 2]);
  assert.equal([...(await whole.read('layers.0.attention.wo.weight'))], [0, 1, 2, 3]);
});

t('shards that do not belong together are told apart by the tensor', () => {
  assert.throws(
    () => joinShards([shard(0), shard(1, 1)], 'folder'),
    /consolidated\.01\.pth has `layers\.0\.attention\.wq\.weight` \[1, 2\], consolidated\.00\.pth \[2, 2\]/,
  );
});

t('axes of the trained vectors', () => {
  assert.is(splitAxis('layers.3.attention.wk_bias'), 0);
  assert.is(splitAxis('layers.3.attention.wo_bias'), null);
  assert.is(splitAxis('layers.3.feed_forward.w1_scale'), null);
  assert.is(splitAxis('layers.3.attention.wo_scale'), 0);
  assert.is(splitAxis('output.weight'), 0);
  assert.is(splitAxis('norm.weight'), null);
});

t.run();
