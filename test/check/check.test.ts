/** Meanings: layers, selectors, params, inheritance, groups, recipes; and fixes that repair what they are offered for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec, type Checked, type CheckOptions } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Model } from '../../compiler/model/model.ts';
import { printModel } from '../../compiler/describe/print-model.ts';
import { printLayers } from '../../compiler/model/layers.ts';

const t = suite('check');
const bases = readFileSync(join(import.meta.dirname, '../../specs/bases.adapter'), 'utf8');

const small = `base small { layers = 8  dim = 32  heads = 4  kv_heads = 2  ffn = 64  vocab = 100  tied = true }`;

const check = (text: string, options: CheckOptions = {}): Checked =>
  checkSpec('x.adapter', memoryHost({ 'x.adapter': text, 'bases.adapter': bases }), options);

/** The model of the last adapter; the spec must be free of errors. */
function model(text: string, options: CheckOptions = {}): Model {
  const checked = check(`${small}\n${text}`, options);
  assert.equal(
    checked.diagnostics.filter((d) => d.severity === 'error').map((d) => `${d.code} ${d.message}`),
    [],
  );
  return lowerModel(checked);
}

const layersOf = (expression: string): string =>
  printLayers(
    model(`adapter X on small { prefix p on layers[${expression}] { length = 1 } }`).parts[0]?.layers ?? [],
  );

for (const [expression, expected] of [
  ['first 4', '0..3'],
  ['last 3', '5..7'],
  ['0..7 by 3', '0, 3, 6'],
  ['[5, first 2, 5]', '0..1, 5'],
  ['all - (first 2 + last 2)', '2..5'],
  ['first 5 & last 5', '3..4'],
  ['last 2 in first 4', '2..3'],
  ['none', 'none'],
] as const) {
  t(`layers ${expression}`, () => assert.is(layersOf(expression), expected));
}

const sitesOf = (selector: string): string[] =>
  (model(`adapter X on small { unfreeze p on ${selector} }`).parts[0]?.sites ?? []).map((s) => s.name);

t('selectors', () => {
  assert.equal(
    sitesOf('layers[last 2].attention.{wq, wv}'),
    [6, 7].flatMap((i) => [`layers.${i}.attention.wq`, `layers.${i}.attention.wv`]),
  );
  assert.equal(sitesOf('layers.3.attention.wq'), ['layers.3.attention.wq']);
  assert.equal(sitesOf('layers[0].*'), sitesOf('layers[0]'));
  assert.is(sitesOf('layers[0]').length, 9);
  assert.is(sitesOf('**.w1').length, 8);
  assert.is(sitesOf('**').length, 8 * 9 + 3);
  assert.is(sitesOf('*').length, 8 * 9 + 3);
  assert.is(sitesOf('every norm').length, 17);
  assert.is(sitesOf('every norm in layers').length, 16);
  assert.is(sitesOf('every linear in last 2').length, 14);
  assert.equal(sitesOf('every linear - layers'), ['output']);
  assert.equal(sitesOf('norm + output + tok_embeddings'), ['tok_embeddings', 'norm', 'output']);
  assert.equal(sitesOf('layers[none].attention.wq'), []);
});

t('a tied output head is trained once', () => {
  const { parameters, tasks } = model(
    'data d = text("a")\nadapter X on small { unfreeze p on output + tok_embeddings  task t on d trains p }',
  );
  assert.equal(tasks[0]?.trains, ['tok_embeddings.weight']);
  assert.not.ok(parameters.some((p) => p.name === 'output.weight'));
});

t('how a base is stored is what it says, f32 where it says nothing', () => {
  const stored = (store: string) => {
    const checked = check(`${small.replace(' }', `  ${store} }`)}\nadapter X on small { bias b on output }`);
    return checked.diagnostics.length > 0 ? checked.diagnostics[0]?.code : lowerModel(checked).base.store;
  };
  for (const store of ['f16', 'bf16', 'q8', 'q4']) assert.is(stored(`store = ${store}`), store);
  assert.is(stored('store = f32'), undefined);
  assert.is(stored(''), undefined);
  assert.is(stored('store = q5'), 'A122');
});

t('the whole base is a group', () => {
  const { parameters, tasks } = model(
    'data d = text("a")\nadapter X on small { bias b on every linear  task t on d trains base } ',
  );
  assert.is(tasks[0]?.trains.length, parameters.filter((p) => p.owner === 'base').length);
});

t('a member of a part is a group', () => {
  const { groups } = model(
    'adapter X on small { prompt p on layers[last 2] { length = 3 }  group gates = p.gate }',
  );
  assert.equal(groups['gates'], ['p.layers.6.gate', 'p.layers.7.gate']);
});

