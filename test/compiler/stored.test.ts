/**
 * Bases whose frozen matrices are stored in fewer bits: training programs on the device against float64 on the numbers
 * that the stored words stand for, with the bounds of unstored ones, and where everything lies.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../compiler/compile.ts';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { storages } from '../../compiler/storage/index.ts';
import { parameterNamed, readParameter } from '../../runtime/session.ts';
import { unpack } from '../../runtime/weights/pack.ts';
import { checkModel, storedNumbers } from './on-device.ts';
import { distance, forward, openModel, withDevice } from './sessions.ts';
import { modelOf, odd, randomValues, tiny } from './subjects.ts';

const t = suite('stored weights');
const packed = storages.filter((storage) => storage !== 'f32');

/** Wider than a block of 64 numbers and no multiple of one, with heads of 18 that are padded to 20. */
const wide: Base = { ...tiny, name: 'wide', dim: 72, headDim: 18, ffn: 70, vocab: 67 };

const items: Readonly<Record<string, string>> = {
  'prompts, biases and scales':
    'prompt w on layers[all] { length = 3 }\nbias b on every linear in layers\nscale s on every linear in layers\ntask train on some trains w + b + s',
  'LoRA, and one linear unfrozen':
    'lora l on layers.attention.{wq, wv} { rank = 2 }\nunfreeze u on layers[0].feed_forward.w1\ntask train on some trains l + u',
  DoRA: 'lora l on layers.attention.{wq, wv} { rank = 2  dora = true }\ntask train on some trains l',
  'a soft prompt': 'prompt w on input { length = 3 }\ntask train on some trains w',
};
const profiles: readonly (Profile | null)[] = [
  null,
  { device: 'software', subgroup: null },
  { device: 'gpu', subgroup: null },
];

for (const store of packed)
  for (const [i, [name, text]] of Object.entries(items).entries())
    for (const profile of i === 0 ? profiles : [null])
      // Widths that cut a block matter to formats that have blocks.
      for (const base of store === 'f16' || store === 'bf16'
        ? [{ ...odd, tied: true }]
        : [wide, { ...odd, tied: true }])
        t(
          `${store}, ${name}, ${base.name}, ${profile ? `${profile.device} without subgroups` : 'own profile'}`,
          () => withDevice((device) => checkModel(device, modelOf(text, { ...base, store }), profile)),
        );

const own = { device: 'software', subgroup: 8 } as const;
const compiled = (model: Model) =>
  compile(model, { profile: own, training: { batch: 1, tokens: { train: 4 } } }).manifest;

t('matrices of the base are stored; norms, biases, adapters and what is trained are f32', () => {
  const base: Base = { ...wide, store: 'q8', biases: ['wq'] };
  const model = modelOf(items['LoRA, and one linear unfrozen'] ?? '', base);
  const { parameters } = compiled(model);
  const stored = parameters.filter(({ storage }) => storage === 'q8').map(({ name }) => name);
  const matrices = model.parameters.filter(({ owner, axes }) => owner === 'base' && axes.length === 2);
  assert.equal(
    stored.toSorted(),
    matrices
      .map(({ name }) => name)
      .filter((name) => name !== 'layers.0.feed_forward.w1.weight')
      .toSorted(),
  );
  assert.ok(parameters.every(({ storage }) => storage === 'q8' || storage === undefined));
});

t('the weights take the bits that each format says', () => {
  // Rows of 128 numbers are two whole blocks, so nothing is padded.
  const base: Base = { ...tiny, dim: 128, heads: 4, headDim: 32, kvHeads: 4, ffn: 256, vocab: 64 };
  const bits = { f32: 32, f16: 16, bf16: 16, q8: 8.5, q4: 4.5 };
  for (const store of storages) {
    const { parameters } = compiled(modelOf(items['a soft prompt'] ?? '', { ...base, store }));
    for (const { name, shape, owner, slice } of parameters)
      if (owner === 'base' && shape.length === 2)
        assert.is((8 * slice.size) / (shape[0]! * shape[1]!), bits[store], name);
  }
});

t('a stored parameter is read back as the numbers that kernels read, and f32 is not changed', () =>
  withDevice(async (device) => {
    for (const store of storages) {
      const model = modelOf(items['a soft prompt'] ?? '', { ...wide, store });
      const values = randomValues(model);
      const session = await openModel(device, model, values, { forward: { batch: 1, tokens: 4 } });
      const wanted = storedNumbers(model, values);
      for (const { name, shape, axes } of model.parameters) {
        const numbers = unpack(Float32Array.from(wanted.get(name) ?? []), shape, axes);
        const read = await readParameter(session, parameterNamed(session, name));
        assert.is(distance(read, numbers), 0, `${store}: ${name}`);
        if (store === 'f32') assert.is(distance(read, values.get(name) ?? []), 0);
      }
    }
  }),
);

t('what is computed changes by little in 16 bits, by more in 8 and by most in 4', () =>
  withDevice(async (device) => {
    const tokens = Uint32Array.from([3, 1, 4, 1, 5]);
    const logits = async (store: Base['store'] & string) => {
      const model = modelOf(items['a soft prompt'] ?? '', { ...wide, store });
      const session = await openModel(device, model, randomValues(model), {
        forward: { batch: 1, tokens: 5 },
      });
      return (await forward(session, tokens)).flatMap((row) => [...row]);
    };
    const exact = await logits('f32');
    const off = new Map<string, number>();
    for (const store of packed) off.set(store, distance(await logits(store), exact));
    const of = (store: string) => off.get(store) ?? NaN;
    assert.ok(of('f16') > 0 && of('f16') < of('bf16') && of('bf16') < of('q4') && of('q8') < of('q4'));
  }),
);

t('a number that a format has no room for is refused by name', () =>
  withDevice(async (device) => {
    const model = modelOf(items['a soft prompt'] ?? '', { ...wide, store: 'f16' });
    const values = randomValues(model);
    values.get('layers.1.attention.wk.weight')![5] = 7e4;
    try {
      await openModel(device, model, values, { forward: { batch: 1, tokens: 4 } });
      assert.unreachable();
    } catch (error) {
      assert.match(
        (error as Error).message,
        /`layers\.1\.attention\.wk\.weight` holds 70000 at element 5; stored as f16/,
      );
    }
  }),
);

t('how a base is stored is among the attributes of results, and f32 is as not stated', () => {
  const attributes = (store?: Base['store']) =>
    attributesOf(modelOf(items['a soft prompt'] ?? '', { ...wide, ...(store ? { store } : {}) })).base;
  assert.is(attributes('q4')['store'], 'q4');
  assert.is('store' in attributes(), false);
});

t.run();
