/**
 * What the methods promise, on the device: a base that is not changed at the start, gates that open, the same model in
 * either order of rotary rows. Oracles are other models, not numbers.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base, Model } from '../../compiler/model/model.ts';
import type { Device } from '../../runtime/device/device.ts';
import { initParameter } from '../../runtime/random.ts';
import { parameterNamed, readParameter } from '../../runtime/session.ts';
import { gradients, trainStep } from '../../runtime/train/trainer.ts';
import { reorderRope } from '../../runtime/weights/rope.ts';
import { answersAsTheWholePass, showsAndBuilds, SIZES, trainsThreeSteps } from './method-rows.ts';
import { packAll, inputsOf, givenFor, randomBatch } from './oracle.ts';
import { buildForward } from '../../compiler/build/programs.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { distance, forward, openModel, openTrainer, withDevice } from './sessions.ts';
import { fromLibrary, library, modelOf, randomValues, recipeFor, tiny, sourceOf } from './subjects.ts';

const t = suite('methods');
const tokens = randomBatch(fromLibrary('llama.adapter'), SIZES.batch, SIZES.tokens).tokens;

/** The base with random numbers, the parts as they start. */
function startOf(model: Model): Map<string, Float32Array> {
  const values = randomValues(model);
  for (const p of model.parameters) if (p.owner !== 'base') values.set(p.name, initParameter(p.init, p, 5));
  return values;
}

async function logits(
  device: Device,
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
): Promise<number[]> {
  const session = await openModel(device, model, values, { forward: SIZES });
  return (await forward(session, tokens)).flatMap((row) => [...row]);
}

/** Methods that begin somewhere else than at the base, by design. */
const elsewhere = new Set(['Prefix', 'PromptTuning', 'Ssf', 'Houlsby']);

for (const { name, model } of library())
  t(`${name} ${elsewhere.has(model.name) ? 'does not begin' : 'begins'} as the base, to the bit`, () =>
    withDevice(async (device) => {
      const plain = await logits(device, fromLibrary('llama.adapter'), startOf(fromLibrary('llama.adapter')));
      const adapted = await logits(device, model, startOf(model));
      assert.is(
        distance(adapted, plain) === 0,
        !elsewhere.has(model.name),
        `they differ by ${distance(adapted, plain)}`,
      );
      const moved = await logits(device, model, randomValues(model));
      if (model.parameters.some((p) => p.owner !== 'base'))
        assert.ok(distance(moved, plain) > 1e-2, 'parts with other numbers do change it');
    }),
  );

for (const { name, model } of library()) {
  t(`${name} can be shown and built`, () => showsAndBuilds(model));
  t(`${name} trains three steps of each task, and nothing else`, () =>
    withDevice((device) => trainsThreeSteps(device, model)),
  );
  t(`${name} answers as the whole pass does`, () =>
    withDevice((device) => answersAsTheWholePass(device, model, [null])),
  );
}

// Not to the bit: less is fused behind a scale or a narrow network, and SiLU rounds otherwise outside of a product.
for (const file of ['ssf.adapter', 'houlsby.adapter'])
  t(`${file} without spread begins as the base`, () =>
    withDevice(async (device) => {
      const [plain, model] = [fromLibrary('llama.adapter'), fromLibrary(file, { params: { spread: '0' } })];
      assert.ok(
        distance(await logits(device, model, startOf(model)), await logits(device, plain, startOf(plain))) <
          1e-5,
      );
    }),
  );

for (const gate of [
  'tanh(init: 0, per: head)',
  'tanh(init: 0, per: layer)',
  'raw(init: 0, per: head)',
  'raw(init: 0, per: layer)',
])
  t(`a closed gate learns first, then the prompt behind it: ${gate}`, () =>
    withDevice(async (device) => {
      const model = modelOf(
        `prompt w on layers[all] { length = 3  gate = ${gate} }\ntask train on some trains w`,
      );
      const trainer = await openTrainer(device, model, startOf(model), {
        recipe: recipeFor(model),
        training: { batch: 2, tokens: { train: SIZES.tokens } },
      });
      const batch = randomBatch(model, SIZES.batch, SIZES.tokens);
      const gradientOf = (name: string) =>
        readParameter(trainer.session, parameterNamed(trainer.session, name), 'gradients');
      await gradients(trainer, 'train', batch);
      for (const layer of [0, 1]) {
        assert.ok(
          (await gradientOf(`w.layers.${layer}.prompt`)).every((x) => x === 0),
          'nothing reaches the prompt through a closed gate',
        );
        assert.ok(
          (await gradientOf(`w.layers.${layer}.gate`)).every((x) => x !== 0),
          'every gate moves',
        );
      }
      await trainStep(trainer, 'train', [batch], 1e-2);
      await gradients(trainer, 'train', batch);
      for (const layer of [0, 1])
        assert.ok(
          (await gradientOf(`w.layers.${layer}.prompt`)).some((x) => x !== 0),
          'the prompt moves once the gate is open',
        );
    }),
  );

