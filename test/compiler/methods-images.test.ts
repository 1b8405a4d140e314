/**
 * What the methods that look at images promise, on the device: a base that is not changed at the start, training that
 * moves what a task trains and nothing else, answers with an image and without. Oracles are other models, not numbers.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageInputs } from '../../compiler/kinds/images.ts';
import { axis, type Model } from '../../compiler/model/model.ts';
import { makeDecoder, prefill, showImages } from '../../runtime/generate.ts';
import { initParameter } from '../../runtime/random.ts';
import { parameterNamed, readParameter } from '../../runtime/session.ts';
import { makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { answersAsTheWholePass, PROMPTS, showsAndBuilds, SIZES, trainsThreeSteps } from './method-rows.ts';
import { imageFor, randomBatch } from './oracle.ts';
import { distance, forward, openModel, withDevice } from './sessions.ts';
import { fromLibrary, imageLibrary, modelOf, randomValues, recipeFor, tiny } from './subjects.ts';

const t = suite('methods with images');

/** The base with random numbers, the parts as they start; what comes from a file is random too. */
function startOf(model: Model): Map<string, Float32Array> {
  const values = randomValues(model);
  for (const p of model.parameters)
    if (p.owner !== 'base' && p.init.kind !== 'weights') values.set(p.name, initParameter(p.init, p, 5));
  return values;
}

/** One image for each sequence, as the encoder's input; `seed` tells images apart. */
function imagesFor(model: Model, seed = 'image'): Float32Array {
  const [input] = imageInputs(model);
  assert.ok(input);
  const [rows, width] = [SIZES.batch * (input?.rows ?? 0), input?.width ?? 0];
  return Float32Array.from(imageFor({ name: seed, rows, axis: axis(width) }));
}

const flat = (rows: readonly Float32Array[]): number[] => rows.flatMap((row) => [...row]);

/** Methods whose image tokens stand in front of the words, so that an image changes everything at once. */
const inFront = (model: Model): boolean => model.parts.some((part) => part.input && part.source !== null);
/** Those that also have trained vectors there, image or not. */
const marked = (model: Model): boolean => model.parts.some((part) => part.input && part.source === null);

/** With a low-rank update behind a bias less is fused, and SiLU rounds otherwise outside of a product. */
const rounding = (model: Model): number =>
  ['bias', 'lora'].every((kind) => model.parts.some((part) => part.kind === kind)) ? 1e-5 : 0;

for (const { name, model } of imageLibrary()) {
  t(`${name} can be shown and built`, () => showsAndBuilds(model));

  t(`${name} begins as the base`, () =>
    withDevice(async (device) => {
      const plain = fromLibrary('llama.adapter');
      const { tokens } = randomBatch(plain, SIZES.batch, SIZES.tokens);
      const base = flat(
        await forward(await openModel(device, plain, startOf(plain), { forward: SIZES }), tokens),
      );
      const without = await openModel(device, model, startOf(model), { forward: SIZES });
      const blind = distance(flat(await forward(without, tokens)), base);
      assert.is(blind <= rounding(model), !marked(model), `without an image they differ by ${blind}`);
      const forwardImage = { ...SIZES, image: true };
      const seeing = await openModel(device, model, startOf(model), { forward: forwardImage });
      const seen = distance(flat(await forward(seeing, tokens, imagesFor(model))), base);
      assert.is(seen <= rounding(model), !inFront(model), `with an image they differ by ${seen}`);
      const moved = await openModel(device, model, randomValues(model), { forward: forwardImage });
      const [one, other] = [
        flat(await forward(moved, tokens, imagesFor(model, 'one'))),
        flat(await forward(moved, tokens, imagesFor(model, 'other'))),
      ];
      assert.ok(distance(one, other) > 1e-4, 'with other numbers, the image changes it');
    }),
  );

  t(`${name} trains three steps of each task, and nothing else`, () =>
    withDevice((device) => trainsThreeSteps(device, model, imagesFor(model))),
  );

  t(`${name} answers with an image and without, as the whole pass does`, () =>
    withDevice((device) => answersAsTheWholePass(device, model, [imagesFor(model), null])),
  );
}

/** The tokens that a projector makes of the images, [batch x length, dim]. */
async function tokensOf(
  device: Parameters<Parameters<typeof withDevice>[0]>[0],
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  part: string,
): Promise<Float32Array> {
  const session = await openModel(device, model, values, { encoding: { part, batch: SIZES.batch } });
  const program = session.executor.program(`encode:${part}`);
  const input = program.inputs.find((slice) => slice.name.startsWith('image.'))!;
  session.executor.write(input, imagesFor(model));
  const [tokens] = await session.executor.runAndRead([program.name], [program.outputs[0]!]);
  return tokens ?? new Float32Array();
}

