import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  axis,
  type Base,
  type Parameter,
  type Part,
  type Placement,
  type Site,
} from '../../compiler/model/model.ts';
import { baseParameters, sitesOf } from '../../compiler/families/sites.ts';
import { openFile } from '../../runtime/files.ts';
import { createRandom } from '../../runtime/random.ts';
import {
  adapterMetadata,
  exportAdapter,
  importAdapter,
  type AdapterModel,
} from '../../runtime/weights/adapter.ts';
import { officialKeys, recogniseOfficial, type OfficialFormat } from '../../runtime/weights/llama-adapter.ts';
import { layoutSafetensors, openSafetensors, type NewTensor } from '../../runtime/weights/safetensors.ts';
import { bytesSource, type WeightSource } from '../../runtime/weights/source.ts';
import { reorderRope } from '../../runtime/weights/rope.ts';
import { withShared } from '../shared.ts';

const t = suite('adapter');

const base: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 3,
  dim: 8,
  heads: 2,
  kvHeads: 1,
  headDim: 4,
  ffn: 12,
  vocab: 9,
  context: 16,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};

const span = { source: 0, start: 0, end: 0 } as unknown as Part['span'];

interface Spec {
  readonly prompt?: { length: number; layers: readonly number[] };
  readonly bias?: readonly string[];
  readonly scale?: 'input' | 'output';
  readonly lora?: number;
}

const at = (site: Site, role: string): Placement => ({ site, layer: site.layer, role });

/** Parts and their parameters, named and shaped as the kinds of the compiler make them. */
function modelOf(of: Base, spec: Spec): AdapterModel {
  const linears = sitesOf(of).filter((site) => site.kind === 'linear' && site.layer !== null);
  const parts: Part[] = [];
  const parameters: Parameter[] = [...baseParameters(of)];
  const add = (kind: string, name: string, sites: readonly Site[], fields: Part['fields'] = {}): void => {
    const layers = spec.prompt?.layers ?? [];
    parts.push({ kind, name, layers, sites, input: false, source: null, fields, span });
  };
  const own = (owner: string, name: string, shape: readonly number[], placement: Placement): void => {
    const count = shape.reduce((a, b) => a * b, 1);
    parameters.push({
      name,
      shape,
      axes: [axis(count)],
      init: { kind: 'constant', value: 0 },
      placement,
      owner,
      decay: true,
      rate: 1,
    });
  };
  const size = (a: { groups: number; size: number }): number => a.groups * a.size;
  if (spec.prompt) {
    add('prompt', 'words', []);
    for (const layer of spec.prompt.layers) {
      own('words', `words.layers.${layer}.prompt`, [spec.prompt.length, of.dim], {
        site: null,
        layer,
        role: 'prompt',
      });
      own('words', `words.layers.${layer}.gate`, [1, of.heads, 1, 1], { site: null, layer, role: 'gate' });
    }
  }
  if (spec.bias) {
    const sites = linears.filter((site) => spec.bias!.some((name) => site.name.endsWith(`.${name}`)));
    add('bias', 'biases', sites);
    for (const site of sites) own('biases', `biases.${site.name}`, [size(site.output)], at(site, 'bias'));
  }
  if (spec.scale) {
    add('scale', 'scales', linears, { side: spec.scale });
    for (const site of linears)
      own(
        'scales',
        `scales.${site.name}`,
        [size(spec.scale === 'input' ? site.input : site.output)],
        at(site, 'scale'),
      );
  }
  if (spec.lora) {
    add('lora', 'low', linears);
    for (const site of linears) {
      own('low', `low.${site.name}.a`, [spec.lora, size(site.input)], at(site, 'a'));
      own('low', `low.${site.name}.b`, [size(site.output), spec.lora], at(site, 'b'));
    }
  }
  return { name: 'test', base: of, parts, parameters };
}

const all = ['wq', 'wk', 'wv', 'wo', 'w1', 'w2', 'w3'];

function valuesOf(model: AdapterModel): Map<string, Float32Array> {
  const random = createRandom('values');
  return new Map(
    model.parameters
      .filter(({ owner }) => owner !== 'base')
      .map(({ name, shape }) => [
        name,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
      ]),
  );
}

async function sourceOf(
  tensors: readonly NewTensor[],
  metadata: Record<string, string> = {},
): Promise<WeightSource> {
  const { chunks } = layoutSafetensors(tensors, metadata);
  return await openSafetensors(
    bytesSource('a.safetensors', await new Blob([...chunks()] as BlobPart[]).arrayBuffer()),
  );
}

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

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

t('our own files: names as they are, base and row order checked', async () => {
  const model = modelOf(base, cases[1]![1]);
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
  const more = modelOf(base, { ...cases[1]![1], lora: 2 });
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
