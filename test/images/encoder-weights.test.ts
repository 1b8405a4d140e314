/** An encoder's weights under the names of three kinds of files. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../../runtime/input-error.ts';
import { createRandom } from '../../runtime/random.ts';
import { planEncoder, planProjector, readEncoderParameter } from '../../runtime/weights/encoder.ts';
import { layoutSafetensors, type NewTensor, openSafetensors } from '../../runtime/weights/safetensors.ts';
import { bytesSource, type WeightSource } from '../../runtime/weights/source.ts';
import { modelOf } from '../compiler/subjects.ts';

const t = suite('encoder weights');

const eye =
  'vit(resolution: 8, patch: 4, width: 8, layers: 2, heads: 2, output: 6, weights: "vision.safetensors")';
const model = modelOf(`
  encoder vision { model = ${eye} }
  project visual from vision { length = 2 }
  prompt image on layers[first 1] from visual`);
const part = { name: 'vision' };
const parameters = model.parameters.filter(({ owner }) => owner === 'vision');

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const values = new Map(
  parameters.map(({ name, shape }) => {
    const random = createRandom('encoder', name);
    return [
      name.slice(7),
      { shape, values: Float32Array.from({ length: product(shape) }, () => random.normal()) },
    ];
  }),
);
const of = (site: string) => values.get(site) ?? { shape: [], values: new Float32Array() };

async function file(tensors: Iterable<NewTensor>): Promise<WeightSource> {
  const { chunks } = layoutSafetensors(tensors, {});
  return openSafetensors(bytesSource('vision.safetensors', Buffer.concat([...chunks()])));
}

const own = (): NewTensor[] => [...values].map(([site, tensor]) => ({ name: `vision.${site}`, ...tensor }));

/** openai/CLIP: q, k and v in one tensor. */
function clip(prefix: string): NewTensor[] {
  const tensors: NewTensor[] = ['conv1.weight', 'class_embedding', 'positional_embedding', 'proj'].map(
    (site) => ({
      name: prefix + site,
      ...of(site),
    }),
  );
  for (const norm of ['ln_pre', 'ln_post'])
    for (const what of ['weight', 'bias'])
      tensors.push({ name: `${prefix}${norm}.${what}`, ...of(`${norm}.${what}`) });
  for (const i of [0, 1])
    for (const what of ['weight', 'bias']) {
      const [ours, theirs] = [`blocks.${i}.`, `${prefix}transformer.resblocks.${i}.`];
      const three = ['q', 'k', 'v'].map((name) => of(`${ours}attn.${name}.${what}`));
      tensors.push({
        name: `${theirs}attn.in_proj_${what}`,
        shape: [24, ...(three[0]?.shape.slice(1) ?? [])],
        values: Float32Array.from(three.flatMap((tensor) => [...tensor.values])),
      });
      for (const [a, b] of [
        ['norm1', 'ln_1'],
        ['norm2', 'ln_2'],
        ['attn.o', 'attn.out_proj'],
        ['mlp.fc1', 'mlp.c_fc'],
        ['mlp.fc2', 'mlp.c_proj'],
      ])
        tensors.push({ name: `${theirs}${b}.${what}`, ...of(`${ours}${a}.${what}`) });
    }
  return tensors;
}

/** transformers CLIPVisionModelWithProjection. */
function huggingface(): NewTensor[] {
  const at = 'vision_model.';
  const proj = of('proj');
  const tensors: NewTensor[] = [
    { name: `${at}embeddings.patch_embedding.weight`, ...of('conv1.weight') },
    { name: `${at}embeddings.class_embedding`, ...of('class_embedding') },
    { name: `${at}embeddings.position_embedding.weight`, ...of('positional_embedding') },
    {
      name: 'visual_projection.weight',
      shape: [6, 8],
      values: Float32Array.from(
        { length: 48 },
        (_, i) => proj.values[(i % 8) * 6 + Math.floor(i / 8)] ?? NaN,
      ),
    },
  ];
  for (const what of ['weight', 'bias']) {
    tensors.push({ name: `${at}pre_layrnorm.${what}`, ...of(`ln_pre.${what}`) });
    tensors.push({ name: `${at}post_layernorm.${what}`, ...of(`ln_post.${what}`) });
    for (const i of [0, 1])
      for (const [a, b] of [
        ['norm1', 'layer_norm1'],
        ['norm2', 'layer_norm2'],
        ['attn.q', 'self_attn.q_proj'],
        ['attn.k', 'self_attn.k_proj'],
        ['attn.v', 'self_attn.v_proj'],
        ['attn.o', 'self_attn.out_proj'],
        ['mlp.fc1', 'mlp.fc1'],
        ['mlp.fc2', 'mlp.fc2'],
      ])
        tensors.push({ name: `${at}encoder.layers.${i}.${b}.${what}`, ...of(`blocks.${i}.${a}.${what}`) });
  }
  return tensors;
}

