/**
 * Whole programs differentiated: the loss of every spec, on bases of odd sizes, against finite differences in a random
 * direction of every parameter its tasks train.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Task } from '../../compiler/model/model.ts';
import { checkTask } from '../compiler/differences.ts';
import { library, modelOf, odd, tiny } from '../compiler/subjects.ts';

const t = suite('gradients of whole programs');
for (const { name, model } of library())
  for (const task of model.tasks)
    t(`${name} ${task.name}`, () => {
      assert.ok(checkTask(model, task) > 0);
    });

// Things no spec of the library has, each where a rule could forget a case.
const variants: Readonly<Record<string, string>> = {
  'raw gate a layer, one prompt token':
    'prompt w on layers[0..1] { length = 1  gate = raw(init: 0, per: layer) }',
  'tanh gate a layer': 'prompt w on layers[last 1] { length = 3  gate = tanh(init: 0, per: layer) }',
  'constant gate': 'prompt w on layers[last 1] { length = 3  gate = tanh(init: 0.7, per: const) }',
  'no gate': 'prompt w on layers[last 1] { length = 3  gate = none }',
  'two prompts in one layer':
    'prompt w on layers[last 1] { length = 3 }\nprompt v on layers[all] { length = 2  gate = raw(init: 0, per: head) }',
  'prefix and prompt': 'prefix w on layers[all] { length = 3 }\nprompt v on layers[all] { length = 2 }',
  'two soft prompts and a prompt':
    'prompt w on input { length = 3 }\nprompt u on input { length = 2 }\nprompt v on layers[all] { length = 2 }',
  'parts on the head, the embedding and norms':
    'bias w on every norm + output\nscale v on every norm + output',
  'scale, then bias, then scale, then lora':
    'scale w on every linear in layers { side = input }\nbias v on every linear in layers\nscale u on every linear in layers\nlora x on every linear in layers { rank = 3 }',
  'narrow networks on heads and beside others':
    'bottleneck w on layers.attention.{wq, wv} { size = 3  function = silu }\nbias v on layers.attention.wv\nscale u on layers.attention.wv',
  'a narrow network with corners':
    'bottleneck w on layers.feed_forward.w2 + output { size = 6  function = relu }\nscale v on layers.feed_forward.w2 { side = input }',
  'lora on prompts':
    'lora w on layers.attention.{wk, wv} { rank = 2  alpha = 3  on_prompts = true }\nprompt v on layers[all] { length = 3 }',
};
for (const [name, items] of Object.entries(variants))
  for (const base of [tiny, odd])
    t(`${name} on ${base.name}`, () => {
      const parts = [...items.matchAll(/^(?:prompt|prefix|scale|bias|lora|bottleneck) (\w+)/gm)].map(
        (found) => found[1],
      );
      const model = modelOf(`${items}\ntask train on some trains ${parts.join(' + ')}`, base);
      checkTask(model, model.tasks[0] as Task);
    });

t('the head runs on labelled rows only', () => {
  const model = modelOf(
    'prompt w on input { length = 3 }\nprompt v on layers[all] { length = 2 }\ntask train on some trains base + w + v',
  );
  checkTask(model, model.tasks[0] as Task, { labels: 9 });
});

t('everything is trained at once, with a tied head and half-split rotation', () => {
  const base = { ...odd, tied: true, rope: { style: 'half', theta: 100 } } as const;
  const model = modelOf('prompt w on layers[all] { length = 2 }\ntask train on some trains base + w', base);
  checkTask(model, model.tasks[0] as Task);
});

t('the biases of a base that has some are trained with the rest', () => {
  const base = { ...tiny, biases: ['wq', 'wk', 'wo', 'w2', 'output'] } as const;
  const model = modelOf('bias w on every linear in layers\ntask train on some trains base + w', base);
  const task = model.tasks[0] as Task;
  assert.ok(task.trains.includes('layers.1.attention.wk.bias') && task.trains.includes('output.bias'));
  assert.not(task.trains.includes('layers.1.attention.wv.bias'));
  checkTask(model, task);
});

t.run();
