/** Elementwise kernels, gates and rotary embedding against their references, in every family. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Activation, Gate } from '../../compiler/graph/graph.ts';
import { axis } from '../../compiler/model/model.ts';
import { erf } from '../../compiler/ops/activate.ts';
import { plainFrequencies } from '../../compiler/families/rotary.ts';
import { ropeTable } from '../../compiler/package/constants.ts';
import { emit } from '../../compiler/wgsl/emit.ts';
import { type Given, checkFamilies, makeCase, profilesOf, random, shape, vector, words } from './cases.ts';
import { openTestDevice } from './harness.ts';

const device = await openTestDevice();
const t = suite('maps');
/** A few roundings of f32 (6e-8 each); the absolute part is for sums that cancel. */
const ROUNDED = { relative: 2e-6, absolute: 2e-7 };
/** exp of the device is good to 4e-6. */
const WITH_EXP = { relative: 1e-5, absolute: 1e-7 };

/** Slopes are sums of two parts which may cancel; that of geluTanh has 1 - tanh^2 times up to 20. */
const SLOPES = { relative: 1e-5, absolute: 4e-6 };
/** The bounds of gelu are those its polynomials were fitted for; tanh loses digits in 1 + tanh. */
const SWEPT = {
  gelu: { relative: 2e-7, absolute: 2.5e-7 },
  geluTanh: { relative: 1e-6, absolute: 1e-6 },
  quickGelu: WITH_EXP,
  silu: WITH_EXP,
  relu: { relative: 0, absolute: 0 },
};

const SHAPES = [
  ...[1, 3, 4, 7, 33, 130, 1000].map((size) => [5, axis(size)] as const),
  ...[1, 64, 129].map((rows) => [rows, axis(7, 3)] as const),
];

