/** What adapter files keep of a model: everything that changes results without a shape, and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import { kinds } from '../../compiler/kinds/index.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Attributes } from '../../compiler/package/package.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { differencesOf } from '../../runtime/weights/attributes.ts';
import { baseText } from '../cli/tiny-project.ts';

const t = suite('attributes');
const folder = mkdtempSync(join(tmpdir(), 'graft-attributes-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** `ALL` stands for every part that can be trained. */
const task = 'task one on some trains ALL { template = "{instruction}={output}" }';

/** The attributes of an adapter with these parts on the small base. */
function attributes(parts: string, base = baseText, tasks = task, of?: 'training'): Attributes {
  const path = join(folder, 'spec.adapter');
  const words = parts.includes('encoder') ? /(lora) (\w+)/g : /(lora|scale|bottleneck|prompt) (\w+)/g;
  const trained = [...parts.matchAll(words)].map(([, , name]) => name).join(' + ');
  const text = `${base}\nadapter A on small { ${parts}  ${tasks.replace('ALL', trained)} }\ndata some = instructions("some.jsonl")\n`;
  writeFileSync(path, text);
  const checked = checkSpec(path, nodeSpecs);
  assert.equal(
    checked.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  return attributesOf(lowerModel(checked), of);
}

/** `OWNER.ATTRIBUTE` of everything that differs. */
const changed = (was: Attributes, is: Attributes): string[] =>
  differencesOf(was, is).map(({ owner, attribute }) => `${owner}.${attribute}`);

const sites = 'layers.attention.{wq, wv}';
const vit = 'vit(resolution: 4, patch: 2, width: 8, layers: 2, heads: 2';
const look = (encoder: string, project = '', prompt = ''): string =>
  `encoder eye { model = ${encoder} } project seen from eye { length = 2 ${project} } prompt words on layers from seen { ${prompt} } lora low on ${sites}`;

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  [`lora low on ${sites} { alpha = 4 }`, `lora low on ${sites} { alpha = 8 }`, ['low.alpha']],
  [`lora low on ${sites} {}`, `lora low on ${sites} { on_prompts = true }`, ['low.on_prompts']],
  [
    `bottleneck low on ${sites} { function = relu }`,
    `bottleneck low on ${sites} { function = silu }`,
    ['low.function'],
  ],
  [`scale s on ${sites} {}`, `scale s on ${sites} { side = input }`, ['s.side']],
  [
    'prompt words on layers { length = 2 }',
    'prompt words on layers { length = 2 gate = raw }',
    ['words.gate'],
  ],
  [
    'prompt words on layers { length = 2 gate = raw(init: 1, per: const) }',
    'prompt words on layers { length = 2 gate = raw(init: 2, per: const) }',
    ['words.gate.init'],
  ],
  [
    'prompt words on layers { length = 2 }',
    'prompt words on input { length = 2 }',
    ['words.gate', 'words.gate.per', 'words.on'],
  ],
  [
    `lora low on ${sites} scale s on ${sites}`,
    `scale s on ${sites} lora low on ${sites}`,
    ['s.after', 'low.after'],
  ],
  [
    'prompt a on input { length = 2 } prompt b on input { length = 2 }',
    'prompt b on input { length = 2 } prompt a on input { length = 2 }',
    ['b.after', 'a.after'],
  ],
  [look(`${vit})`), look(`${vit}, activation: gelu)`), ['eye.model.activation']],
  [look(`${vit})`), look(`${vit}) take = patches`), ['eye.take', 'seen.tokens']],
  [look(`${vit})`), look(`${vit}) channels = bgr`), ['eye.channels']],
  [look(`${vit})`), look(`${vit}) normalise = half`), ['eye.normalise']],
  [look(`${vit}) at = [0]`), look(`${vit}) at = [1]`), ['eye.at']],
];

for (const [was, is, names] of cases)
  t(`${names.join(', ')} is one of them`, () => {
    assert.equal(changed(attributes(was), attributes(is)).sort(), [...names].sort());
    assert.equal(changed(attributes(was), attributes(was)), []);
  });

t('what only training depends on is none, and a resumed run keeps it all the same', () => {
  const [was, is] = [
    `lora low on ${sites} { rank = 2 } prompt words on layers { length = 2 }`,
    `lora low on ${sites} { rank = 2 rate = 3 } prompt words on layers { length = 2 init = 0 gate = tanh(init: 1) }`,
  ];
  assert.equal(changed(attributes(was), attributes(is)), []);
  const tasks = task.replace('{ ', '{ max_tokens = 9  ');
  const trained = changed(
    attributes(was, baseText, task, 'training'),
    attributes(is, baseText, tasks, 'training'),
  );
  for (const name of ['low.rate', 'words.gate.init', 'words.init', 'one.max_tokens'])
    assert.ok(trained.includes(name), name);
});

t('those of the base and of tasks', () => {
  const low = `lora low on ${sites}`;
  const base = baseText
    .replace('1e-5', '1e-6')
    .replace('10000', '500000')
    .replace('context = 48', 'context = 40');
  assert.equal(changed(attributes(low), attributes(low, base)).sort(), ['base.normEps', 'base.rope.theta']);
  const tasks = task.replace('}={', '} -> {');
  assert.equal(changed(attributes(low), attributes(low, baseText, tasks)), ['one.template']);
});

t('parts that were added beside make no difference to those that were there', () => {
  const was = attributes(`lora low on ${sites}`);
  assert.equal(changed(was, attributes(`scale s on ${sites} lora low on ${sites}`)), []);
});

t('every field of every kind is stated, or is marked as one of training', () => {
  for (const kind of kinds)
    for (const [name, field] of Object.entries(kind.fields))
      if (/^(rate|init|weights|crop)$/.test(name)) assert.ok(field.onlyTraining, `${kind.name}.${name}`);
      else assert.is(field.onlyTraining, undefined, `${kind.name}.${name}`);
});

t.run();
