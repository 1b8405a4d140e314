/** The optimizer's kernels against their references, and what they do when something is not finite. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BLOCK, PARTIALS } from '../../compiler/graph/graph.ts';
import { emit } from '../../compiler/wgsl/emit.ts';
import { type Given, checkFamilies, makeCase, profilesOf, random, shape, vector } from './cases.ts';
import { openTestDevice, runNode } from './harness.ts';

const device = await openTestDevice();
const t = suite('optimizer');
const ADAMW = { cell: 1, beta1: 0.9, beta2: 0.98, eps: 1e-8 };
/** lossScale, lr, clip, first, then two cells of two bias corrections. */
const STEPS = [1, 0.01, 0.5, 0, 7, 8, 1 / (1 - 0.9 ** 3), 1 / (1 - 0.98 ** 3)];
const step = (changes: Readonly<Record<number, number>> = {}) => vector(STEPS.map((x, i) => changes[i] ?? x));
const positive = (given: Given): Given => ({
  ...given,
  values: (given.values ?? new Float64Array()).map(Math.abs),
});
/** `value` put at `index`. */
const spoil = (given: Given, index: number, value: number): Given => ({
  ...given,
  values: (given.values ?? new Float64Array()).map((x, i) => (i === index ? value : x)),
});

if (!device) t.skip('no device', () => undefined);
else {
  t('sumSquares: the partials add up', async () => {
    for (const blocks of [1, 3, 16, 1000]) {
      const made = makeCase('sumSquares', [random(1, blocks * BLOCK)], [shape(1, PARTIALS)], {});
      const wanted = (made.inputs[0] ?? new Float64Array()).reduce((sum, x) => sum + x * x, 0);
      for (const [partials] of await checkFamilies(device, made, { ignore: [0] })) {
        const got = (partials ?? new Float64Array()).reduce((sum, x) => sum + x, 0);
        assert.ok(Math.abs(got / wanted - 1) < 2e-6, `${got}, wanted ${wanted}`);
      }
    }
  });

  const partials = (count: number) => Array.from({ length: count }, () => positive(random(1, PARTIALS)));
  const norm = [shape(1, 4)];

  for (const count of [1, 2, 6, 7, 13])
    t(`gradNorm of ${count} cells`, async () => {
      for (const clip of [0, 0.5, 1000]) {
        const made = makeCase('gradNorm', [...partials(count), step({ 2: clip })], norm, {});
        await checkFamilies(device, made, { relative: 2e-6, absolute: 1e-9 });
      }
    });

  t('NaN or infinity anywhere reaches the flag', async () => {
    for (const bad of [NaN, Infinity])
      for (const index of [0, 77, 16 * BLOCK - 1]) {
        const squares = makeCase(
          'sumSquares',
          [spoil(random(1, 16 * BLOCK), index, bad)],
          [shape(1, PARTIALS)],
          {},
        );
        for (const [values] of await checkFamilies(device, squares, { ignore: [0] })) {
          const first: Given = { ...shape(1, PARTIALS), values: values ?? new Float64Array() };
          for (const others of [1, 6]) {
            const made = makeCase('gradNorm', [first, ...partials(others), step()], norm, {});
            for (const [result] of await checkFamilies(device, made, { ignore: [0] }))
              assert.is(result?.[2], 0);
          }
        }
      }
  });

  const adamwCase = (n: number, health: readonly number[], gradients = random(1, n)) =>
    makeCase(
      'adamw',
      [
        random(1, n),
        gradients,
        random(1, n, 0.1),
        positive(random(1, n, 0.1)),
        random(1, (2 * n) / BLOCK),
        vector(health),
        step(),
      ],
      [0, 2, 3],
      ADAMW,
    );

  for (const blocks of [1, 3, 129])
    t(`adamw of ${blocks} blocks`, async () => {
      // Roundings of the update, relative to numbers of about 1; 1 - beta2 is rounded to f32 in both.
      await checkFamilies(device, adamwCase(blocks * BLOCK, [3, 0.25, 1, 0]), {
        relative: 2e-6,
        absolute: 2e-7,
      });
    });

  t('adamw does nothing when the norm is not finite', async () => {
    const n = 3 * BLOCK;
    const made = adamwCase(n, [NaN, NaN, 0, 0], spoil(random(1, n), 5, NaN));
    for (const [p, m, v] of await checkFamilies(device, made, { relative: 0, absolute: 0 })) {
      assert.equal([p, m, v], [made.inputs[0], made.inputs[2], made.inputs[3]]);
    }
  });

  t('adamw gives the same bits each time', async () => {
    const made = adamwCase(20 * BLOCK, [3, 0.25, 1, 0]);
    for (const profile of profilesOf(device)) {
      const launches = emit(made.node, made.graph, profile);
      const [first, second] = [0, 1].map(() => runNode(made.node, made.graph, made.inputs, launches, device));
      assert.equal(await first, await second);
    }
  });

  t('accumulate adds, and starts anew over whatever was there', async () => {
    for (const blocks of [1, 33]) {
      const [g, sum] = [random(1, blocks * BLOCK), random(1, blocks * BLOCK)];
      await checkFamilies(device, makeCase('accumulate', [g, sum, step()], [1], {}), {
        relative: 2e-6,
        absolute: 1e-9,
      });
      const first = makeCase('accumulate', [g, spoil(sum, 3, NaN), step({ 3: 1 })], [1], {});
      for (const [result] of await checkFamilies(device, first, { ignore: [0] }))
        assert.equal(result, g.values);
    }
  });
}

t.run();
