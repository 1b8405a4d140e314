/** Adapters of PEFT as parts: which modules a configuration means, where numbers go, and what is refused by name. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sitesOf } from '../../compiler/families/sites.ts';
import type { Base, Site } from '../../compiler/model/model.ts';
import { InputError } from '../../runtime/input-error.ts';
import { reorderRope } from '../../runtime/weights/rope.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { base, importFrom, lines, loraConfig, low, places, tensor } from './folder.ts';

const t = suite('peft: import');
const interleaved: Base = { ...base, rope: { style: 'interleaved', theta: 10000 } };
const biased: Base = { ...base, biases: ['wq', 'wk', 'wv'] };
const tied: Base = { ...base, tied: true };
const lowOf = (rank: number, ...names: string[]) => places(base, ...names).flatMap((site) => low(site, rank));

/** The message of what an import is refused with. */
async function refusal(
  config: Readonly<Record<string, unknown>>,
  tensors: readonly NewTensor[],
  of?: Base,
): Promise<string> {
  try {
    await importFrom(config, tensors, of);
  } catch (error) {
    assert.instance(error, InputError);
    return (error as InputError).message;
  }
  throw new Error('it was not refused');
}

t('a list of modules in every layer', async () => {
  const parts = await importFrom(loraConfig, lowOf(2, 'wq', 'wv'));
  assert.equal(lines(parts), ['lora low on layers.attention.{wq, wv} { rank = 2  alpha = 6 }']);
  const names = parts[0]?.tensors.map(({ name }) => name) ?? [];
  assert.is(names.length, 12);
  assert.ok(names.includes('low.layers.2.attention.wv.b'));
});

const linears = sitesOf(base).filter(({ kind, layer }) => kind === 'linear' && layer !== null);
const targets: readonly [string, Readonly<Record<string, unknown>>, (site: Site) => boolean, string][] = [
  ['all-linear leaves the head out', { target_modules: 'all-linear' }, () => true, 'every linear in layers'],
  [
    'layers_to_transform',
    { layers_to_transform: [0, 2], layers_pattern: 'layers' },
    ({ layer, name }) => layer !== 1 && /w[qv]$/.test(name),
    'layers[0 + 2].attention.{wq, wv}',
  ],
  [
    'one layer as a number',
    { layers_to_transform: 1 },
    ({ layer, name }) => layer === 1 && /w[qv]$/.test(name),
    'layers[1].attention.{wq, wv}',
  ],
  [
    'a module by its whole name is meant whatever its layer is',
    { target_modules: ['model.layers.0.mlp.up_proj', 'o_proj'], layers_to_transform: [1] },
    ({ name }) => name === 'layers.0.feed_forward.w3' || name === 'layers.1.attention.wo',
    'layers[0].feed_forward.w3 + layers[1].attention.wo',
  ],
  [
    'a text is an expression for the whole name',
    { target_modules: '.*\\.layers\\.[01]\\.(self_attn\\.(q|o)_proj|mlp\\.down_proj)' },
    ({ layer, name }) => layer !== 2 && /(wq|wo|w2)$/.test(name),
    'layers[0..1].attention.{wq, wo} + layers[0..1].feed_forward.w2',
  ],
  [
    'exclude_modules',
    { exclude_modules: ['model.layers.1.self_attn.q_proj'] },
    ({ layer, name }) => name.endsWith('wv') || (name.endsWith('wq') && layer !== 1),
    'layers[0 + 2].attention.wq + layers.attention.wv',
  ],
];
for (const [what, changes, wanted, on] of targets)
  t(what, async () => {
    const tensors = linears.filter(wanted).flatMap((site) => low(site, 2));
    const parts = await importFrom({ ...loraConfig, ...changes }, tensors);
    assert.equal(lines(parts), [`lora low on ${on} { rank = 2  alpha = 6 }`]);
    // One module less, or one more, is another adapter.
    const less = await refusal({ ...loraConfig, ...changes }, tensors.slice(2));
    assert.match(less, /has no lora_A of .* which `target_modules` of adapter_config\.json means/);
    const [other] = sitesOf(base).filter(
      (site) => site.kind === 'linear' && !linears.filter(wanted).includes(site),
    );
    const more = await refusal({ ...loraConfig, ...changes }, [...tensors, ...low(other!, 2)]);
    assert.match(more, /which `target_modules` of adapter_config\.json leaves out/);
  });

