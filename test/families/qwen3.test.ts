/** Qwen3 against what transformers computes, and every kind of part on it. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseParameters, sitesOf } from '../../compiler/families/sites.ts';
import { mergedBase, obstaclesOf } from '../../compiler/merge/merge.ts';
import { legendOf } from '../../compiler/describe/fusion-map.ts';
import type { Base, Task } from '../../compiler/model/model.ts';
import { decode, makeDecoder, prefill } from '../../runtime/generate.ts';
import { checkTask } from '../compiler/differences.ts';
import { distance, forward, openModel, withDevice } from '../compiler/sessions.ts';
import { modelOf, odd, randomValues, tiny } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';

const t = suite('qwen3');

/** Head widths that are no share of the width, and no multiple of four. */
const small: Base = { ...tiny, family: 'qwen3', dim: 20, rope: { style: 'half', theta: 1000 }, tied: true };
const uneven: Base = { ...odd, family: 'qwen3', dim: 14, biases: ['wq', 'wk', 'wv', 'wo'] };

for (const name of ['qwen3', 'qwen3_f16', 'qwen3_yarn'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

t('places, and what files call them', () => {
  const sites = sitesOf(small);
  const norm = sites.find(({ name }) => name === 'layers.1.attention.k_norm');
  assert.equal([norm?.kind, norm?.input.size, norm?.input.groups], ['norm', 6, 1]);
  const { source } = baseParameters(small).find(({ name }) => name === 'layers.1.attention.k_norm.weight')!;
  assert.is(source?.names.huggingface, 'model.layers.1.self_attn.k_norm.weight');
  assert.is(source?.rowOrder, 'rotary');
  assert.match(legendOf([modelOf('', small)]), /q k v o Q K: wq wk wv wo q_norm k_norm/);
});

const parts: Readonly<Record<string, string>> = {
  'prompts, with the norm of keys and without':
    'prompt w on layers[all] { length = 3 }\nprompt v on layers[last 1] { length = 2  key_norm = false }',
  'soft prompts and a prefix': 'prompt w on input { length = 2 }\nprefix v on layers[all] { length = 2 }',
  'LoRA, also on prompts':
    'lora w on layers.attention.{wq, wk, wv} + layers.feed_forward.w1 { rank = 2  on_prompts = true }\nprompt v on layers[all] { length = 2 }',
  'biases and scales of linears and of norms':
    'bias w on every linear + every norm\nscale v on every linear + every norm',
  'parts on the norms of heads':
    'scale w on layers.attention.{q_norm, k_norm}\nbias v on layers.attention.k_norm',
  'scales on what enters, (IA)3 and narrow networks':
    'scale w on every linear in layers { side = input }\nrescale v on layers.attention.{wk, wv} + layers.feed_forward.w2\nbottleneck u on layers.attention.wo { size = 3 }',
};
for (const [name, items] of Object.entries(parts))
  for (const base of [small, uneven])
    t(`gradients: ${name}, ${base.name}`, () => {
      const names = [...items.matchAll(/^\w+ (\w+) on/gm)].map((found) => found[1]);
      const model = modelOf(`${items}\ntask train on some trains ${names.join(' + ')}`, base);
      assert.ok(checkTask(model, model.tasks[0] as Task) > 0);
    });

t('gradients of the whole base', () => {
  const model = modelOf('unfreeze all on every norm\ntask train on some trains base', small);
  assert.ok(model.tasks[0]!.trains.includes('layers.0.attention.q_norm.weight'));
  checkTask(model, model.tasks[0] as Task);
});

t('a cache gives what looking at all words gives, with prompts, prefix and parts on the norms', () =>
  withDevice(async (device) => {
    const items = [
      'prompt w on layers[all] { length = 3 }',
      'prompt u on layers[last 1] { length = 2  key_norm = false }',
      'prefix v on layers[all] { length = 2 }',
      'bias b on layers.attention.{q_norm, k_norm}',
      'task train on some trains w + u + v + b',
    ];
    for (const base of [small, uneven]) {
      const model = modelOf(items.join('\n'), base);
      const session = await openModel(device, model, randomValues(model), {
        forward: { batch: 1, tokens: 8 },
        generation: { batch: 1, tokens: 5, context: 8 },
      });
      const ids = [3, 1, 4, 1, 5, 9, 2, 6];
      const all = await forward(session, Uint32Array.from(ids));
      const decoder = makeDecoder(session);
      const rows = await prefill(decoder, [ids.slice(0, 5)]);
      for (const at of [5, 6, 7]) rows.push(...(await decode(decoder, [ids[at]!], [at])));
      rows.forEach((row, i) => assert.ok(distance(row, all[i + 4]!) < 2e-5, `${base.name}, word ${i + 4}`));
    }
  }),
);

t('merging: a scale of a head norm is its weight, and a bias behind one has no place', () => {
  const model = modelOf(
    'scale s on layers.attention.q_norm\nbias b on layers.attention.{wq, k_norm}\ntask train on some trains s + b',
    small,
  );
  assert.equal(
    obstaclesOf(model).map(({ part, never }) => [part, never]),
    [['b', true]],
  );
  const mergeable = modelOf(
    'scale s on every norm\nbias b on layers.attention.wq\ntask train on some trains s + b',
    small,
  );
  assert.equal(obstaclesOf(mergeable), []);
  assert.equal(mergedBase(mergeable).biases, ['wq', 'wk', 'wv', 'wo']);
});

t.run();
