/** What `graft diff` says of two models. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { diffModels } from '../../compiler/describe/diff.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Model } from '../../compiler/model/model.ts';

const t = suite('diff');

const bases = `
base small { layers = 4  dim = 8  heads = 2  ffn = 16  vocab = 10 }
base large { layers = 6  dim = 16  heads = 2  ffn = 16  vocab = 10  rope = half(theta: 500000) }
data some = alpaca("some.json")
data pairs = image_text("pairs.jsonl")
`;

function model(items: string, rest = '', base = 'small'): Model {
  const text = `${bases}\nadapter X on ${base} {\n${items}\n}\n${rest}`;
  const checked = checkSpec('x.adapter', memoryHost({ 'x.adapter': text }));
  assert.equal(
    checked.diagnostics.filter((d) => d.severity === 'error').map((d) => d.message),
    [],
  );
  return lowerModel(checked, 'X');
}

/** Each change in one line. */
const changes = (a: Model, b: Model): string[] =>
  diffModels(a, b).changes.map((c) => `${c.change} ${c.area} ${c.name}: ${c.words.join('; ')}`);

const words = 'prompt words on layers[last 2] { length = 4 }';
const sees = `encoder eye { model = vit(resolution: 8, patch: 4, width: 8, layers: 1, heads: 2) }
  project seen from eye { length = 2 }
  prompt image on layers[first 1] from seen`;

t('nothing', () => {
  const { changes: none, counts } = diffModels(model(words), model(words));
  assert.equal(none, []);
  assert.ok(counts.every((c) => c.before === c.after));
});

t('layers, attributes, places', () => {
  assert.equal(changes(model(words), model('prompt words on layers { length = 8  gate = none }')), [
    'changed part words: on layers 2..3 (2) to layers 0..3 (4); `length` 4 to 8; `gate` tanh(init: 0, per: head) to none',
  ]);
  assert.equal(
    changes(
      model('bias b on every linear'),
      model('bias b on layers.attention.{wq, wo} + layers[1].ffn_norm'),
    ),
    [
      'changed part b: on every linear in layers 0..3; output to attention.{wq, wo} in layers 0..3; ffn_norm in layers 1',
    ],
  );
  assert.equal(changes(model(words), model('prompt words on input { length = 4 }')), [
    'changed part words: on layers 2..3 (2) to input; `gate` tanh(init: 0, per: head) to none',
  ]);
});

t('a default that is written is no difference', () => {
  const written = 'prompt words on layers[last 2] { length = 4  gate = tanh(init: 0, per: head) }';
  assert.equal(changes(model(words), model(written)), []);
});

t('parts that come and go, and another kind under the same name', () => {
  assert.equal(changes(model(words), model(sees)), [
    'dropped part words: a prompt on layers 2..3 (2)',
    'added part eye: an encoder',
    'added part seen: a project, from `eye`',
    'added part image: a prompt on layer 0, from `seen`',
  ]);
  assert.equal(changes(model('bias b on layers.0.attention.wq'), model('lora b on layers.0.attention.wq')), [
    'changed part b: a bias on attention.wq in layers 0 to a lora on attention.wq in layers 0',
  ]);
});

t('parts in another order, where they meet', () => {
  const [bias, scale] = ['bias b on every linear', 'scale s on every linear'];
  assert.equal(changes(model(`${bias}\n${scale}`), model(`${scale}\n${bias}`)), [
    'changed part s: applies before `b`, not after it',
  ]);
  assert.equal(changes(model(`${words}\n${scale}`), model(`${scale}\n${words}`)), []);
});

t('the base', () => {
  assert.equal(changes(model(words), model(words, '', 'large')), [
    'changed base large: small to large; `layers` 4 to 6; `dim` 8 to 16; `headDim` 4 to 8; `rope` interleaved(theta: 10000) to half(theta: 500000)',
    'changed part words: on layers 2..3 (2) to layers 4..5 (2)',
  ]);
});

t('groups, tasks and data', () => {
  const a = model(
    `${words}\nbias b on every linear\ngroup g = words + b\ntask t on some trains g { max_tokens = 64 }`,
  );
  const b = model(
    `${words}\nbias b on every linear\n${sees}\ngroup g = words\ntask t on some trains g\ntask see on pairs trains image + seen`,
  );
  assert.equal(changes(a, b).slice(3), [
    'changed group g: loses b',
    'changed task t: loses b; `max_tokens` 64 to 512',
    'added task see: trains seen + image on `pairs`',
    'added data pairs: image_text of pairs.jsonl',
  ]);
});

t('recipes', () => {
  const items = `${words}\ntask t on some trains words`;
  const a = model(items, 'recipe r for X { epochs = 2 }\nrecipe old for X { epochs = 1 }');
  const b = model(
    items,
    'recipe r for X { steps = 9  optimizer = adamw(lr: 0.01)  schedule = linear(warmup: 1 epochs) }',
  );
  assert.equal(changes(a, b), [
    'changed recipe r: `lr` 0.001 to 0.01; `schedule` cosine to linear; `warmup` 0 steps to 1 epochs; `epochs` 2 to none; `steps` none to 9',
    'dropped recipe old: ',
  ]);
});

t('experts', () => {
  const a = model('expert e { run = ocr(language: "eng") }\nexpert f {}');
  assert.equal(changes(a, model('expert e { run = ocr(language: "deu")  say = "It reads: {text}" }')), [
    'changed expert e: `run` ocr(language: eng, confidence: 0.6) to ocr(language: deu, confidence: 0.6); `say` "{text}" to "It reads: {text}"',
    'dropped expert f: ',
  ]);
});

t('counts, before and after', () => {
  const a = model(`${words}\ntask t on some trains words`);
  const b = model(`bias b on layers.attention.wq\ngroup g = b\ntask t on some trains g`);
  const { counts } = diffModels(a, b);
  assert.equal(counts, [
    // Embedding and head of 80, layers of 656, a last norm of 8.
    { area: 'base', name: 'small', before: 2792, after: 2792 },
    // Four tokens of 8 and two gates, in two layers.
    { area: 'part', name: 'words', before: 68, after: null },
    { area: 'part', name: 'b', before: null, after: 32 },
    { area: 'group', name: 'g', before: null, after: 32 },
    { area: 'task', name: 't', before: 68, after: 32 },
    { area: 'trained', name: 'in all', before: 68, after: 32 },
  ]);
});

t.run();