t('ranks and alphas by pattern: the first key that ends the name counts, not the longest', async () => {
  const config = {
    ...loraConfig,
    rank_pattern: { v_proj: 3, 'layers.0.self_attn.v_proj': 5, '1.self_attn.q_proj': 4 },
    alpha_pattern: { '[ab]_proj': 1, 'layers.(0|1).self_attn.v_proj': 0.5 },
  };
  const tensors = places(base, 'wq', 'wv').flatMap((site) =>
    low(site, site.name.endsWith('wv') ? 3 : site.layer === 1 ? 4 : 2),
  );
  assert.equal(lines(await importFrom(config, tensors)), [
    'lora low1 on layers[0 + 2].attention.wq { rank = 2  alpha = 6 }',
    'lora low2 on layers[0..1].attention.wv { rank = 3  alpha = 0.5 }',
    'lora low3 on layers[1].attention.wq { rank = 4  alpha = 6 }',
    'lora low4 on layers[2].attention.wv { rank = 3  alpha = 6 }',
  ]);
  assert.match(
    await refusal({ ...config, rank_pattern: {} }, tensors),
    /`model\.layers\.1\.self_attn\.q_proj\.lora_A\.weight` is \[4, 10\], the base needs \[2, 10\]/,
  );
});

t('a tensor that is there under two keys, and an expression of Python alone', async () => {
  const [first, ...others] = lowOf(2, 'wq', 'wv');
  const again = { ...first!, name: first!.name.replace('.weight', '.default.weight') };
  assert.match(
    await refusal(loraConfig, [first!, again, ...others]),
    /holds `model\.layers\.0\.self_attn\.q_proj\.lora_A\.weight` twice/,
  );
  // To JavaScript `\Z` would be the letter, and the alpha silently the usual one.
  assert.match(
    await refusal({ ...loraConfig, alpha_pattern: { 'q_proj\\Z': 1 } }, [first!, ...others]),
    /`alpha_pattern` is .* no regular expression that is understood here/,
  );
});

t('rsLoRA, and keys of older releases', async () => {
  const old = lowOf(2, 'wq', 'wv').map((one) => ({
    ...one,
    name: one.name.replace('.weight', '.default.weight'),
  }));
  const parts = await importFrom({ ...loraConfig, use_rslora: true }, old);
  assert.equal(lines(parts), [
    'lora low on layers.attention.{wq, wv} { rank = 2  alpha = 6  rslora = true }',
  ]);
});

t('a module with a rank and an alpha of no other has a part of its own with them', async () => {
  const head = low(places(base, 'output')[0]!, 2);
  const config = {
    ...loraConfig,
    target_modules: ['q_proj', 'v_proj', 'lm_head'],
    alpha_pattern: { lm_head: 2 },
  };
  assert.equal(lines(await importFrom(config, [...lowOf(2, 'wq', 'wv'), ...head])), [
    'lora low1 on layers.attention.{wq, wv} { rank = 2  alpha = 6 }',
    'lora low2 on output { rank = 2  alpha = 2 }',
  ]);
});

t('rows of queries and keys go to the order that the base declares, and no others', async () => {
  const config = { ...loraConfig, target_modules: ['q_proj', 'k_proj', 'v_proj'] };
  const tensors = lowOf(2, 'wq', 'wk', 'wv');
  const [theirs, ours] = [await importFrom(config, tensors), await importFrom(config, tensors, interleaved)];
  for (const [i, { name, values }] of (theirs[0]?.tensors ?? []).entries()) {
    const moves = /w[qk]\.b$/.test(name);
    const wanted = moves ? reorderRope(values as Float32Array, 6, 2, 'half', 'interleaved') : values;
    assert.equal(ours[0]?.tensors[i]?.values, wanted, name);
  }
});