async function checkAll(source: WeightSource, naming: string): Promise<void> {
  const plan = planEncoder(source, part, parameters);
  assert.is(plan.naming, naming);
  assert.is(plan.reads.size, parameters.length);
  for (const [name, read] of plan.reads)
    assert.equal(await readEncoderParameter(source, read), of(name.slice(7)).values, name);
}

t('our names, with the name of the part or without', async () => {
  await checkAll(await file(own()), 'graft');
  await checkAll(await file(own().map(({ name, ...rest }) => ({ name: name.slice(7), ...rest }))), 'graft');
});

t("CLIP's names, alone or in a whole CLIP with its text transformer", async () => {
  await checkAll(await file(clip('')), 'clip');
  const text = { name: 'transformer.resblocks.0.ln_1.weight', shape: [4], values: new Float32Array(4) };
  await checkAll(await file([text, ...clip('visual.')]), 'clip');
  await checkAll(await file(clip('clip.visual.')), 'clip');
});

t("Hugging Face's names, the projection turned", async () => {
  await checkAll(await file(huggingface()), 'huggingface');
});

async function refused(tensors: readonly NewTensor[], ...says: RegExp[]): Promise<void> {
  const source = await file(tensors);
  try {
    planEncoder(source, part, parameters);
  } catch (error) {
    assert.instance(error, InputError, String(error));
    for (const words of says) assert.match((error as Error).message, words);
    return;
  }
  assert.unreachable(`${says.join(' ')} was not said`);
}

t('what does not fit is listed', async () => {
  await refused(
    own().filter(({ name }) => !name.endsWith('proj') && !name.endsWith('ln_post.bias')),
    /missing: `vision\.proj` \[8, 6\]/,
    /missing: `vision\.ln_post\.bias` \[8\]/,
  );
  const narrow = own().map((tensor) =>
    tensor.name === 'vision.class_embedding'
      ? { ...tensor, shape: [4], values: new Float32Array(4) }
      : tensor,
  );
  await refused(narrow, /`vision\.class_embedding` is \[4\], `vision` needs \[8\]/);
  const deep = { name: 'vision.blocks.2.norm1.weight', shape: [8], values: new Float32Array(8) };
  await refused([...own(), deep], /more than the 2 layers/);
  await refused(
    [{ name: 'model.layers.0.weight', shape: [1], values: new Float32Array(1) }],
    /no image encoder that we know/,
    /model\.layers\.0\.weight/,
  );
});

