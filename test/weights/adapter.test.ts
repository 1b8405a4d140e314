import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adapterMetadata, importAdapter } from '../../runtime/weights/adapter.ts';
import { message } from './make.ts';
import { all, base, modelOf, sourceOf, type Spec, valuesOf } from './parts.ts';

const t = suite('adapter');

const chat65b: Spec = { prompt: { length: 3, layers: [2] }, bias: all, scale: 'input' };

t('our own files: names as they are, base and row order checked', async () => {
  const model = modelOf(base, chat65b);
  const values = valuesOf(model);
  const metadata = adapterMetadata(model, 'f'.repeat(64), 'hash');
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const source = await sourceOf(
    [...values].map(([name, own]) => ({ name, shape: shapes.get(name)!, values: own })),
    metadata,
  );
  const back = await importAdapter(source, model, 'f'.repeat(64));
  assert.is(back.format, 'graft');
  for (const [name, own] of values) assert.equal(back.values.get(name), own);
  assert.match(
    await message(importAdapter(source, model, 'e'.repeat(64))),
    /was trained on another base than `tiny`/,
  );
  const half = { ...model, base: { ...base, rope: { style: 'half' as const, theta: 1e4 } } };
  assert.match(
    await message(importAdapter(source, half)),
    /interleaved rotary embeddings, `tiny` declares half/,
  );
  const more = modelOf(base, { ...chat65b, lora: 2 });
  assert.ok((await importAdapter(source, more)).missing.includes('low.layers.0.attention.wq.a'));
});

t('a tensor with the right count of numbers in another shape is refused', async () => {
  const model = modelOf(base, { lora: 2 });
  const values = valuesOf(model);
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const turned = [...values].map(([name, own]) => ({
    name,
    shape: [...shapes.get(name)!].reverse(),
    values: own,
  }));
  assert.match(
    await message(importAdapter(await sourceOf(turned), model)),
    /wq\.a` is \[8, 2\], the spec needs \[2, 8\]/,
  );
});

t.run();