t('prefixes: keys and values by layer, the numbers of a head in the order of the base', async () => {
  const config = { peft_type: 'PREFIX_TUNING', num_virtual_tokens: 2, prefix_projection: true };
  const all = tensor('prompt_embeddings', [2, 3 * 2 * 12]);
  const [part] = await importFrom(config, [all]);
  assert.equal(lines([part!]), ['prefix past on layers { length = 2 }']);
  const at = (layer: number, what: number) =>
    [0, 1].flatMap((row) => [
      ...(all.values as Float32Array).slice(
        row * 72 + (2 * layer + what) * 12,
        row * 72 + (2 * layer + what + 1) * 12,
      ),
    ]);
  for (const [i, { values }] of (part?.tensors ?? []).entries()) assert.equal([...values], at(i >> 1, i % 2));
  const [moved] = await importFrom(config, [all], interleaved);
  assert.equal(
    moved?.tensors[2]?.values,
    reorderRope(Float32Array.from(at(1, 0)), 6, 1, 'half', 'interleaved'),
  );
  assert.equal([...(moved?.tensors[3]?.values ?? [])], at(1, 1));
});

t('biases: of every linear that has one, or of those with the update', async () => {
  const bias = (name: string, own = '') =>
    places(biased, name).map((site) =>
      tensor(`base_model.model.${site.huggingface}${own}.bias`, [site.output.groups * site.output.size]),
    );
  const config = { ...loraConfig, target_modules: ['q_proj', 'o_proj'], bias: 'lora_only' };
  const few = [...lowOf(2, 'wq', 'wo'), ...bias('wq', '.base_layer')];
  assert.equal(lines(await importFrom(config, few, biased)).slice(1), [
    'unfreeze biases on layers.attention.wq { of = biases }',
  ]);
  const all = { ...config, bias: 'all' };
  const parts = await importFrom(all, [...few, ...bias('wk'), ...bias('wv')], biased);
  assert.equal(lines(parts).slice(1), ['unfreeze biases on layers.attention.{wq, wk, wv} { of = biases }']);
  assert.match(await refusal(all, few, biased), /has no `model\.layers\.0\.self_attn\.k_proj\.bias`/);
  assert.match(await refusal({ ...config, bias: 'some' }, few, biased), /`bias` is "some"/);
});

t('modules_to_save: norms, the head and the embedding, which a tied base has in one', async () => {
  const config = { ...loraConfig, modules_to_save: ['lm_head', 'input_layernorm', 'embed_tokens'] };
  const [head, table] = [
    tensor('base_model.model.lm_head.weight', [17, 10]),
    tensor('base_model.model.model.embed_tokens.weight', [17, 10]),
  ];
  const norms = places(base, 'attention_norm').map(({ huggingface }) =>
    tensor(`base_model.model.${huggingface}.weight`, [10]),
  );
  const tensors = [...lowOf(2, 'wq', 'wv'), ...norms, head, table];
  const parts = await importFrom(config, tensors);
  assert.equal(lines(parts).slice(1), [
    'unfreeze saved on layers.attention_norm + tok_embeddings + output {  }',
  ]);
  assert.match(await refusal(config, tensors, tied), /`modules_to_save` .* both the embedding and the head/);
  const ensured = { ...config, ensure_weight_tying: true };
  assert.match(await refusal(ensured, tensors, tied), /the embedding and the head differ/);
  const one = [...lowOf(2, 'wq', 'wv'), ...norms, table, { ...table, name: head.name }];
  assert.equal(lines(await importFrom(ensured, one, tied)).slice(1), [
    'unfreeze saved on layers.attention_norm + tok_embeddings {  }',
  ]);
});

