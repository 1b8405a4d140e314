/**
 * Merging: the bare merged base computes what the base with its parts does, for every kind that can be merged, alone and
 * in both orders; what cannot says why. In float64, so what differs is the rounding of the merged weights.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildForward } from '../../compiler/build/programs.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import { foldSite, mergedBase, obstaclesOf } from '../../compiler/merge/merge.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import { baseParameters, sitesOf } from '../../compiler/families/sites.ts';
import { givenFor, inputsOf, packAll, randomBatch } from '../compiler/oracle.ts';
import { distance } from '../compiler/sessions.ts';
import {
  fromLibrary,
  imageLibrary,
  library,
  modelOf,
  odd,
  randomValues,
  tiny,
  sourceOf,
} from '../compiler/subjects.ts';

const t = suite('merge');
const SIZES = { batch: 2, tokens: 5 };
type Values = ReadonlyMap<string, Float32Array>;

function logits(model: Model, values: Values): Float64Array {
  const { tokens } = randomBatch(model, SIZES.batch, SIZES.tokens);
  const graph = buildForward(sourceOf(model), SIZES).graph();
  const ran = interpret(
    graph,
    givenFor(model, graph, packAll(model, values), inputsOf(model, graph, { tokens })),
  );
  return ran.get(graph.outputs[0]?.tensor ?? -1) ?? new Float64Array();
}

/** A base with nothing on it. */
const bare = (base: Base): Model => {
  const nothing = { parts: [], groups: {}, tasks: [], data: [], experts: [], recipes: [] };
  return { name: 'Merged', base, sites: sitesOf(base), parameters: baseParameters(base), ...nothing };
};

function mergedValues(model: Model, base: Base, values: Values): Values {
  const read = (name: string): Float32Array => {
    const own = values.get(name);
    assert.ok(own, name);
    return own ?? new Float32Array();
  };
  const folded = sitesOf(base).flatMap((target) => {
    const site = model.sites.find(({ name }) => name === target.name);
    if (!site || site.kind === 'embedding') return [[target.parameter, read(target.parameter)] as const];
    const it = foldSite(model, site, read);
    const weight =
      target.parameter === `${target.name}.weight`
        ? [[target.parameter, Float32Array.from(it.weight)] as const]
        : [];
    return target.bias ? [...weight, [target.bias, Float32Array.from(it.bias)] as const] : weight;
  });
  return new Map(folded);
}

/** The merged base, after comparing it with the model it was made from. */
function compare(model: Model, what: string): Base {
  const values = randomValues(model);
  assert.equal(obstaclesOf(model), [], what);
  const base = mergedBase(model);
  const expected = logits(model, values);
  const merged = logits(bare(base), mergedValues(model, base, values));
  assert.ok(distance(merged, expected) < 1e-5, `${what}: they differ by ${distance(merged, expected)}`);
  const plain = logits(bare(model.base), values);
  if (model.parts.some((part) => part.kind !== 'unfreeze'))
    assert.ok(distance(plain, expected) > 1e-2, `${what}: the parts matter`);
  return base;
}

const everywhere = 'every linear in layers + output';
const cases: Readonly<Record<string, string>> = {
  bias: `bias a on ${everywhere}`,
  'bias on norms': 'bias a on every norm',
  scale: `scale a on ${everywhere}`,
  'scale of the input': `scale a on ${everywhere} { side = input }`,
  'scale on norms': 'scale a on every norm',
  lora: `lora a on ${everywhere} { rank = 2  alpha = 3 }`,
  rslora: `lora a on ${everywhere} { rank = 3  alpha = 3  rslora = true }`,
  dora: `lora a on ${everywhere} { rank = 2  alpha = 3  dora = true }`,
  'bias, scale, then dora: it comes before them': `bias a on ${everywhere}\nscale b on ${everywhere}\nlora c on ${everywhere} { rank = 2  dora = true }`,
  'two dora, with a lora and a scaled input': `lora a on ${everywhere} { rank = 2 }\nlora b on ${everywhere} { rank = 2  dora = true }\nscale c on ${everywhere} { side = input }\nlora d on ${everywhere} { rank = 3  dora = true }`,
  rescale: 'rescale a on layers.attention.{wk, wv} + layers.feed_forward.w2',
  unfreeze: 'unfreeze a on every norm',
  's (W x + b)': `bias a on ${everywhere}\nscale b on ${everywhere}`,
  's (W x) + b': `scale a on ${everywhere}\nbias b on ${everywhere}`,
  'W (s x) + b': `scale a on ${everywhere} { side = input }\nbias b on ${everywhere}`,
  'b, then W (s x)': `bias a on ${everywhere}\nscale b on ${everywhere} { side = input }`,
  'lora, then scale': `lora a on ${everywhere} { rank = 2 }\nscale b on ${everywhere}`,
  'scale, then lora': `scale a on ${everywhere}\nlora b on ${everywhere} { rank = 2 }`,
  'lora of a scaled input': `lora a on ${everywhere} { rank = 2 }\nscale b on ${everywhere} { side = input }`,
  'norms and what reads them': `scale a on every norm\nbias b on every norm + ${everywhere}\nscale c on ${everywhere}\nscale d on ${everywhere} { side = input }\nunfreeze e on every norm`,
  'the other order': `scale d on ${everywhere} { side = input }\nscale c on ${everywhere}\nbias b on every norm + ${everywhere}\nscale a on every norm\nlora e on ${everywhere} { rank = 2 }`,
};

