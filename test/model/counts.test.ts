/** The figures of the papers, recomputed: nothing is allocated, so 65B costs nothing. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';

const t = suite('counts');
const specs = join(import.meta.dirname, '../../specs');
const bases = nodeSpecs.readFile(join(specs, 'bases.adapter')) ?? '';

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
  const checked = checkSpec(join(specs, 'v2-chat65b.adapter'), nodeSpecs);
  assert.equal(Object.keys(checked.adapters), ['V2Chat'], 'the release has no prompts');
  assert.is(countModel(lowerModel(checked)).trained, 13_811_712);
});

t('the chat model with its prompts switched on trains ten tokens and a gate for each head more', () => {
  const checked = checkSpec(join(specs, 'v2-chat65b-prompted.adapter'), nodeSpecs);
  const { trained } = countModel(lowerModel(checked, 'V2ChatPrompted'));
  assert.is(trained, 13_811_712 + 30 * (10 * 8192 + 64));
});

t('version 1 trains 1.2M', () => {
  const { parts } = countsOn('llama7b', 'prompt words on layers[last 30] { length = 10 }');
  assert.is(parts['words'], 1_228_800 + 30 * 32);
});

t('LoRA of rank 16 on all linears of 7B', () => {
  const { parts } = countsOn('llama7b', 'lora low on every linear in layers { rank = 16 }');
  assert.is(parts['low'], 39_976_960);
});

t('the adapters of Houlsby on 7B: two narrow networks a layer, and the norms', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'houlsby.adapter'), nodeSpecs)));
  assert.is(counts.trained, 32 * 2 * (2 * 64 * 4096 + 64 + 4096) + 266_240);
});

t('the adapter V2 of litgpt on 7B', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'litgpt-adapter-v2.adapter'), nodeSpecs)));
  assert.is(counts.trained, 4_279_744);
});

t('the second stage of the released model', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'v2-released.adapter'), nodeSpecs)));
  assert.is(counts.tasks.find((task) => task.name === 'instruct')?.numbers, 1_363_968);
});

/** Counts of one adapter of the library on its own base. */
const countsOf = (file: string, adapter: string, params: Readonly<Record<string, string>> = {}) =>
  countModel(lowerModel(checkSpec(join(specs, file), nodeSpecs, { params }), adapter));
const numbers = (counts: ReturnType<typeof countsOf>, part: string): number =>
  counts.parts.find((p) => p.part === part)?.numbers ?? NaN;

t('a projector of one linear layer: of what CLIP projects to, and of its blocks', () => {
  const { parts } = countsOn(
    'llama7b',
    `encoder vision { model = clip("openai/clip-vit-large-patch14") }
     project visual from vision { length = 20 }`,
  );
  assert.is(parts['visual'], 768 * 4096 + 4096);
  // openai/CLIP, ViT-L/14: what `visual` holds.
  assert.is(parts['vision'], 303_966_208);
  assert.is(numbers(countsOf('llava.adapter', 'Llava'), 'visual'), 1024 * 4096 + 4096);
  assert.is(numbers(countsOf('llava.adapter', 'Llava15'), 'visual'), 20_979_712);
});

t('version 1 with images comes to the counts of table 4, by a guessed projector', () => {
  const counts = [10, 20, 30].map(
    (layers) =>
      countsOf('llama-adapter-v1-multimodal.adapter', 'LlamaAdapterV1Multimodal', {
        late: `last ${layers}`,
      }).trained,
  );
  // The shape of the projector is not published: within a hundredth of a million of 0.97, 1.37 and 1.79.
  assert.equal(counts, [971_140, 1_381_060, 1_790_980]);
  const table = [0.97e6, 1.37e6, 1.79e6];
  counts.forEach((count, i) => assert.ok(Math.abs(count - (table[i] ?? 0)) < 1.2e4));
});

t('both stages of the released model, with its images', () => {
  const counts = countsOf('v2-released-7b.adapter', 'V2Multimodal');
  const stage = (name: string) => counts.tasks.find((task) => task.name === name)?.numbers;
  // The released code has a gate in layer 0 too, which no prompt goes through: 32 numbers.
  assert.is(stage('align'), 61_731_584 - 32);
  assert.is(stage('instruct'), 1_363_968);
  const second = countsOf('v2-released-7b.adapter', 'V21');
  assert.is(second.tasks.find((task) => task.name === 'instruct')?.numbers, 1_363_968 + 39_976_960);
  assert.is(numbers(second, 'words') - numbers(counts, 'words'), 31, 'a factor for each gated layer');
});

t('the bridge of ImageBind-LLM', () => {
  const counts = countsOf('imagebind-llm.adapter', 'ImageBind');
  assert.is(numbers(counts, 'visual'), 608_190_464);
});

t('a frozen query transformer costs a task nothing', () => {
  const counts = countsOf('minigpt-4-style.adapter', 'MiniGpt4Style');
  assert.is(counts.trained, 768 * 4096 + 4096 + 2 * 4096);
  assert.equal(counts.parts.find((part) => part.part === 'former')?.tasks, []);
});

t('the whole base can be trained', () => {
  const counts = countModel(lowerModel(checkSpec(join(specs, 'pretrain.adapter'), nodeSpecs)));
  assert.is(counts.trained, 6_738_415_616);
});

t.run();