if (!device) t.skip('no device', () => undefined);
else {
  for (const [rows, ax] of SHAPES) {
    const label = `[${rows}, ${ax.groups}x${ax.size}]`;
    const some = (scale = 1) => random(rows, ax, scale);

    t(`add, addBias, mulScale, copy ${label}`, async () => {
      const out = shape(rows, ax);
      await checkFamilies(device, makeCase('add', [some(), some()], [out], {}), ROUNDED);
      await checkFamilies(device, makeCase('addBias', [some(), random(1, ax)], [out], {}), ROUNDED);
      await checkFamilies(device, makeCase('mulScale', [some(), random(1, ax)], [out], {}), ROUNDED);
      await checkFamilies(device, makeCase('copy', [some()], [out], {}), { relative: 0, absolute: 0 });
    });

    t(`siluMul and its gradients ${label}`, async () => {
      const [out, other] = [shape(rows, ax), shape(rows, ax)];
      // Arguments to +-120: exp(120) is beyond f32.
      await checkFamilies(device, makeCase('mul', [some(), some()], [out], {}), ROUNDED);
      for (const cap of [0.5, 30]) {
        const attrs = { cap };
        // The device's tanh is good to 2e-6.
        const bounds = { relative: 5e-6, absolute: 5e-6 * cap };
        await checkFamilies(device, makeCase('softCap', [some(120)], [out], attrs), bounds);
        await checkFamilies(device, makeCase('softCapGrad', [some(), some(cap / 8)], [out], attrs), ROUNDED);
      }
      await checkFamilies(device, makeCase('siluMul', [some(120), some()], [out], {}), WITH_EXP);
      for (const outputs of [
        [out, other],
        [out, null],
        [null, other],
      ])
        await checkFamilies(
          device,
          makeCase('siluMulGrad', [some(), some(8), some()], outputs, {}),
          WITH_EXP,
        );
    });
  }

  for (const fn of ['gelu', 'geluTanh', 'quickGelu', 'silu', 'relu'] as const)
    t(`activate by ${fn}, and its gradient`, async () => {
      const attrs = { function: fn };
      for (const [rows, ax] of SHAPES) {
        const out = shape(rows, ax);
        await checkFamilies(device, makeCase('activate', [random(rows, ax, 8)], [out], attrs), SWEPT[fn]);
        const made = makeCase('activateGrad', [random(rows, ax), random(rows, ax, 8)], [out], attrs);
        await checkFamilies(device, made, SLOPES);
      }
    });

  t('activations everywhere: near zero, in the tails, far out', async () => {
    for (const [fn, bounds] of Object.entries(SWEPT) as [Activation, typeof WITH_EXP][])
      for (const scale of [0.01, 6, 14, 200, 1e5]) {
        const attrs = { function: fn };
        const x = random(64, 160, scale);
        await checkFamilies(device, makeCase('activate', [x], [shape(64, 160)], attrs), bounds);
        const made = makeCase('activateGrad', [random(64, 160), x], [shape(64, 160)], attrs);
        await checkFamilies(device, made, SLOPES);
      }
  });

  t('the error function in gelu is good to 2.5e-7, with the rounding of the product', async () => {
    const points = Array.from({ length: 4000 }, (_, i) => Math.fround((i + 0.5) / 500 - 4));
    const made = makeCase('activate', [vector(points)], [shape(1, 4000)], { function: 'gelu' });
    for (const [y] of await checkFamilies(device, made, SWEPT.gelu))
      points.forEach((x, i) => {
        const wrong = (2 * (y?.[i] ?? NaN)) / x - 1 - erf(x / Math.SQRT2);
        assert.ok(Math.abs(wrong) <= 2.5e-7, `erf(${x / Math.SQRT2}) is wrong by ${wrong}`);
      });
  });

  t('NaN passes through activations, and relu has no slope at 0', async () => {
    for (const fn of ['gelu', 'geluTanh', 'quickGelu', 'silu', 'relu'] as const) {
      const attrs = { function: fn };
      const x = vector([NaN, 0, 1, -1]);
      for (const [y] of await checkFamilies(
        device,
        makeCase('activate', [x], [shape(1, 4)], attrs),
        WITH_EXP,
      ))
        assert.ok(Number.isNaN(y?.[0]) && y?.[1] === 0, fn);
    }
    const made = makeCase('activateGrad', [vector([1, 1, 1, 1]), vector([0, -0, 1, -1])], [shape(1, 4)], {
      function: 'relu',
    });
    for (const [dx] of await checkFamilies(device, made, ROUNDED))
      assert.equal([...(dx ?? [])], [0, 0, 1, 0]);
  });

  t('one tensor in two slots is bound once', async () => {
    const x = random(5, axis(7, 3));
    await checkFamilies(device, makeCase('add', [x, x], [shape(5, x.axis)], {}), ROUNDED);
    await checkFamilies(device, makeCase('siluMul', [x, x], [shape(5, x.axis)], {}), WITH_EXP);
    await checkFamilies(
      device,
      makeCase('gateAdd', [x, x, null], [shape(5, x.axis)], { function: 'raw', per: 'layer', constant: 2 }),
      ROUNDED,
    );
  });

  t('copy keeps the bits of whole numbers', async () => {
    const x = words([0xffffffff, 0x7fc00001, 1, 0x80000000, 7]);
    await checkFamilies(device, makeCase('copy', [x], [{ rows: 1, axis: x.axis, dtype: 'u32' }], {}), {
      relative: 0,
      absolute: 0,
    });
  });

  const gates: Gate[] = (['tanh', 'raw'] as const).flatMap((fn) =>
    (['head', 'layer'] as const).map((per): Gate => ({ function: fn, per, constant: 0.75 })),
  );
  for (const attrs of gates)
    t(`gate ${attrs.function} a ${attrs.per}`, async () => {
      for (const [rows, ax] of [
        [5, axis(7, 3)],
        [129, axis(8, 4)],
        [1, axis(6, 5)],
        [64, axis(33)],
      ] as const) {
        const gate = random(1, attrs.per === 'head' ? ax.groups : 1, 3);
        const out = shape(rows, ax);
        for (const g of [gate, null]) {
          await checkFamilies(
            device,
            makeCase('gateAdd', [random(rows, ax), random(rows, ax), g], [out], attrs),
            ROUNDED,
          );
          await checkFamilies(device, makeCase('gateMul', [random(rows, ax), g], [out], attrs), ROUNDED);
        }
        // 1 - tanh^2 loses digits where tanh is near 1: the error is 6e-8 of the sum, not of the slope.
        const made = makeCase('gateGrad', [random(1, ax), gate], [shape(1, gate.axis)], attrs);
        await checkFamilies(device, made, { relative: 2e-6, absolute: 2e-6 });
      }
    });

  t('a gate far out is 1, a gate that is NaN stays NaN', async () => {
    const attrs: Gate = { function: 'tanh', per: 'head', constant: 0 };
    const gate: Given = { rows: 1, axis: axis(3), values: Float64Array.of(200, -200, NaN, 0) };
    const made = makeCase('gateMul', [random(2, axis(4, 3)), gate], [shape(2, axis(4, 3))], attrs);
    const results = await checkFamilies(device, made, ROUNDED);
    for (const [values] of results) assert.ok(Number.isNaN(values?.[8]) && Number.isFinite(values?.[7]));
  });

  for (const style of ['interleaved', 'half'] as const)
    t(`rope ${style}`, async () => {
      for (const [rows, groups, size] of [
        [1, 1, 2],
        [5, 3, 6],
        [64, 2, 8],
        [129, 3, 4],
        [7, 4, 64],
        [33, 1, 130],
      ] as const)
        for (const inverse of [false, true]) {
          const [ax, shift] = [axis(size, groups), inverse ? 3 : 0];
          const positions = words(Array.from({ length: rows }, (_, i) => (i * 7 + 2) % 40));
          const table: Given = {
            rows: 44,
            axis: axis(size),
            values: Float64Array.from(
              ropeTable(44, { frequencies: plainFrequencies(size, 10000), factor: 1 }),
            ),
          };
          const made = makeCase('rope', [random(rows, ax), positions, table], [shape(rows, ax)], {
            style,
            inverse,
            shift,
          });
          await checkFamilies(device, made, ROUNDED);
        }
    });

  for (const style of ['interleaved', 'half'] as const)
    t(`rope ${style} of a part of each head`, async () => {
      for (const [rows, groups, size, turned] of [
        [1, 1, 4, 2],
        [5, 3, 14, 6],
        [64, 2, 8, 4],
        [33, 2, 130, 24],
      ] as const)
        for (const inverse of [false, true]) {
          const ax = axis(size, groups);
          const table: Given = {
            rows: 44,
            axis: axis(turned),
            values: Float64Array.from(
              ropeTable(44, { frequencies: plainFrequencies(turned, 10000), factor: 1.5 }),
            ),
          };
          const positions = words(Array.from({ length: rows }, (_, i) => (i * 7 + 2) % 40));
          const attrs = { style, inverse, shift: 1 };
          const made = makeCase('rope', [random(rows, ax), positions, table], [shape(rows, ax)], attrs);
          await checkFamilies(device, made, ROUNDED);
        }
    });

  t('rope with a shift below zero', async () => {
    const table: Given = {
      rows: 9,
      axis: axis(8),
      values: Float64Array.from(ropeTable(9, { frequencies: plainFrequencies(8, 100), factor: 1 })),
    };
    const made = makeCase('rope', [random(3, axis(8, 2)), words([5, 6, 7]), table], [shape(3, axis(8, 2))], {
      style: 'half',
      inverse: false,
      shift: -5,
    });
    await checkFamilies(device, made, ROUNDED);
  });

  t('a name stands for the whole choice and not for sizes', () => {
    const [small, large] = [5, 500].map((rows) =>
      makeCase('add', [random(rows, 7), random(rows, 7)], [shape(rows, 7)], {}),
    );
    for (const profile of profilesOf(device)) {
      const [a, b] = [small, large].map((made) => made && emit(made.node, made.graph, profile)[0]);
      assert.equal(a?.kernel, b?.kernel);
    }
  });
}

t.run();