/** A model with one prompt in each layer behind this gate. */
const gated = (gate: string, length = 3) =>
  modelOf(`prompt w on layers[all] { length = ${length}  gate = ${gate} }\ntask train on some trains w`);

/** The same numbers under another gate: `to` gives the new gate from a number for each head. */
async function gatedLogits(
  device: Device,
  gate: string,
  to: (heads: Float32Array) => number[],
): Promise<number[]> {
  const model = gated(gate);
  const values = randomValues(gated('tanh(init: 0, per: head)'));
  for (const p of model.parameters)
    if (p.name.endsWith('.gate'))
      values.set(p.name, Float32Array.from(to(values.get(p.name) ?? new Float32Array())));
  return logits(device, model, values);
}

t('gates: tanh is raw of the tangent, a layer is all its heads, a constant is a gate nobody trains', () =>
  withDevice(async (device) => {
    const wide = 2e-5;
    const tanh = await gatedLogits(device, 'tanh(init: 0, per: head)', (g) => [...g]);
    const raw = await gatedLogits(device, 'raw(init: 0, per: head)', (g) => [...g].map(Math.tanh));
    assert.ok(distance(tanh, raw) < wide, `${distance(tanh, raw)}`);
    assert.ok(
      distance(tanh, await gatedLogits(device, 'raw(init: 0, per: head)', (g) => [...g])) > 1e-3,
      'without tanh it is another model',
    );
    const layer = await gatedLogits(device, 'tanh(init: 0, per: layer)', () => [0.7]);
    const heads = await gatedLogits(device, 'tanh(init: 0, per: head)', (g) => [...g].fill(0.7));
    assert.ok(distance(layer, heads) < wide, `${distance(layer, heads)}`);
    assert.ok(
      distance(layer, await gatedLogits(device, 'tanh(init: 0.7, per: const)', (g) => [...g])) < wide,
    );
    assert.ok(
      distance(layer, await gatedLogits(device, `raw(init: ${Math.tanh(0.7)}, per: const)`, (g) => [...g])) <
        wide,
    );
    const none = await gatedLogits(device, 'none', (g) => [...g]);
    assert.ok(
      distance(none, await gatedLogits(device, 'raw(init: 1, per: const)', (g) => [...g])) < wide,
      'no gate is a gate of one',
    );
    assert.ok(distance(tanh, heads) > 1e-3, 'every head has its own');
  }),
);

t('one prompt token is the softmax of one: the same as three equal tokens', () =>
  withDevice(async (device) => {
    const [one, three] = [gated('tanh(init: 0, per: head)', 1), gated('tanh(init: 0, per: head)', 3)];
    const values = randomValues(one);
    const repeated = new Map(
      [...values].map(([name, own]) => [
        name,
        name.endsWith('.prompt')
          ? Float32Array.from({ length: 3 * own.length }, (_, i) => own[i % own.length] ?? 0)
          : own,
      ]),
    );
    const [a, b] = [await logits(device, one, values), await logits(device, three, repeated)];
    assert.ok(distance(a, b) < 2e-5, `${distance(a, b)}`);
    assert.ok(distance(a, await logits(device, three, randomValues(three))) > 1e-3);
  }),
);

