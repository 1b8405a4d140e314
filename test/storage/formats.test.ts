/** Number formats of stored weights: what they round to, and where numbers lie in their words. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { f16ToF32 } from '../../compiler/storage/half.ts';
import {
  decodeRows,
  encodeRows,
  formats,
  rowNumbers,
  storages,
  storedBytes,
} from '../../compiler/storage/index.ts';
import { createRandom } from '../../runtime/random.ts';

const t = suite('storage formats');

const normals = (count: number, seed = 1): Float32Array => {
  const random = createRandom('formats', seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

/** Largest magnitude of each run of 32 in a row. */
const peaks = (row: Float32Array): number[] =>
  Array.from({ length: Math.ceil(row.length / 32) }, (_, i) =>
    row.subarray(32 * i, 32 * i + 32).reduce((most, x) => Math.max(most, Math.abs(x)), 0),
  );

/** Largest error of a number x whose run of 32 has the largest magnitude `peak`. */
const bounds = {
  f32: () => 0,
  f16: (x: number) => Math.max(2 ** -25, Math.abs(x) * 2 ** -11),
  bf16: (x: number) => Math.abs(x) * 2 ** -8,
  // Half a step; the scale itself is rounded to eleven bits, by which the largest number may be cut off.
  q8: (_x: number, peak: number) => (peak / 127) * 0.5 * (1 + 2 ** -10) + peak * 2 ** -11,
  // A number of the other sign than the largest has steps up to 7 only.
  q4: (_x: number, peak: number) => (peak / 8) * (1 + 2 ** -9),
} as const;

for (const storage of storages) {
  const format = formats[storage];

  t(`${storage}: numbers come back within half a step, zeros and padding as zero`, () => {
    for (const width of [4, 20, 32, 60, 64, 100, 128]) {
      const rows = 3;
      const numbers = normals(rows * width, width);
      numbers[1] = 0;
      const words = encodeRows(format, numbers, width);
      assert.is(4 * words.length, storedBytes(format, rows, width));
      const back = decodeRows(format, words, width);
      assert.is(back[1], 0);
      for (let r = 0; r < rows; r++) {
        const row = numbers.subarray(r * width, (r + 1) * width);
        row.forEach((x, i) => {
          const peak = peaks(row)[Math.floor(i / 32)] ?? 0;
          const off = Math.abs((back[r * width + i] ?? NaN) - x);
          assert.ok(off <= bounds[storage](x, peak), `width ${width}: ${x} came back off by ${off}`);
        });
      }
      const padding = format.decode(words).filter((_, i) => i % rowNumbers(format, width) >= width);
      assert.ok(padding.every((x) => x === 0));
    }
  });

  t(`${storage}: what came back is stored as it is`, () => {
    const once = decodeRows(format, encodeRows(format, normals(2048), 64), 64);
    assert.equal(decodeRows(format, encodeRows(format, once, 64), 64), once);
  });

  t(`${storage}: its largest number is finite`, () => {
    const back = decodeRows(format, encodeRows(format, new Float32Array(64).fill(-format.largest), 64), 64);
    assert.ok(back.every((x) => Number.isFinite(x) && x < -0.99 * format.largest));
  });
}

t('16 bits: the first number of a word is in its low half', () => {
  const numbers = Float32Array.from([1, -2, 0.5, 65504]);
  assert.equal([...encodeRows(formats.f16, numbers, 4)], [0xc0003c00, 0x7bff3800]);
  assert.equal([...encodeRows(formats.bf16, numbers, 4)].slice(0, 1), [0xc0003f80]);
});

t('q8: scales of both halves in the first word, then bytes in order', () => {
  const numbers = new Float32Array(64);
  // Scales of 2 and 1/4.
  numbers.set([254, -254, 2, -6], 0);
  numbers.set([-31.75, 0.25], 32);
  const words = encodeRows(formats.q8, numbers, 64);
  assert.is(words.length, 17);
  const scales = f16ToF32(Uint16Array.from([words[0]! & 0xffff, words[0]! >>> 16]));
  assert.equal([...scales], [2, 0.25]);
  assert.equal([...new Int8Array(words.buffer, 4, 4)], [127, -127, 1, -3]);
  assert.equal([...new Int8Array(words.buffer, 36, 2)], [-127, 1]);
});

t('q4: the largest is at -8, eight numbers a word from the low bits on', () => {
  const numbers = new Float32Array(64);
  // Scales of -1/2 and 3.
  numbers.set([4, -3.5, 0.5, 0, 0, 0, 0, 1], 0);
  numbers.set([-24, 21], 32);
  const words = encodeRows(formats.q4, numbers, 64);
  assert.is(words.length, 9);
  const scales = f16ToF32(Uint16Array.from([words[0]! & 0xffff, words[0]! >>> 16]));
  assert.equal([...scales], [-0.5, 3]);
  // -8, 7, -1, 0, 0, 0, 0, -2, each plus 8.
  assert.is(words[1], 0x688887f0);
  assert.is(words[5]! & 0xff, 0xf0);
  assert.equal([...decodeRows(formats.q4, words, 64)], [...numbers]);
});

t('q8 and q4: numbers below the smallest scale are stored as zero', () => {
  const tiny = new Float32Array(64).fill(1e-9);
  for (const storage of ['q8', 'q4'] as const)
    assert.ok(decodeRows(formats[storage], encodeRows(formats[storage], tiny, 64), 64).every((x) => x === 0));
});

t(
  'q8 and q4: where the scale itself is among the smallest halves, numbers keep their signs and nearly their size',
  () => {
    for (const [storage, steps] of [
      ['q8', 127],
      ['q4', 8],
    ] as const)
      for (const scale of [1.45, 0.55, 2.45]) {
        // The smallest half is 2^-24; scales in between are rounded by up to half of it.
        const peak = steps * scale * 2 ** -24;
        const numbers = new Float32Array(64).map(
          (_, i) => peak * (i % 2 === 0 ? 1 : -1) * (1 - (i % 32) / 40),
        );
        const back = decodeRows(formats[storage], encodeRows(formats[storage], numbers, 64), 64);
        back.forEach((x, i) => {
          const off = Math.abs(x - numbers[i]!);
          assert.ok(
            off <= (steps + 1) * 2 ** -25 + peak / steps,
            `${storage}: ${numbers[i]} came back as ${x}`,
          );
        });
      }
  },
);

t.run();
