/** Every kind of part on tiny bases of a family: gradients by finite differences, and generation with a cache. */
import * as assert from 'uvu/assert';
import type { Test } from 'uvu';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import type { Base, Task } from '../../compiler/model/model.ts';
import { decode, makeDecoder, prefill } from '../../runtime/generate.ts';
import { checkTask } from '../compiler/differences.ts';
import { distance, forward, openModel, withDevice } from '../compiler/sessions.ts';
import { modelOf, randomValues } from '../compiler/subjects.ts';

/** The base that some attributes declare; undefined where they are refused. */
export function declaredBase(attributes: string): Base | undefined {
  const host = memoryHost({ 'x.adapter': `base b { ${attributes} }\nadapter A on b {}\n` });
  return checkSpec('x.adapter', host).adapters['A']?.base;
}

const parts: Readonly<Record<string, string>> = {
  'prompts, with the norm of keys and without':
    'prompt w on layers[all] { length = 3 }\nprompt v on layers[last 1] { length = 2  key_norm = false }',
  'soft prompts and a prefix': 'prompt w on input { length = 2 }\nprefix v on layers[all] { length = 2 }',
  'LoRA, also on prompts':
    'lora w on layers.attention.{wq, wk, wv} + layers.feed_forward.w1 { rank = 2  on_prompts = true }\nprompt v on layers[all] { length = 2 }',
  'biases and scales of linears and of norms':
    'bias w on every linear + every norm\nscale v on every linear + every norm',
  'scales on what enters, (IA)3 and narrow networks':
    'scale w on every linear in layers { side = input }\nrescale v on layers.attention.{wk, wv} + layers.feed_forward.w2\nbottleneck u on layers.attention.wo { size = 3 }',
};

/** Gradients of every kind of part on each base; `more`: items of an adapter that only this family has places for. */
export function testParts(
  t: Test,
  bases: readonly Base[],
  more: Readonly<Record<string, string>> = {},
): void {
  for (const [name, items] of Object.entries({ ...parts, ...more }))
    for (const base of bases)
      t(`gradients: ${name}, ${base.name}`, () => {
        const names = [...items.matchAll(/^\w+ (\w+) on/gm)].map((found) => found[1]);
        const model = modelOf(`${items}\ntask train on some trains ${names.join(' + ')}`, base);
        assert.ok(checkTask(model, model.tasks[0] as Task) > 0);
      });
}

/** A cache gives what looking at all words gives, with prompts, prefix and biases. */
export function testCache(t: Test, bases: readonly Base[], ...more: readonly string[]): void {
  const items = [
    'prompt w on layers[all] { length = 3 }',
    'prompt u on layers[last 1] { length = 2  key_norm = false }',
    'prefix v on layers[all] { length = 2 }',
    'bias b on every linear',
    ...more,
    'task train on some trains w + u + v + b',
  ];
  for (const base of bases)
    t(`a cache gives what looking at all words gives: ${base.name}`, () =>
      withDevice(async (device) => {
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
        rows.forEach((row, i) => {
          const apart = distance(row, all[i + 4]!);
          assert.ok(apart < 2e-5, `word ${i + 4} differs by ${apart}`);
        });
      }),
    );
}