t('a low-rank update is part of the weight for words; for prompts only when it is asked for', () =>
  withDevice(async (device) => {
    const prompt = 'prompt w on layers[all] { length = 3 }';
    const items = (onPrompts: boolean) =>
      `lora l on layers.attention.{wk, wv} { rank = 2  alpha = 3  on_prompts = ${onPrompts} }\n${prompt}\ntask train on some trains w + l`;
    const [both, words] = [modelOf(items(true)), modelOf(items(false))];
    const values = randomValues(both);
    const merged = new Map(values);
    for (const layer of [0, 1])
      for (const site of [`layers.${layer}.attention.wk`, `layers.${layer}.attention.wv`]) {
        const [a, b] = [values.get(`l.${site}.a`) ?? [], values.get(`l.${site}.b`) ?? []];
        const own = values.get(`${site}.weight`) ?? new Float32Array();
        const update = (i: number) =>
          [0, 1].reduce(
            (sum, r) =>
              sum + (b[Math.floor(i / tiny.dim) * 2 + r] ?? 0) * (a[r * tiny.dim + (i % tiny.dim)] ?? 0),
            0,
          );
        merged.set(
          `${site}.weight`,
          own.map((x, i) => x + 1.5 * update(i)),
        );
      }
    const plain = await logits(device, modelOf(`${prompt}\ntask train on some trains w`), merged);
    assert.ok(distance(plain, await logits(device, both, values)) < 2e-5);
    assert.ok(
      distance(plain, await logits(device, words, values)) > 1e-3,
      'the prompts of the default go through the weight alone',
    );
  }),
);

/** Everything that lives on the output of wq or wk, in the other order of a head's rows. */
function permuted(
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  base: Base,
): Map<string, Float32Array> {
  return new Map(
    model.parameters.map((p) => {
      const own = values.get(p.name) ?? new Float32Array();
      const site = p.name.replace(/^\w+\.(?=layers\.)/, '');
      const moves = /attention\.w[qk](\.weight|\.b)?$/.test(site);
      const half = moves ? reorderRope(own, base.headDim, p.shape[1] ?? 1, 'interleaved', 'half') : own;
      return [p.name, half];
    }),
  );
}

t('half-split rotation with permuted rows is the interleaved model', () =>
  withDevice(async (device) => {
    const half: Base = { ...tiny, rope: { ...tiny.rope, style: 'half' } };
    const items = `prompt w on layers[all] { length = 3 }
      bias b on every linear in layers
      scale s on every linear in layers
      lora l on layers.attention.{wq, wk, wv} { rank = 2 }
      task train on some trains w + b + s + l`;
    const values = randomValues(modelOf(items));
    const interleaved = await logits(device, modelOf(items), values);
    const split = await logits(device, modelOf(items, half), permuted(modelOf(items), values, half));
    assert.ok(distance(interleaved, split) < 2e-5, `they differ by ${distance(interleaved, split)}`);
    assert.ok(
      distance(interleaved, await logits(device, modelOf(items, half), values)) > 1e-2,
      'rows that stay where they are give another model',
    );
  }),
);

t('grouped queries share consecutive heads: four keys that repeat two are the same model', () =>
  withDevice(async (device) => {
    const full: Base = { ...tiny, kvHeads: 4 };
    const items = 'prompt w on layers[all] { length = 3 }\ntask train on some trains w';
    const values = randomValues(modelOf(items));
    const repeated = new Map(
      [...values].map(([name, own]) => {
        if (!/attention\.w[kv]\.weight$/.test(name)) return [name, own];
        const head = tiny.headDim * tiny.dim;
        return [
          name,
          Float32Array.from(
            { length: 4 * head },
            (_, i) => own[Math.floor(i / head / 2) * head + (i % head)] ?? 0,
          ),
        ];
      }),
    );
    const [few, many] = [
      await logits(device, modelOf(items), values),
      await logits(device, modelOf(items, full), repeated),
    ];
    assert.ok(distance(few, many) < 2e-5, `they differ by ${distance(few, many)}`);
  }),
);

t('a prefix is keys and values: the first token attends to it as to words', () =>
  withDevice(async (device) => {
    // In float64, and on the device: the value of a prefix matters to the very first word.
    const model = fromLibrary('prefix.adapter', { base: { ...tiny, layers: 1 } });
    const values = randomValues(model);
    const graph = buildForward(
      sourceOf(model, new Set(model.tasks.flatMap((task) => task.trains))),
      SIZES,
    ).graph();
    const wanted = interpret(
      graph,
      givenFor(model, graph, packAll(model, values), inputsOf(model, graph, { tokens })),
    );
    const width = 16;
    const expected = wanted.get(graph.outputs[0]?.tensor ?? -1) ?? new Float64Array();
    const rows = await forward(await openModel(device, model, values, { forward: SIZES }), tokens);
    rows.forEach((row, r) =>
      assert.ok(distance(row, expected.subarray(r * width, r * width + row.length)) < 2e-5, `row ${r}`),
    );
  }),
);

t.run();
