import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base } from '../../compiler/model/model.ts';
import { openFile } from '../../runtime/files.ts';
import { exportAdapter, importAdapter } from '../../runtime/weights/adapter.ts';
import { officialKeys, recogniseOfficial, type OfficialFormat } from '../../runtime/weights/llama-adapter.ts';
import { reorderRope } from '../../runtime/weights/rope.ts';
import { openSafetensors } from '../../runtime/weights/safetensors.ts';
import { withShared } from '../shared.ts';
import { message } from './make.ts';
import { all, base, modelOf, sourceOf, type Spec, valuesOf } from './parts.ts';

const t = suite('files of the official LLaMA-Adapter code');

const cases: [OfficialFormat, Spec][] = [
  ['v1', { prompt: { length: 2, layers: [1, 2] } }],
  ['chat65b', { prompt: { length: 3, layers: [2] }, bias: all, scale: 'input' }],
  ['mm7b', { prompt: { length: 2, layers: [0, 2] }, bias: ['wq', 'wo', 'w1', 'w2', 'w3'], lora: 2 }],
  ['imb', { prompt: { length: 1, layers: [1, 2] }, bias: all, lora: 3 }],
];

t('every family is written and read back, in both row orders', async () => {
  for (const [family, spec] of cases) {
    for (const style of ['interleaved', 'half'] as const) {
      const model = modelOf({ ...base, rope: { style, theta: 1e4 } }, spec);
      const values = valuesOf(model);
      const tensors = exportAdapter(values, model, family);
      const source = await sourceOf(tensors);
      assert.is(recogniseOfficial(source.tensors.keys()), family);
      const back = await importAdapter(source, model);
      assert.is(back.format, family);
      assert.equal(back.missing, []);
      assert.equal(back.unused, []);
      for (const [name, own] of values)
        assert.equal(back.values.get(name), own, `${family} ${style} ${name}`);
    }
  }
});

t('prompts are rows of one table, layers in order', () => {
  const keys = officialKeys(modelOf(base, cases[2]![1]), 'mm7b');
  assert.equal(keys.get('words.layers.0.prompt'), { name: 'adapter_query.weight', rows: [0, 2] });
  assert.equal(keys.get('words.layers.2.prompt'), { name: 'adapter_query.weight', rows: [2, 4] });
  assert.equal(keys.get('words.layers.2.gate'), { name: 'llama.layers.2.attention.gate' });
  assert.equal(keys.get('layers.1.attention.wk.weight'), {
    name: 'llama.layers.1.attention.wk.weight',
    rotary: true,
  });
  assert.equal(keys.get('low.layers.1.attention.wq.b'), {
    name: 'llama.layers.1.attention.lora_wq_l2.weight',
    rotary: true,
  });
  assert.equal(keys.get('low.layers.1.feed_forward.w3.a'), {
    name: 'llama.layers.1.feed_forward.lora_w3_l1.weight',
  });
});

t('only what is on the output of wq and wk is reordered', () => {
  const model = modelOf({ ...base, rope: { style: 'half', theta: 1e4 } }, { bias: all, lora: 2 });
  const values = valuesOf(model);
  const tensors = new Map(
    exportAdapter(values, model, 'mm7b').map((tensor) => [tensor.name, tensor.values as Float32Array]),
  );
  const moved = (name: string, width: number): Float32Array =>
    reorderRope(values.get(name)!, 4, width, 'half', 'interleaved');
  assert.equal(tensors.get('llama.layers.0.attention.wq.bias'), moved('biases.layers.0.attention.wq', 1));
  assert.is.not(
    tensors.get('llama.layers.0.attention.wq.bias')!.join(),
    values.get('biases.layers.0.attention.wq')!.join(),
  );
  assert.equal(
    tensors.get('llama.layers.0.attention.lora_wk_l2.weight'),
    moved('low.layers.0.attention.wk.b', 2),
  );
  assert.equal(
    tensors.get('llama.layers.0.attention.lora_wk_l1.weight'),
    values.get('low.layers.0.attention.wk.a'),
  );
  assert.equal(tensors.get('llama.layers.0.attention.wv.bias'), values.get('biases.layers.0.attention.wv'));
  // An input scale has the order of what enters.
  const input = modelOf({ ...base, rope: { style: 'half', theta: 1e4 } }, { scale: 'input' });
  assert.not.ok(officialKeys(input, 'chat65b').get('scales.layers.0.attention.wq')!.rotary);
});

