/** The figures of the papers, recomputed: nothing is allocated, so 65B costs nothing. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { countModel } from '../../compiler/model/counts.ts';
import { lowerModel } from '../../compiler/model/lower.ts';
import { nodeHost } from '../../runtime/cli/host-node.ts';

const t = suite('counts');
const specs = join(import.meta.dirname, '../../specs');
const bases = nodeHost.readFile(join(specs, 'bases.adapter')) ?? '';

/** Numbers in each part of an adapter with these items, on the base of that name. */
function countsOn(
  base: string,
  items: string,
): { readonly base: number; readonly parts: Record<string, number> } {
  const host = memoryHost({
    'bases.adapter': bases,
    'x.adapter': `import "bases.adapter"\nadapter X on ${base} {\n${items}\n}`,
  });
  const counts = countModel(lowerModel(checkSpec('x.adapter', host)));
  return { base: counts.base, parts: Object.fromEntries(counts.parts.map((p) => [p.part, p.numbers])) };
}

const table = {
  llama7b: {
    base: 6_738_415_616,
    bias: 1_359_872,
    output: 2_719_744,
    input: 2_498_560,
    norms: 266_240,
    chat: 2_764_800,
  },
  llama13b: {
    base: 13_015_864_320,
    bias: 2_129_920,
    output: 4_259_840,
    input: 3_911_680,
    norms: 414_720,
    chat: 4_326_400,
  },
  llama65b: {
    base: 65_285_660_672,
    bias: 6_799_360,
    output: 13_598_720,
    input: 12_492_800,
    norms: 1_318_912,
    chat: 13_811_712,
  },
};

for (const [name, expected] of Object.entries(table)) {
  t(`biases, scales and norms of ${name}`, () => {
    const { base, parts } = countsOn(
      name,
      `bias b on every linear in layers
       scale out on every linear in layers
       scale inside on every linear in layers { side = input }
       unfreeze norms on every norm`,
    );
    const { b = 0, out = 0, inside = 0, norms = 0 } = parts;
    assert.equal(
      { base, bias: b, output: b + out, input: b + inside, norms, chat: b + inside + norms },
      { ...expected, chat: expected.input + expected.norms },
    );
  });
}

t('the chat model of 65B is the 14M of the paper', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'v2-chat65b.adapter'), nodeHost), 'V2Chat'));
  // The figure counts the final norm, 8192 numbers, which the released code leaves frozen.
  assert.is(counts.trained + 8192, 13_811_712);
});

t('version 1 trains 1.2M', () => {
  const { parts } = countsOn('llama7b', 'prompt words on layers[last 30] { length = 10 }');
  assert.is(parts['words'], 1_228_800 + 30 * 32);
});

t('LoRA of rank 16 on all linears of 7B', () => {
  const { parts } = countsOn('llama7b', 'lora low on every linear in layers { rank = 16 }');
  assert.is(parts['low'], 39_976_960);
});

t('the adapter V2 of litgpt on 7B', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'litgpt-adapter-v2.adapter'), nodeHost)));
  assert.is(counts.trained, 4_279_744);
});

t('the second stage of the released model', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'v2-released.adapter'), nodeHost)));
  assert.is(counts.tasks.find((task) => task.name === 'instruct')?.numbers, 1_363_968);
});

t('a projector of one linear layer from CLIP', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'llava.adapter'), nodeHost)));
  assert.is(counts.parts.find((part) => part.part === 'visual')?.numbers, 3_149_824);
});

t('the whole base can be trained', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'pretrain.adapter'), nodeHost)));
  assert.is(counts.trained, 6_738_415_616);
});

t.run();