t('IA3: what multiplies on the side where no rescale does is a scale', async () => {
  const config = {
    peft_type: 'IA3',
    target_modules: ['k_proj', 'up_proj', 'down_proj'],
    feedforward_modules: ['up_proj'],
  };
  const factor = (name: string, shape: (site: Site) => number[]) =>
    places(base, name).map((site) => tensor(`base_model.model.${site.huggingface}.ia3_l`, shape(site)));
  const tensors = [
    ...factor('wk', () => [12, 1]),
    ...factor('w3', () => [1, 10]),
    ...factor('w2', () => [10, 1]),
  ];
  assert.equal(lines(await importFrom(config, tensors)), [
    'rescale factors on layers.attention.wk {  }',
    'scale entering on layers.feed_forward.w3 { side = input }',
    'scale leaving on layers.feed_forward.w2 {  }',
  ]);
  const usual = { ...config, feedforward_modules: ['down_proj'] };
  assert.match(await refusal(usual, tensors), /ia3_l` is \[10, 1\], the base needs \[1, 14\]/);
  assert.match(
    await refusal(config, tensors.slice(3)),
    /has no ia3_l of `model\.layers\.0\.self_attn\.k_proj`/,
  );
});

t('adaption prompts sit in the last layers', async () => {
  const config = {
    peft_type: 'ADAPTION_PROMPT',
    adapter_len: 4,
    adapter_layers: 2,
    target_modules: 'self_attn',
  };
  const tensors = [1, 2].flatMap((layer) => [
    tensor(`base_model.model.model.layers.${layer}.self_attn.adaption_prompt`, [1, 4, 10]),
    tensor(`base_model.model.model.layers.${layer}.self_attn.adaption_gate`, [1]),
  ]);
  assert.equal(lines(await importFrom(config, tensors)), [
    'prompt words on layers[1..2] { length = 4  gate = raw(init: 0, per: layer) }',
  ]);
  assert.match(
    await refusal({ ...config, adapter_layers: 4 }, tensors),
    /`adapter_layers` is 4, and `small` has 3/,
  );
});

const unknown: Readonly<Record<string, unknown>> = {
  init_lora_weights: 'pissa',
  lora_bias: true,
  fan_in_fan_out: true,
  layer_replication: [[0, 2]],
  target_parameters: ['experts'],
  use_qalora: true,
  use_bdlora: { nblocks: 2 },
  arrow_config: { top_k: 1 },
  alora_invocation_tokens: [3],
  trainable_token_indices: [7],
  loftq_config: { loftq_bits: 4 },
  a_key_of_a_later_release: 1,
};
for (const [key, value] of Object.entries(unknown))
  t(`\`${key}\` is refused by its name`, async () => {
    const tensors = lowOf(2, 'wq', 'wv');
    assert.ok(
      (await refusal({ ...loraConfig, [key]: value }, tensors)).includes(
        `\`${key}\` is ${JSON.stringify(value)}`,
      ),
    );
    const empty = key === 'init_lora_weights' ? [null, true, false, 'gaussian'] : [null, false, [], {}, ''];
    for (const idle of empty)
      assert.is((await importFrom({ ...loraConfig, [key]: idle }, tensors)).length, 1);
  });

t('other methods, and tensors that nothing accounts for', async () => {
  assert.match(await refusal({ peft_type: 'VERA' }, []), /`peft_type` is "VERA", which is not read here/);
  const more = tensor('base_model.model.model.norm.weight', [10]);
  assert.match(
    await refusal(loraConfig, [...lowOf(2, 'wq', 'wv'), more]),
    /holds model\.norm\.weight, which nothing in adapter_config\.json accounts for/,
  );
  assert.match(
    await refusal({ ...loraConfig, target_modules: ['embed_tokens'] }, [
      tensor('base_model.model.model.embed_tokens.lora_embedding_A', [2, 17]),
    ]),
    /`target_modules` has the embedding/,
  );
});

t.run();
