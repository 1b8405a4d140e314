/** Our parts as a folder of PEFT: what has no place there is refused by part. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base } from '../../compiler/model/model.ts';
import { exportPeft } from '../../runtime/peft/export/export.ts';
import { modelOf, randomValues } from '../compiler/subjects.ts';
import { base, importFrom, loraConfig, tensor } from './folder.ts';

const t = suite('peft: export, refused');

const biased: Base = { ...base, biases: ['wq', 'wk', 'wv', 'wo'] };
const FRONT = 'base_model.model.';

t('linears that share a module are refused: Phi-3 has queries, keys and values in one', async () => {
  const phi3: Base = { ...base, family: 'phi3' };
  const model = modelOf('lora low on layers.attention.wq { rank = 2 }', phi3);
  assert.throws(
    () => exportPeft(model, randomValues(model), null),
    /`low` \(lora\) has no place.*`layers\.0\.attention\.wq` is only some rows of `model\.layers\.0\.self_attn\.qkv_proj`/,
  );
  const key = `${FRONT}model.layers.0.self_attn.qkv_proj`;
  const fused = [tensor(`${key}.lora_A.weight`, [2, 10]), tensor(`${key}.lora_B.weight`, [48, 2])];
  await importFrom({ ...loraConfig, target_modules: ['qkv_proj'] }, fused, phi3).then(
    () => assert.unreachable(),
    ({ message }: Error) =>
      assert.match(
        message,
        /numbers for `model\.layers\.0\.self_attn\.qkv_proj`, which is one module of PEFT's for `layers\.0\.attention\.wq`, `layers\.0\.attention\.wk`, `layers\.0\.attention\.wv`:/,
      ),
  );
});

const refused: readonly [string, string, RegExp, Base?][] = [
  [
    'two methods',
    'lora low on layers.attention.wq\nprompt words on layers[last 1] { length = 2 }',
    /`words` \(prompt\) has no place in PEFT's LORA: the folder holds `low`/,
  ],
  [
    'a part that PEFT has no method for',
    'bias b on layers.attention.wq',
    /`X` has no part that PEFT has a method for/,
  ],
  [
    'two updates of one linear',
    'lora one on layers.attention.wq\nlora two on layers[0].attention.wq',
    /`two` \(lora\) .*`layers\.0\.attention\.wq` has the update of `one` already/,
  ],
  [
    'rsLoRA in one of two',
    'lora one on layers.attention.wq\nlora two on layers.attention.wv { rslora = true }',
    /`two` \(lora\) .*`use_rslora` is one setting/,
  ],
  [
    'DoRA in one of two',
    'lora one on layers.attention.wq { dora = true }\nlora two on layers.attention.wv',
    /`two` \(lora\) .*`use_dora` is one setting/,
  ],
  [
    'biases of some',
    'lora low on layers.attention.wq\nunfreeze b on layers.attention.wk { of = biases }',
    /`b` \(unfreeze\) .*`bias` is of every linear/,
    biased,
  ],
  [
    'a weight without its bias',
    'lora low on layers.attention.wq\nunfreeze w on layers.attention.wk { of = weights }',
    /`w` \(unfreeze\) .*a module is saved with its bias/,
    biased,
  ],
  [
    'a module with an update',
    'lora low on layers.attention.wq\nunfreeze w on layers.attention.wq',
    /`w` \(unfreeze\) .*either saved as a whole or has the method/,
  ],
  [
    'factors of norms',
    'scale s on layers.attention_norm',
    /`s` \(scale\) .*`layers\.0\.attention_norm` is no linear/,
  ],
  ['prefixes in some layers', 'prefix p on layers[0..1] { length = 2 }', /`p` \(prefix\) .*in every layer/],
  [
    'a gate of each head',
    'prompt p on layers[last 2] { length = 2 }',
    /`p` \(prompt\) .*its gate is `raw\(per: layer\)`/,
  ],
  [
    'prompts in the first layers',
    'prompt p on layers[first 2] { length = 2  gate = raw(init: 1, per: layer) }',
    /`p` \(prompt\) .*in the last layers/,
  ],
  [
    'prompts where heads are narrower than the model',
    'prompt p on layers[last 2] { length = 2  gate = raw(init: 1, per: layer) }',
    /`p` \(prompt\) .*not 4 x 6/,
  ],
  [
    'two prompts',
    'prompt p on input { length = 2 }\nprompt q on input { length = 2 }',
    /`q` \(prompt\) .*`p` is all/,
  ],
  [
    'a linear beside norms',
    'unfreeze n on layers.attention_norm\nunfreeze w on layers.attention.wq',
    /`w` \(unfreeze\)/,
  ],
];
for (const [what, items, message, of = base] of refused)
  t(`${what}: refused by part`, () => {
    const model = modelOf(items, of);
    assert.throws(
      () => exportPeft(model, randomValues(model), null),
      (error: Error) => message.test(error.message) || assert.unreachable(error.message),
    );
  });

t('numbers that the file does not have', () => {
  const model = modelOf('lora low on layers.attention.wq', base);
  assert.throws(
    () => exportPeft(model, new Map(), null),
    /no numbers for `low\.layers\.0\.attention\.wq\.a`/,
  );
});

t.run();
