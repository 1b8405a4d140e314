/** Kernels that reduce rows or columns against their references, in every family. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IGNORE } from '../../compiler/graph/graph.ts';
import { axis, ceil4 } from '../../compiler/model/model.ts';
import { storages } from '../../compiler/storage/index.ts';
import { emit } from '../../compiler/wgsl/emit.ts';
import {
  type Given,
  boundsBySize,
  checkFamilies,
  makeCase,
  random,
  shape,
  stored,
  vector,
  words,
} from './cases.ts';
import { checkNode, openTestDevice } from './harness.ts';

const device = await openTestDevice();
const t = suite('rows');
const AXES = [...[1, 3, 4, 7, 33, 130, 1000].map((size) => axis(size)), axis(7, 3)];
const ROWS = [1, 5, 64, 129];
/** Sums of up to 1000 numbers of about 1 in f32, and a few roundings. */
const SUMMED = { relative: 2e-6, absolute: 3e-6 };
/** exp of the device is good to 4e-6. */
const WITH_EXP = { relative: 1e-5, absolute: 1e-6 };

/** Numbers around 3 leave a mean that is off by a few roundings of 3, and eps = 1e-3 lets that grow up to 30 times. */
const NORMALISED = { relative: 5e-6, absolute: 2e-5 };

/** The same numbers, all greater by `by`, with the padding still zero. */
function shifted(given: Given, by: number): Given {
  const stride = ceil4(given.axis.size);
  const values = (given.values ?? new Float64Array()).map((x, i) =>
    i % stride < given.axis.size ? Math.fround(x + by) : 0,
  );
  return { ...given, values };
}

/** The same numbers, with NaN in every column past the logical width. */
function spoilPadding(given: Given): Given {
  const stride = ceil4(given.axis.size);
  return {
    ...given,
    values: (given.values ?? new Float64Array()).map((x, i) => (i % stride < given.axis.size ? x : NaN)),
  };
}