t('blocks that are wider inside than the spec says are refused with the width to write', async () => {
  const sized = (width: number) =>
    modelOf(`
      encoder vision { model = ${eye.replace('weights', `hidden: ${width}, weights`)} }
      project visual from vision {
        kind = queries  length = 2  depth = 1  heads = 2  hidden = 4  output = 6  block_hidden = ${width}
        weights = "x.safetensors"
      }
      project short from visual { length = 2 }
      prompt image on layers[first 1] from short`);
  const [made, wanted] = [sized(12), sized(20)];
  const parametersIn = ({ parameters: all }: typeof made, owner: string) =>
    all.filter((p) => p.owner === owner);
  const source = await file(
    made.parameters.map(({ name, shape }) => ({ name, shape, values: new Float32Array(product(shape)) })),
  );
  assert.is(parametersIn(made, 'vision').find((p) => p.name.endsWith('fc1.weight'))?.shape[0], 12);
  planEncoder(source, part, parametersIn(made, 'vision'));
  const projector = wanted.parts.find(({ name }) => name === 'visual')!;
  planProjector(source, projector, parametersIn(made, 'visual'));
  assert.throws(
    () => planEncoder(source, part, parametersIn(wanted, 'vision')),
    /fc1\.weight` is \[12, 8\][^]*help: its blocks are 12 wide inside: write `hidden: 12`/,
  );
  assert.throws(
    () => planProjector(source, projector, parametersIn(wanted, 'visual')),
    /help: its blocks are 12 wide inside: write `block_hidden = 12`/,
  );
});

t('an encoder of which fewer blocks are taken reads those, from a file of all', async () => {
  const short = modelOf(`
    encoder vision { model = ${eye}  take = class  at = 0 }
    project visual from vision { length = 2 }
    prompt image on layers[first 1] from visual`);
  const few = short.parameters.filter(({ owner }) => owner === 'vision');
  assert.ok(few.length < parameters.length);
  for (const tensors of [own(), clip(''), huggingface()]) {
    const plan = planEncoder(await file(tensors), { ...part, blocks: 2 }, few);
    assert.equal(
      [...plan.reads.keys()],
      few.map(({ name }) => name),
    );
  }
  const deep = { name: 'vision.blocks.2.norm1.weight', shape: [8], values: new Float32Array(8) };
  const source = await file([...own(), deep]);
  assert.throws(() => planEncoder(source, { ...part, blocks: 2 }, few), /more than the 2 layers/);
});

const seeing = modelOf(`
  encoder vision { model = ${eye} }
  project former from vision { kind = queries  length = 3  depth = 2  heads = 2  hidden = 4  weights = "x.safetensors" }
  project visual from former { length = 2 }
  prompt image on layers[first 1] from visual`);
const former = seeing.parts.find(({ name }) => name === 'former')!;
const inFormer = seeing.parameters.filter(({ owner }) => owner === 'former');
const formerValues = new Map(
  inFormer.map(({ name, shape }) => [
    name,
    Float32Array.from({ length: product(shape) }, (_, i) => Math.sin(i + name.length)),
  ]),
);
const numbersOf = (name: string): Float32Array => formerValues.get(`former.${name}`) ?? new Float32Array();
const ours = (prefix: string): NewTensor[] =>
  inFormer.map(({ name, shape }) => ({
    name: prefix + name.slice('former.'.length),
    shape,
    values: formerValues.get(name) ?? new Float32Array(),
  }));

/** llama_adapter_v2_multimodal7b: q, k and v in one tensor. */
function official(): NewTensor[] {
  const outer: Readonly<Record<string, string>> = {
    in: 'clip_proj',
    in_norm: 'clip_proj_norm',
    out: 'visual_proj',
  };
  const shapeOf = (name: string) => inFormer.find((p) => p.name === `former.${name}`)?.shape ?? [];
  const tensors: NewTensor[] = [
    { name: 'visual_query.weight', shape: shapeOf('query'), values: numbersOf('query') },
  ];
  const take = (name: string, as: string) =>
    tensors.push({ name: as, shape: shapeOf(name), values: numbersOf(name) });
  for (const what of ['weight', 'bias']) {
    for (const [a, b] of Object.entries(outer)) take(`${a}.${what}`, `${b}.${what}`);
    for (const i of [0, 1]) {
      const [at, block] = [`blocks.${i}.`, `visual_blocks.${i}.`];
      for (const name of ['norm1', 'norm2', 'mlp.fc1', 'mlp.fc2'])
        take(`${at}${name}.${what}`, `${block}${name}.${what}`);
      take(`${at}attn.o.${what}`, `${block}attn.proj.${what}`);
      tensors.push({
        name: `${block}attn.qkv.${what}`,
        shape: [12, ...shapeOf(`${at}attn.q.${what}`).slice(1)],
        values: Float32Array.from(['q', 'k', 'v'].flatMap((n) => [...numbersOf(`${at}attn.${n}.${what}`)])),
      });
    }
  }
  return tensors;
}

t("a projector's own weights: of a run, alone, or of an official adapter", async () => {
  const other = { name: 'words.layers.1.prompt', shape: [1], values: new Float32Array(1) };
  for (const [tensors, naming] of [
    [[other, ...ours('former.')], 'graft'],
    [ours(''), 'graft'],
    [official(), 'official'],
  ] as const) {
    const source = await file(tensors);
    const plan = planProjector(source, former, inFormer);
    assert.is(plan.naming, naming);
    assert.is(plan.reads.size, inFormer.length);
    for (const [name, read] of plan.reads)
      assert.equal(await readEncoderParameter(source, read), formerValues.get(name), `${naming}: ${name}`);
  }
});

t('a projector that does not fit its file is refused with the reason', async () => {
  const refusals: readonly (readonly [readonly NewTensor[], RegExp])[] = [
    [
      ours('visual.'),
      /does not hold the projector `former`[^]*`former\.in\.weight`, or the official .*`clip_proj\.weight`/,
    ],
    [ours('former.').filter(({ name }) => !name.endsWith('query')), /missing: `former\.query` \[3, 4\]/],
    [
      [...ours('former.'), { name: 'former.blocks.2.norm1.weight', shape: [4], values: new Float32Array(4) }],
      /more than the 2 layers of `former`/,
    ],
    [
      ours('former.').map((tensor) =>
        tensor.name === 'former.query' ? { ...tensor, shape: [4, 4], values: new Float32Array(16) } : tensor,
      ),
      /`former\.query` is \[4, 4\], `former` needs \[3, 4\][^]*compare the projector's kind, length/,
    ],
  ];
  for (const [tensors, says] of refusals) {
    const source = await file(tensors);
    try {
      planProjector(source, former, inFormer);
      assert.unreachable(String(says));
    } catch (error) {
      assert.instance(error, InputError, String(error));
      assert.match((error as InputError).message, says);
    }
  }
});

t('numbers that are not finite are refused', async () => {
  const source = await file(
    own().map((tensor) =>
      tensor.name === 'vision.proj' ? { ...tensor, values: new Float32Array(48).fill(NaN) } : tensor,
    ),
  );
  const read = planEncoder(source, part, parameters).reads.get('vision.proj');
  assert.ok(read);
  try {
    if (read) await readEncoderParameter(source, read);
  } catch (error) {
    assert.match((error as Error).message, /not finite/);
    return;
  }
  assert.unreachable();
});

t.run();