t('params come from the command line', () => {
  const text =
    'param late = last 2\nparam length = 4\nadapter X on small { prompt p on layers[late] { length = length } }';
  const { parts } = model(text, { params: { late: 'first 1', length: '7' } });
  assert.equal([parts[0]?.layers, parts[0]?.fields['length']], [[0], 7]);
  assert.equal(
    check(`${small}\n${text}`, { params: { lat: 'first 1' } }).diagnostics.map((d) => d.code),
    ['A126'],
  );
  assert.equal(
    check(`${small}\n${text}`, { params: { late: 'first' } }).diagnostics.map((d) => d.code),
    ['A003'],
  );
});

t('shapes, layouts and decay', () => {
  const { parameters } = model(`adapter X on small {
    prompt p on layers[0] { length = 3  rate = 0.5 }
    lora l on layers[0].attention.wk { rank = 2 }
    bias b on layers[0].attention.wq
    scale s on layers[0].attention.wo { side = input }
    prefix x on layers[0] { length = 5 }
  }`);
  const shown = parameters
    .filter((p) => p.owner !== 'base')
    .map(
      (p) =>
        `${p.name} [${p.shape.join(',')}] ${p.axes.map((a) => `${a.groups}x${a.size}`).join(' ')} ${p.decay} ${p.rate}`,
    );
  assert.equal(shown, [
    'p.layers.0.prompt [3,32] 1x3 1x32 true 0.5',
    'p.layers.0.gate [1,4,1,1] 1x4 true 0.5',
    'l.layers.0.attention.wk.a [2,32] 1x2 1x32 true 1',
    'l.layers.0.attention.wk.b [16,2] 2x8 1x2 true 1',
    'b.layers.0.attention.wq [32] 4x8 false 1',
    's.layers.0.attention.wo [32] 4x8 false 1',
    'x.layers.0.key [5,16] 1x5 2x8 true 1',
    'x.layers.0.value [5,16] 1x5 2x8 true 1',
  ]);
});

t('parts keep the order in which they are written, also when overridden', () => {
  const { parts } = model(`
    adapter A on small { scale s on every linear  bias b on every linear  lora l on every linear }
    adapter B extends A { override s { side = input }  drop l  bias c on output }`);
  assert.equal(
    parts.map((p) => p.name),
    ['s', 'b', 'c'],
  );
  assert.is(parts[0]?.fields['side'], 'input');
});

t('a dropped part leaves the groups it was in', () => {
  const text = `data d = alpaca("a")
    adapter A on small { scale s on every linear  bias b on every linear  group g = s + b  task t on d trains g }
    adapter B extends A { drop s }`;
  assert.ok(model(text).tasks[0]?.trains.every((name) => name.startsWith('b.')));
  assert.equal(
    check(`${small}\n${text.replace('drop s', 'drop s  group h = s')}`).diagnostics.map((d) => d.code),
    ['A114'],
  );
});

t('a group, a task and attributes are overridden', () => {
  const { tasks, groups } = model(`data d = alpaca("a")
    adapter A on small { scale s on every linear  bias b on every linear  group g = s  task t on d trains g { max_tokens = 9 } }
    adapter B extends A { override g = s + b  override t { template = "x {output}" } }`);
  assert.is(groups['g']?.length, 114);
  assert.equal([tasks[0]?.fields['template'], tasks[0]?.fields['max_tokens']], ['x {output}', 9]);
});

t('a recipe serves adapters that extend its own', () => {
  const { recipes } = model(`data d = alpaca("a")
    adapter A on small { bias b on every linear  task t on d trains b }
    recipe r for A { optimizer = adamw(lr: 1e-2, weight_decay: 5%)  schedule = cosine(warmup: 2 epochs)  steps = 10  clip = 1 }
    adapter B extends A {}`);
  const [first] = recipes;
  assert.ok(first);
  const { span: _, ...recipe } = first;
  assert.equal(recipe, {
    name: 'r',
    mix: { kind: 'alternate', parts: [{ task: 't', count: 1 }] },
    optimizer: { lr: 1e-2, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.05 },
    schedule: { kind: 'cosine', warmup: { value: 2, unit: 'epochs' }, floor: 0 },
    epochs: null,
    steps: 10,
    batch: 32,
    accumulate: 1,
    average: 'labels',
    clip: 1,
    seed: 0,
  });
});

t('an image added to prompts shares their gate and length', () => {
  const { parts, parameters } = model(`adapter X on small {
    prompt words on layers[last 2] { length = 3 }
    encoder v { model = vit(resolution: 8, patch: 2, width: 12, layers: 1, heads: 2) }
    project p from v { length = 3 }
    prompt image on layers[last 2] from p { fuse = add(words) }
  }`);
  assert.equal(
    [parts[3]?.fields['gate'], parts[3]?.fields['length'], parts[2]?.fields['width']],
    [null, 3, 12],
  );
  assert.not.ok(parameters.some((p) => p.owner === 'image'));
});