t('one token that is added to a prompt is the prompt with that token added to each of its own', () =>
  withDevice(async (device) => {
    const model = fromLibrary('llama-adapter-v1-multimodal.adapter');
    const values = randomValues(model);
    const { tokens } = randomBatch(model, SIZES.batch, SIZES.tokens);
    const shown = await openModel(device, model, values, { forward: { ...SIZES, image: true } });
    const seen = await forward(shown, tokens, imagesFor(model));
    const visual = await tokensOf(device, model, values, 'visual');
    assert.is(visual.length, SIZES.batch * tiny.dim);
    const text = fromLibrary('llama-adapter-v1.adapter');
    for (let image = 0; image < SIZES.batch; image++) {
      const added = visual.subarray(image * tiny.dim, (image + 1) * tiny.dim);
      const moved = new Map(values);
      for (const p of text.parameters)
        if (p.name.endsWith('.prompt'))
          moved.set(
            p.name,
            (values.get(p.name) ?? new Float32Array()).map((x, i) => x + (added[i % tiny.dim] ?? NaN)),
          );
      const plain = await forward(await openModel(device, text, moved, { forward: SIZES }), tokens);
      const own = (rows: readonly Float32Array[]) =>
        flat(rows.slice(image * SIZES.tokens, (image + 1) * SIZES.tokens));
      assert.ok(distance(own(seen), own(plain)) < 2e-5, `image ${image}: ${distance(own(seen), own(plain))}`);
      assert.ok(distance(own(seen), own(await forward(shown, tokens, imagesFor(model, 'other')))) > 1e-3);
    }
  }),
);

t('image tokens in front of the words are soft prompts of those numbers', () =>
  withDevice(async (device) => {
    const model = fromLibrary('llava.adapter', { adapter: 'Llava' });
    const values = randomValues(model);
    const { tokens } = randomBatch(model, SIZES.batch, SIZES.tokens);
    const shown = await openModel(device, model, values, { forward: { ...SIZES, image: true } });
    const seen = await forward(shown, tokens, imagesFor(model));
    const visual = await tokensOf(device, model, values, 'visual');
    const each = visual.length / SIZES.batch;
    const soft = modelOf('prompt soft on input { length = 3 }\ntask train on some trains soft');
    for (let image = 0; image < SIZES.batch; image++) {
      const moved = new Map([...values, ['soft.prompt', visual.slice(image * each, (image + 1) * each)]]);
      const plain = await forward(await openModel(device, soft, moved, { forward: SIZES }), tokens);
      const own = (rows: readonly Float32Array[]) =>
        flat(rows.slice(image * SIZES.tokens, (image + 1) * SIZES.tokens));
      assert.ok(distance(own(seen), own(plain)) < 2e-5, `image ${image}`);
    }
  }),
);

t('the factor of V2.1 multiplies the gate, and its low-rank updates leave the prompts alone', () =>
  withDevice(async (device) => {
    const model = fromLibrary('v2-released-7b.adapter', { adapter: 'V21' });
    assert.is(model.parts.find((part) => part.name === 'low')?.fields['alpha'], null);
    const values = randomValues(model);
    const { tokens } = randomBatch(model, SIZES.batch, SIZES.tokens);
    const run = async (changed: ReadonlyMap<string, Float32Array>) =>
      flat(
        await forward(
          await openModel(device, model, changed, { forward: { ...SIZES, image: true } }),
          tokens,
          imagesFor(model),
        ),
      );
    const factor = [...values.keys()].find((name) => name.endsWith('gate_factor')) ?? '';
    assert.match(factor, /^words\.layers\.1/);
    const gate = factor.replace('_factor', '');
    // Twice the factor is a gate of twice the tangent.
    const doubled = new Map(values).set(factor, Float32Array.of(0.5));
    const single = new Map(values).set(factor, Float32Array.of(1));
    single.set(
      gate,
      (values.get(gate) ?? new Float32Array()).map((g) => Math.atanh(0.5 * Math.tanh(g))),
    );
    assert.ok(distance(await run(doubled), await run(single)) < 2e-5);
    assert.ok(distance(await run(doubled), await run(values)) > 1e-3);
  }),
);

t('what a text task learns does not reach the image, and prefilling looks at one image a sequence', () =>
  withDevice(async (device) => {
    const model = fromLibrary('llama-adapter-v2-multimodal.adapter', { adapter: 'V2' });
    const generation = { batch: 2, tokens: 4, context: 8, image: true };
    const session = await openModel(device, model, randomValues(model), {
      recipe: recipeFor(model),
      training: { batch: 2, tokens: { caption: 6, instruct: 6 } },
      generation,
    });
    const d = makeDecoder(session, { image: true });
    const images = imagesFor(model);
    showImages(d, images);
    const twice = [PROMPTS[0] ?? [], PROMPTS[0] ?? []];
    const [first, second] = await prefill(d, twice);
    assert.ok(distance(first ?? [], second ?? []) > 1e-4, 'two images, two answers');
    const half = images.length / 2;
    showImages(d, Float32Array.from([...images.subarray(half), ...images.subarray(0, half)]));
    const [turned] = await prefill(d, twice);
    assert.ok(distance(turned ?? [], second ?? []) < 1e-5, 'the second image in the first place');
    const trainer = makeTrainer(session);
    const seeing = model.tasks.find((task) => task.name === 'caption')?.trains ?? [];
    const read = async () =>
      Promise.all(seeing.map((name) => readParameter(session, parameterNamed(session, name))));
    const before = await read();
    await trainStep(trainer, 'instruct', [randomBatch(model, 2, 6)], 0.1);
    assert.equal(await read(), before);
  }),
);

t.run();
