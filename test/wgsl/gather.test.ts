/** Kernels that move rows against their references, in every family. */
import { suite } from 'uvu';
import { axis } from '../../compiler/model/model.ts';
import { storages } from '../../compiler/storage/index.ts';
import { checkFamilies, makeCase, random, shape, stored, words } from './cases.ts';
import { openTestDevice } from './harness.ts';

const device = await openTestDevice();
const t = suite('gather');
const EXACT = { relative: 0, absolute: 0 };
/** Sums of a handful of numbers of about 1. */
const SUMMED = { relative: 2e-6, absolute: 2e-6 };

if (!device) t.skip('no device', () => undefined);
else
  for (const ax of [...[1, 3, 4, 7, 33, 130, 1000].map((size) => axis(size)), axis(7, 3)]) {
    const label = `${ax.groups}x${ax.size}`;

    t(`embed and its gradient, ${label}`, async () => {
      for (const rows of [1, 5, 64, 129]) {
        const ids = Array.from({ length: rows }, (_, i) => (i * i) % 11);
        await checkFamilies(
          device,
          makeCase('embed', [random(11, ax), words(ids)], [shape(rows, ax)], {}),
          EXACT,
        );
        for (const storage of storages.filter((it) => it !== 'f32'))
          await checkFamilies(
            device,
            makeCase('embed', [stored(11, ax, storage), words(ids)], [shape(rows, ax)], {}),
            EXACT,
          );
        // As the host sorts them; entries 2 and 12 have no rows, 12 is past the last id.
        const order = ids.map((_, i) => i).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0) || a - b);
        const starts = Array.from({ length: 14 }, (_, v) => ids.filter((id) => id < v).length);
        const made = makeCase(
          'embedGrad',
          [random(rows, ax), words(order), words(starts)],
          [shape(13, ax)],
          {},
        );
        await checkFamilies(device, made, { relative: 2e-6, absolute: 1e-5 });
      }
    });

    t(`prepend and its gradients, ${label}`, async () => {
      for (const [batch, length, tokens] of [
        [1, 1, 1],
        [2, 3, 5],
        [4, 10, 16],
      ] as const) {
        const attrs = { batch, length, tokens };
        const all = batch * (length + tokens);
        await checkFamilies(
          device,
          makeCase('prepend', [random(length, ax), random(batch * tokens, ax)], [shape(all, ax)], attrs),
          EXACT,
        );
        const [front, back] = [shape(length, ax), shape(batch * tokens, ax)];
        for (const outputs of [
          [front, back],
          [front, null],
          [null, back],
        ])
          await checkFamilies(device, makeCase('prependGrad', [random(all, ax)], outputs, attrs), SUMMED);
      }
    });

    t(`addTable, segment and its gradient, ${label}`, async () => {
      for (const [batch, tokens, from, length] of [
        [1, 1, 0, 1],
        [2, 5, 0, 3],
        [3, 7, 2, 5],
        [4, 17, 1, 1],
        [2, 33, 0, 33],
      ] as const) {
        const [rows, cut] = [batch * tokens, batch * length];
        // A table as parameters lie: with rows past the last that is used.
        for (const more of [0, 3]) {
          const inputs = [random(rows, ax), random(tokens + more, ax)];
          await checkFamilies(
            device,
            makeCase('addTable', inputs, [shape(rows, ax)], { rows: tokens }),
            SUMMED,
          );
        }
        const attrs = { batch, tokens, from, length };
        await checkFamilies(device, makeCase('segment', [random(rows, ax)], [shape(cut, ax)], attrs), EXACT);
        await checkFamilies(
          device,
          makeCase('segmentGrad', [random(cut, ax)], [shape(rows, ax)], attrs),
          EXACT,
        );
        // The gradient of a table: nothing but what stands in front.
        const front = { batch, length: tokens, tokens: 0 };
        const made = makeCase('prependGrad', [random(rows, ax)], [shape(tokens, ax), null], front);
        await checkFamilies(device, made, SUMMED);
      }
    });

    t(`repeat and its gradient, ${label}`, async () => {
      for (const [rows, times] of [
        [1, 1],
        [3, 10],
        [17, 4],
      ] as const) {
        const [few, many] = [rows, rows * times];
        await checkFamilies(
          device,
          makeCase('repeat', [random(few, ax)], [shape(many, ax)], { times }),
          EXACT,
        );
        const back = makeCase('repeatGrad', [random(many, ax)], [shape(few, ax)], { times });
        await checkFamilies(device, back, SUMMED);
      }
    });

    t(`cacheWrite, ${label}`, async () => {
      for (const [batch, tokens, context] of [
        [1, 1, 4],
        [3, 2, 8],
        [2, 32, 65],
      ] as const) {
        const cache = random(batch * context, ax);
        const positions = words(
          Array.from({ length: batch * tokens }, (_, i) => (i % tokens) + Math.floor(i / tokens) * 2),
        );
        const made = makeCase(
          'cacheWrite',
          [random(batch * tokens, ax), positions],
          [shape(cache.rows, ax)],
          { batch, tokens, context },
        );
        await checkFamilies(device, made, { ...EXACT, before: [cache.values ?? null] });
      }
    });
  }

t.run();