const eye = 'encoder v { model = vit(resolution: 8, patch: 4, width: 8, layers: 4, heads: 2, output: 6)';

t("an encoder's blocks are its own layers, from a param too", () => {
  const blocks = (at: string, options: CheckOptions = {}) =>
    model(
      `param which = [3, 1]\nadapter X on small { ${eye}  at = ${at} }\nproject p from v { length = 2 } }`,
      options,
    ).parts.map((part) => [part.fields['at'], part.fields['width'], part.fields['scales']]);
  // The base has eight layers, the encoder four.
  assert.equal(blocks('last 2'), [
    [[2, 3], undefined, undefined],
    [undefined, 16, 2],
  ]);
  assert.equal(blocks('which')[0]?.[0], [1, 3]);
  assert.equal(blocks('which', { params: { which: '0' } }), [
    [[0], undefined, undefined],
    [undefined, 8, 1],
  ]);
  assert.equal(blocks('none'), [
    [null, undefined, undefined],
    [undefined, 6, 1],
  ]);
  const wrong = check(`${small}\nadapter X on small { ${eye}  at = which } }\nparam which = 4`).diagnostics;
  assert.equal(
    wrong.map((d) => d.message),
    ['layer 4 does not exist'],
  );
});

t('a projector that reads another gets its width and its tokens', () => {
  const parts = model(
    `adapter X on small { ${eye}  take = patches }\nproject a from v { length = 3  output = 5 }\nproject b from a { length = 2 }\nprompt p on layers from b }`,
  ).parts.map(({ fields }) => [fields['width'], fields['tokens'], fields['length']]);
  assert.equal(parts, [
    [undefined, undefined, undefined],
    [6, 4, 3],
    [5, 3, 2],
    [undefined, undefined, 2],
  ]);
});

/** Messages of an adapter with an encoder, two projectors in a row, and a prompt that reads the second. */
const trained = (task: string, extra = ''): string[] =>
  check(
    `${small}
    data pairs = image_text("x.jsonl")
    data some = text("x.txt")
    adapter X on small { ${eye} }
      project a from v { length = 3  output = 5 }
      project b from a { length = 2 }
      prompt p on layers from b
      ${extra}
      ${task} }`,
  ).diagnostics.map((d) => `${d.code} ${d.message}`);

t('what is read by way of another learns, what is not does not', () => {
  assert.equal(trained('task t on pairs trains v + a + b + p'), []);
  assert.equal(trained('task t on pairs trains a + b + c + p', 'project c from a { length = 1 }'), [
    'A203 `c` learns nothing from `t`',
  ]);
  assert.equal(trained('task t on some trains v'), [
    'A302 nothing trains `a`',
    'A302 nothing trains `b`',
    'A302 nothing trains `p`',
    'A203 `v` learns nothing from `t`',
  ]);
});

t('a projector from a file may stay as it is', () => {
  const chain = (weights: string) =>
    check(
      `${small}
      data pairs = image_text("x.jsonl")
      adapter X on small { ${eye} }
        project a from v { length = 3  output = 5  ${weights} }
        project b from a { length = 2 }
        prompt p on layers from b
        task t on pairs trains b + p }`,
    ).diagnostics.map((d) => `${d.code} ${d.message}`);
  assert.equal(chain(''), ['A302 nothing trains `a`']);
  assert.equal(chain('weights = "a.safetensors"'), []);
});

t('paths are relative to the file that names them', () => {
  const host = memoryHost({
    'a/x.adapter': 'import "../b/y.adapter"',
    'b/y.adapter': small.replace('tied', 'weights = "w" tied'),
  });
  assert.is(checkSpec('a/x.adapter', host).bases['small']?.weights, 'b/w');
});

t('an imported adapter is not complained about twice', () => {
  const warned =
    'data d = alpaca("a")\nadapter A on small { bias b on every linear  scale s on every linear  task t on d trains b }';
  const host = memoryHost({
    'y.adapter': `${small}\n${warned}`,
    'x.adapter': 'import "y.adapter"\nadapter B on small {}',
  });
  assert.equal(
    checkSpec('y.adapter', host).diagnostics.map((d) => d.code),
    ['A302'],
  );
  assert.equal(checkSpec('x.adapter', host).diagnostics, []);
});

t('what enters a norm is not scaled', () => {
  const codesOf = (on: string) =>
    check(`${small}\nadapter X on small { scale s on ${on} { side = input } }`).diagnostics.map(
      (d) => d.code,
    );
  assert.equal(codesOf('every norm'), ['A110']);
  assert.equal(codesOf('layers'), []);
});

t('a spec that is not there is no diagnostic', () => assert.is(checkSpec('no', memoryHost({})).found, false));

t('a model prints the same twice', () => {
  const text = 'adapter X on small { prompt p on layers[last 2] { length = 3 } }';
  assert.is(printModel(model(text)), printModel(model(text)));
});

t.run();
