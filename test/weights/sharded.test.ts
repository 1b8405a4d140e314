import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseParameters } from '../../compiler/families/sites.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { layoutSafetensors } from '../../runtime/weights/safetensors.ts';
import { openSharded } from '../../runtime/weights/sharded.ts';
import { bytesSource } from '../../runtime/weights/source.ts';
import { message, tiny, weightsOf } from './make.ts';

const t = suite('shards');

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

t.run();