const half = (base: Base): Base => ({ ...base, rope: { style: 'half', theta: 500 } });
const bases: readonly Base[] = [
  tiny,
  half(odd),
  { ...tiny, name: 'tied', tied: true },
  { ...half(tiny), name: 'biased', biases: ['wq', 'wk', 'wv'] },
  { ...half(tiny), name: 'with norms of heads', family: 'qwen3', dim: 20, tied: true },
];

/** What is added behind a norm of heads cannot be merged. */
const refusedOn = (items: string, base: Base): boolean =>
  base.family === 'qwen3' && /^bias .*every norm/m.test(items);

for (const [name, items] of Object.entries(cases))
  t(`${name}: merged is unmerged`, () => {
    for (const base of bases) {
      const trained = items.split('\n').map((line) => line.split(' ')[1]);
      const model = modelOf(`${items}\ntask train on some trains ${trained.join(' + ')}`, base);
      if (refusedOn(items, base)) assert.match(obstaclesOf(model)[0]?.reason ?? '', 'q_norm', name);
      else compare(model, `${name} on ${base.name}`);
    }
  });

t('a base gets biases where parts add them, in the groups that transformers knows', () => {
  const biases = (items: string, base: Base = tiny) => mergedBase(modelOf(items, base)).biases;
  assert.is(biases('scale a on every linear in layers'), undefined);
  assert.equal(biases('bias a on layers[last 1].attention.wo'), ['wq', 'wk', 'wv', 'wo']);
  assert.equal(biases('bias a on layers.ffn_norm'), ['w1', 'w2', 'w3']);
  assert.equal(biases('bias a on norm'), ['output']);
  const qwen: Base = { ...tiny, biases: ['wq', 'wk', 'wv'] };
  assert.equal(biases('scale a on every linear in layers', qwen), ['wq', 'wk', 'wv']);
  assert.equal(biases('bias a on output', qwen), ['wq', 'wk', 'wv', 'output']);
});

t('a tied head stays tied until its weight is changed', () => {
  const tied = (items: string) => mergedBase(modelOf(items, { ...tiny, tied: true })).tied;
  assert.ok(tied('bias a on output') && tied('scale a on every linear in layers'));
  assert.ok(tied('unfreeze a on output'));
  assert.not(tied('scale a on output') || tied('lora a on output { rank = 2 }'));
});

const prompts = 'prompt w on layers[last 1] { length = 2 }';
const refusals: Readonly<Record<string, readonly [string, readonly (readonly [string, RegExp])[]]>> = {
  'a prompt behind a gate': [prompts, [['w', /in a softmax behind a gate/]]],
  'a prompt without a gate': [
    'prompt w on layers[all] { length = 2  gate = none }',
    [['w', /no weight of a base/]],
  ],
  'a prompt in front of the words': ['prompt w on input { length = 2 }', [['w', /in front of them/]]],
  'a prefix': ['prefix w on layers[all] { length = 2 }', [['w', /in front of the words/]]],
  'a narrow network': [
    'bottleneck w on layers.attention.wo { size = 3 }',
    [['w', /a function between its two matrices/]],
  ],
  'a low-rank update that prompts do not see': [
    `${prompts}\nlora l on layers.attention.{wq, wv} { rank = 2 }`,
    [
      ['w', /gate/],
      [
        'l',
        /keys and values of `w` leave it out \(`on_prompts = false`\), and a merged `layers\.1\.attention\.wv`/,
      ],
    ],
  ],
  'a low-rank update elsewhere is not in the way': [
    `${prompts}\nlora l on layers[0].attention.wv + layers.attention.wq { rank = 2 }`,
    [['w', /gate/]],
  ],
  'a low-rank update that prompts see is not in the way': [
    `${prompts}\nlora l on layers.attention.wv { rank = 2  on_prompts = true }`,
    [['w', /gate/]],
  ],
};

for (const [name, [items, expected]] of Object.entries(refusals))
  t(`refused with its reason: ${name}`, () => {
    const found = obstaclesOf(modelOf(items));
    assert.equal(
      found.map(({ part }) => part),
      expected.map(([part]) => part),
    );
    found.forEach(({ reason }, i) => assert.match(reason, expected[i]?.[1] ?? /^$/));
  });

t('what looks at images is refused', () => {
  for (const { name, model } of imageLibrary()) {
    const found = new Set(obstaclesOf(model).map(({ kind }) => kind));
    assert.ok(found.has('encoder') && found.has('project'), name);
  }
});

t('every kind says whether it can be merged, and those that can are compared here', () => {
  const compared = Object.values(cases).join('\n');
  for (const { name, merge } of kinds) {
    if (merge.can) assert.match(compared, new RegExp(`^${name} `, 'm'));
    else assert.ok(merge.reason.length > 20);
  }
});

t('every method of the library that can be merged is', () => {
  const merged = library().filter(({ model }) => obstaclesOf(model).length === 0);
  for (const { name, model } of merged) compare(model, name);
  for (const file of ['lora', 'ia3', 'ssf', 'bitfit', 'v2-chat65b'])
    assert.ok(
      merged.some(({ name }) => name.startsWith(`${file}.`)),
      file,
    );
  assert.equal(
    obstaclesOf(fromLibrary('llama-adapter-v2.adapter')).map(({ kind }) => kind),
    ['prompt'],
  );
});

t.run();
