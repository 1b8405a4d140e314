import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseParameters } from '../../compiler/families/sites.ts';
import { planBase } from '../../runtime/weights/base.ts';
import { asHuggingface, message, renamed, sourceOf, tiny, weightsOf } from './make.ts';

const t = suite('tensors of another model');

t('tells a model with more layers, without a head, with biases, or of other names', async () => {
  const tensors = weightsOf(tiny);
  const one = { ...tiny, layers: 1 };
  assert.match(
    await message(async () => planBase(await sourceOf(tensors), one, baseParameters(one))),
    /it has 2 layers, the base `tiny` declares 1/,
  );
  const headless = new Map(tensors);
  headless.delete('output.weight');
  assert.match(
    await message(async () => planBase(await sourceOf(headless), tiny, baseParameters(tiny))),
    /write `tied = true`/,
  );
  const biased = asHuggingface(tensors, tiny);
  biased.set('model.layers.0.self_attn.q_proj.bias', { shape: [12], values: new Float32Array(12) });
  assert.match(
    await message(async () => planBase(await sourceOf(biased), tiny, baseParameters(tiny))),
    /q_proj\.bias`: the base declares no such bias[^]*write `biases = \[wq\]` in the base/,
  );
  const gguf = renamed(tensors, (name) => `blk.${name}`);
  assert.match(
    await message(async () => planBase(await sourceOf(gguf), tiny, baseParameters(tiny))),
    /neither Meta's nor Hugging Face's/,
  );
});

t('a tensor of a layer that the base has no place for says what it would change', async () => {
  const foreign = async (name: string, tensors = asHuggingface(weightsOf(tiny), tiny)): Promise<string> => {
    tensors.set(name, { shape: [1], values: Float32Array.of(1) });
    return await message(async () => {
      const plan = planBase(await sourceOf(tensors), tiny, baseParameters(tiny));
      throw new Error(`nothing wrong, left over: ${plan.unexpected.join()}`);
    });
  };
  const layer = 'model.layers.1.';
  assert.match(
    await foreign(`${layer}self_attn.q_norm.weight`),
    /q_norm\.weight`: a norm of the queries, which the base/,
  );
  assert.match(await foreign(`${layer}post_feedforward_layernorm.weight`), /another norm, which the base/);
  assert.match(await foreign(`${layer}mlp.experts.0.up_proj.weight`), /one of several feed-forward networks/);
  assert.match(await foreign(`${layer}self_attn.sinks`), /takes part in every softmax/);
  assert.match(await foreign(`${layer}mlp.up_proj.weight_scale`), /part of a quantised weight/);
  assert.match(await foreign(`${layer}self_attn.strange`), /a place that the base does not have/);
  assert.match(await foreign('lm_head.bias'), /the base declares no such bias/);
  for (const harmless of [
    `${layer}self_attn.rotary_emb.inv_freq`,
    `${layer}self_attn.q_proj.lora_A.default.weight`,
    'vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight',
    'multi_modal_projector.linear_1.weight',
  ])
    assert.match(await foreign(harmless), /^nothing wrong/, harmless);
  // Under Meta's names an adapter lies beside the base.
  assert.match(await foreign('layers.1.attention.gate', weightsOf(tiny)), /^nothing wrong/);
});

t('tensors nobody asked for are listed', async () => {
  const tensors = weightsOf(tiny);
  tensors.set('adapter_query.weight', { shape: [1], values: Float32Array.of(1) });
  tensors.set('rope.freqs', { shape: [1], values: Float32Array.of(1) });
  const plan = planBase(await sourceOf(tensors), tiny, baseParameters(tiny));
  assert.equal(plan.unexpected, ['adapter_query.weight']);
});

t.run();