t('a family without a place for a part says so', () => {
  const model = modelOf(base, { prompt: { length: 2, layers: [1] }, bias: all });
  assert.throws(
    () => exportAdapter(valuesOf(model), model, 'v1'),
    /the `v1` format has no place for biases\.layers\.0/,
  );
  const output = modelOf(base, { scale: 'output' });
  assert.throws(() => exportAdapter(valuesOf(output), output, 'chat65b'), /no place for scales/);
});

t('an official file of other sizes is refused', async () => {
  const values = valuesOf(modelOf(base, cases[0]![1]));
  const source = await sourceOf(exportAdapter(values, modelOf(base, cases[0]![1]), 'v1'));
  const longer = modelOf(base, { prompt: { length: 3, layers: [1, 2] } });
  assert.match(
    await message(importAdapter(source, longer)),
    /`adapter_query\.weight` is \[4, 8\], the spec needs rows 3 to 5 of width 8/,
  );
  const fatter = modelOf({ ...base, heads: 4, headDim: 2 }, cases[0]![1]);
  assert.match(
    await message(importAdapter(source, fatter)),
    /gate` is \[1, 2, 1, 1\], the spec needs \[1, 4, 1, 1\]/,
  );
  const other = await sourceOf([{ name: 'strange', shape: [1], values: Float32Array.of(1) }]);
  assert.match(
    await message(importAdapter(other, longer)),
    /holds nothing of the adapter `test`[\s\S]*strange/,
  );
});

withShared(t, 'the golden cases: every key exists in the shape of our parameter', async (folder) => {
  const golden: [string, OfficialFormat, (config: Record<string, number>) => Spec][] = [
    ['B', 'v1', (c) => ({ prompt: { length: c['adapter_len']!, layers: last(c, 'adapter_layer') } })],
    [
      'C',
      'chat65b',
      (c) => ({
        prompt: { length: c['adapter_len']!, layers: last(c, 'adapter_layer') },
        bias: all,
        scale: 'input',
      }),
    ],
    [
      'C2',
      'mm7b',
      (c) => ({
        prompt: { length: c['query_len']!, layers: last(c, 'query_layer') },
        bias: ['wq', 'wo', 'w1', 'w2', 'w3'],
      }),
    ],
    [
      'E',
      'mm7b',
      (c) => ({
        prompt: { length: c['query_len']!, layers: last(c, 'query_layer') },
        bias: ['wq', 'wo', 'w1', 'w2', 'w3'],
        lora: c['lora_rank']!,
      }),
    ],
    [
      'K_early',
      'mm7b',
      (c) => ({
        prompt: { length: c['static_len']!, layers: last(c, 'n_late') },
        bias: all,
        scale: 'output',
      }),
    ],
  ];
  for (const [name, family, spec] of golden) {
    const config = JSON.parse(readFileSync(join(folder, 'golden', name, 'config.json'), 'utf8')) as Record<
      string,
      number
    >;
    const of: Base = {
      ...base,
      layers: config['n_layers']!,
      dim: config['dim']!,
      heads: config['n_heads']!,
      kvHeads: config['n_heads']!,
      headDim: config['head_dim']!,
      ffn: config['ffn_hidden']!,
      vocab: config['vocab_size']!,
    };
    const model = modelOf(of, spec(config));
    const source = await openSafetensors(await openFile(join(folder, 'golden', name, 'weights.safetensors')));
    assert.is(recogniseOfficial(source.tensors.keys()), family, name);
    const everything = new Set(model.parameters.map((parameter) => parameter.name));
    const loaded = await importAdapter(source, model, undefined, everything);
    assert.equal(loaded.missing, [], name);
    const left = loaded.unused.filter((tensor) => !/^(clip|visual_|clip_)|new_gate|\.gate$/.test(tensor));
    assert.equal(left, [], name);
    await source.close();
  }
});

function last(config: Record<string, number>, field: string): number[] {
  const [layers, count] = [config['n_layers']!, config[field]!];
  return Array.from({ length: count }, (_, i) => layers - count + i);
}

t.run();