if (!device) t.skip('no device', () => undefined);
else {
  for (const ax of AXES)
    t(`columnSum, rmsnorm over ${ax.groups}x${ax.size}`, async () => {
      for (const rows of ROWS) {
        const [x, y] = [random(rows, ax), random(rows, ax)];
        const [w, scale] = [random(1, ax), random(1, rows)];
        for (const inputs of [
          [x, null, null],
          [x, y, null],
          [x, y, scale],
          [x, null, scale],
        ]) {
          const made = makeCase('columnSum', inputs, [shape(1, ax)], {});
          await checkFamilies(device, made, boundsBySize(made, 2e-6, [0]));
        }
        for (const inverse of [null, shape(1, rows)])
          await checkFamilies(
            device,
            makeCase('rmsnorm', [x, w], [shape(rows, ax), inverse], { eps: 1e-5 }),
            SUMMED,
          );
        for (const residual of [null, random(rows, ax)])
          await checkFamilies(
            device,
            makeCase('rmsnormGrad', [y, x, w, scale, residual], [shape(rows, ax)], {}),
            SUMMED,
          );
      }
    });

  for (const ax of AXES)
    t(`scaleGrad over ${ax.groups}x${ax.size}`, async () => {
      for (const rows of ROWS) {
        const [dy, z, s] = [random(rows, ax), random(rows, ax), random(1, ax)];
        // Every set of outputs; z is read for the scale alone.
        for (let wanted = 1; wanted < 8; wanted++) {
          const [through, scale, bias] = [1, 2, 4].map((bit) => (wanted & bit) !== 0);
          const outputs = [
            through ? shape(rows, ax) : null,
            ...[scale, bias].map((w) => (w ? shape(1, ax) : null)),
          ];
          const made = makeCase('scaleGrad', [dy, scale ? z : null, s], outputs, {});
          await checkFamilies(device, made, boundsBySize(made, 2e-6, [0, 1, 2]));
        }
      }
    });

  for (const ax of AXES)
    t(`layernorm, unitRows over ${ax.groups}x${ax.size}`, async () => {
      for (const rows of [1, 5, 129]) {
        // Far from a mean of zero, where a variance by mean(x^2) - mean^2 would fail; and padding that must not count.
        const x = shifted(random(rows, ax), 3);
        const [w, b, dy, inverse] = [random(1, ax), random(1, ax), random(rows, ax), random(1, rows)];
        for (const outputs of [
          [shape(rows, ax), null, null],
          [shape(rows, ax), shape(rows, ax), null],
          [shape(rows, ax), shape(rows, ax), shape(1, rows)],
        ]) {
          const made = makeCase('layernorm', [x, w, b], outputs, { eps: 1e-3 });
          await checkFamilies(device, made, NORMALISED);
        }
        for (const residual of [null, random(rows, ax)]) {
          const inputs = [dy, w, random(rows, ax), inverse, residual];
          await checkFamilies(device, makeCase('layernormGrad', inputs, [shape(rows, ax)], {}), SUMMED);
        }
        const attrs = { eps: 1e-12, divisor: 1 + 1e-6 };
        await checkFamilies(device, makeCase('unitRows', [x], [shape(rows, ax)], attrs), SUMMED);
      }
    });

  t('layernorm of equal numbers is the bias, a row of zeros stays zero', async () => {
    const ax = axis(7, 3);
    const flat = shifted({ ...random(5, ax, 0) }, 100);
    const [w, b] = [random(1, ax), random(1, ax)];
    for (const [y] of await checkFamilies(
      device,
      makeCase('layernorm', [flat, w, b], [shape(5, ax), null, null], { eps: 1e-5 }),
      // What the mean misses by one rounding, times 1 / sqrt(eps).
      { relative: 1e-6, absolute: 100 * 3e-7 * Math.sqrt(1e5) },
    ))
      assert.ok(y?.every(Number.isFinite));
    const made = makeCase('unitRows', [random(5, ax, 0)], [shape(5, ax)], { eps: 1e-12, divisor: 2 });
    await checkFamilies(device, made, { relative: 0, absolute: 0 });
  });

  t('rows shorter than eps are divided by eps, NaN spoils its own row only', async () => {
    const short = makeCase('unitRows', [random(3, 9, 1e-3)], [shape(3, 9)], { eps: 0.5, divisor: 2 });
    await checkFamilies(device, short, SUMMED);
    const x = random(4, 9);
    const values = (x.values ?? new Float64Array()).slice();
    values[12 + 2] = NaN;
    for (const made of [
      makeCase('unitRows', [{ ...x, values }], [shape(4, 9)], { eps: 1e-12, divisor: 1 }),
      makeCase('layernorm', [{ ...x, values }, random(1, 9), random(1, 9)], [shape(4, 9), null, null], {
        eps: 1e-5,
      }),
    ])
      for (const [y] of await checkFamilies(device, made, { ignore: [0] })) {
        assert.ok(y?.subarray(12, 21).every(Number.isNaN));
        assert.not.ok(y?.subarray(0, 12).some(Number.isNaN) || y?.subarray(24).some(Number.isNaN));
      }
  });

  for (const keys of [1, 3, 4, 7, 33, 130, 1000])
    t(`softmax over ${keys} keys`, async () => {
      for (const [batch, heads, queries] of [
        [1, 1, 1],
        [2, 3, 5],
        [4, 4, 16],
      ] as const) {
        const rows = batch * heads * queries;
        const attrs = { batch, heads, queries, keys, prefix: 0 };
        const scores = spoilPadding(random(rows, keys, 30));
        // As with a key-value cache: every sequence stands somewhere else.
        const positions = words(Array.from({ length: batch * queries }, (_, i) => (i * 5 + 1) % keys));
        for (const where of [null, positions]) {
          const made = makeCase('softmax', [scores, where, null], [shape(rows, keys), null], attrs);
          await checkFamilies(device, made, WITH_EXP);
        }
        // A window wider than the keys changes nothing.
        for (const window of keys > 130 ? [5] : [1, 5, 64]) {
          const made = makeCase('softmax', [scores, positions, null], [shape(rows, keys), null], {
            ...attrs,
            window,
          });
          await checkFamilies(device, made, WITH_EXP);
        }
        const [dp, p] = [spoilPadding(random(rows, keys)), random(rows, keys)];
        const made = makeCase('softmaxGrad', [dp, p, null, null], [shape(rows, keys), null], {
          keys,
          prefix: 0,
        });
        await checkFamilies(device, made, { relative: 2e-6, absolute: 1e-5 });
      }
    });

  for (const prefix of [1, 3, 4, 10, 33])
    t(`softmax joint with a prefix of ${prefix}`, async () => {
      const [batch, heads, queries, keys] = [2, 3, 7, 9];
      const rows = batch * heads * queries;
      const attrs = { batch, heads, queries, keys, prefix };
      const [scores, front] = [spoilPadding(random(rows, keys, 9)), spoilPadding(random(rows, prefix, 9))];
      const positions = words(Array.from({ length: batch * queries }, (_, i) => (i * 5) % keys));
      for (const where of [null, positions]) {
        const made = makeCase(
          'softmax',
          [scores, where, front],
          [shape(rows, keys), shape(rows, prefix)],
          attrs,
        );
        await checkFamilies(device, made, WITH_EXP);
      }
      const windowed = makeCase(
        'softmax',
        [scores, positions, front],
        [shape(rows, keys), shape(rows, prefix)],
        { ...attrs, window: 3 },
      );
      await checkFamilies(device, windowed, WITH_EXP);
      const grads = [
        spoilPadding(random(rows, keys)),
        random(rows, keys),
        spoilPadding(random(rows, prefix)),
        random(rows, prefix),
      ];
      for (const second of [shape(rows, prefix), null]) {
        const made = makeCase('softmaxGrad', grads, [shape(rows, keys), second], { keys, prefix });
        await checkFamilies(device, made, { relative: 2e-6, absolute: 1e-5 });
      }
    });

  t('more rows than a grid is wide', async () => {
    const made = makeCase('rmsnorm', [random(70_000, 65), random(1, 65)], [shape(70_000, 65), null], {
      eps: 1e-5,
    });
    const launches = emit(made.node, made.graph, { device: 'gpu', subgroup: null });
    assert.equal(launches[0]?.grid, [65535, 2, 1]);
    await checkNode(made.node, made.graph, made.inputs, launches, device, SUMMED);
  });

  t('softmax passes NaN on in its row, and only there', async () => {
    const scores = random(4, 9);
    const values = (scores.values ?? new Float64Array()).slice();
    values[12 + 2] = NaN;
    const made = makeCase('softmax', [{ ...scores, values }, null, null], [shape(4, 9), null], {
      batch: 1,
      heads: 1,
      queries: 4,
      keys: 9,
      prefix: 0,
    });
    for (const [p] of await checkFamilies(device, made, { ...WITH_EXP, ignore: [0] })) {
      assert.ok(p?.subarray(12, 21).some(Number.isNaN));
      assert.not.ok(p?.subarray(0, 12).some(Number.isNaN) || p?.subarray(24).some(Number.isNaN));
    }
  });

  for (const vocab of [1, 3, 4, 7, 33, 130, 1000, 2100])
    t(`crossEntropy over ${vocab}`, async () => {
      for (const rows of ROWS) {
        const labels = words(
          Array.from({ length: rows }, (_, i) => (i % 4 === 1 ? IGNORE : (i * 13) % vocab)),
        );
        const inputs = [spoilPadding(random(rows, vocab, 30)), labels, vector([0.125, 0, 0, 0])];
        for (const d of [null, shape(rows, vocab)]) {
          const made = makeCase('crossEntropy', inputs, [shape(1, rows), d], { vocab });
          await checkFamilies(device, made, WITH_EXP);
        }
      }
    });

  t('crossEntropy of nothing but ignored labels is zero', async () => {
    const made = makeCase(
      'crossEntropy',
      [random(6, 33), words(Array.from({ length: 6 }, () => IGNORE)), vector([1])],
      [shape(1, 6), shape(6, 33)],
      { vocab: 33 },
    );
    await checkFamilies(device, made, { relative: 0, absolute: 0 });
  });

  for (const n of [1, 3, 4, 7, 33, 130, 1000, 20000])
    t(`sum of ${n}`, async () => {
      const made = makeCase('sum', [spoilPadding(random(1, n))], [shape(1, 1)], {});
      await checkFamilies(
        device,
        made,
        boundsBySize(makeCase('sum', [random(1, n)], [shape(1, 1)], {}), 2e-6, [0]),
      );
    });

  // In a row of one number the update may take away all of the weight, and its rounding is what is left.
  for (const ax of AXES.filter((one) => one.size > 1))
    for (const rank of [1, 3, 8])
      t(`inverseNorms over ${ax.groups}x${ax.size}, rank ${rank}`, async () => {
        for (const rows of [4, 64, 132]) {
          const inputs = [random(rows, ax), random(rows, rank), random(ceil4(rank), ax)];
          const made = makeCase('inverseNorms', inputs, [shape(1, rows)], { scale: 0.75 });
          await checkFamilies(device, made, { relative: 5e-6, absolute: 0 });
        }
      });

  for (const storage of storages)
    t(`inverseNorms of a weight stored as ${storage}`, async () => {
      for (const ax of [axis(7, 3), axis(130)]) {
        const inputs = [stored(64, ax, storage), random(64, 3), random(4, ax)];
        const made = makeCase('inverseNorms', inputs, [shape(1, 64)], { scale: 0.75 });
        await checkFamilies(device, made, { relative: 5e-6, absolute: 0 });
      }
    });

  t('inverseNorms of a row of zeros is 0, and NaN spoils its own row only', async () => {
    const w = random(4, 9);
    const values = (w.values ?? new Float64Array()).slice();
    values.fill(0, 0, 12);
    values[12 + 2] = NaN;
    const inputs = [{ ...w, values }, random(4, 2, 0), random(4, 9)];
    const made = makeCase('inverseNorms', inputs, [shape(1, 4)], { scale: 1 });
    for (const [y] of await checkFamilies(device, made, { ignore: [0] })) {
      assert.is(y?.[0], 0);
      assert.ok(Number.isNaN(y?.[1]) && [2, 3].every((i) => (y?.[i] ?? NaN) > 0));
    }
  });
}

t.run();
