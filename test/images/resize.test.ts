/** Resizing and normalising against a reference of our own in float64. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { axis, padded } from '../../compiler/model/model.ts';
import type { PixelRules } from '../../compiler/package/package.ts';
import { patchImages } from '../../runtime/images/features.ts';
import type { Picture } from '../../runtime/images/picture.ts';
import { cutPicture, patchPictures } from '../../runtime/images/prepare.ts';
import { resize, resizeAndCrop } from '../../runtime/images/resize.ts';
import { noise } from './make.ts';

const t = suite('resizing');

/** Keys' cubic convolution with a = -1/2, by its definition: values of the piecewise polynomial. */
function keys(x: number): number {
  const d = Math.abs(x);
  if (d <= 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
  return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
}

/** One output of the definition: a sum over ALL inputs, weights by distance in units of the wider grid. */
function sample(line: (i: number) => number, from: number, to: number, place: number): number {
  const scale = from / to;
  const unit = Math.max(1, scale);
  const center = (place + 0.5) * scale;
  let [sum, total] = [0, 0];
  for (let i = 0; i < from; i++) {
    // Pillow takes whole pixels within the support: those whose middle rounds into it.
    if (i < Math.trunc(Math.max(0, center - 2 * unit + 0.5)) || i >= Math.trunc(center + 2 * unit + 0.5))
      continue;
    const w = keys((i + 0.5 - center) / unit);
    sum += w * line(i);
    total += w;
  }
  return sum / total;
}

const clip = (x: number): number => Math.min(255, Math.max(0, x));

/** In float64: nothing is rounded; between the passes values are clipped, as eight bits are. */
function reference(p: Picture, width: number, height: number): Float64Array {
  const wide = new Float64Array(p.height * width * 3);
  for (let y = 0; y < p.height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        wide[(y * width + x) * 3 + c] = clip(
          sample((i) => p.rgb[(y * p.width + i) * 3 + c] ?? NaN, p.width, width, x),
        );
  const out = new Float64Array(height * width * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        out[(y * width + x) * 3 + c] = clip(
          sample((i) => wide[(i * width + x) * 3 + c] ?? NaN, p.height, height, y),
        );
  return out;
}

function compare(p: Picture, width: number, height: number): { most: number; mean: number } {
  const [actual, expected] = [resize(p, width, height).rgb, reference(p, width, height)];
  assert.is(actual.length, expected.length);
  const away = Array.from(actual, (value, i) => Math.abs(value - (expected[i] ?? NaN)));
  return { most: Math.max(...away), mean: away.reduce((a, b) => a + b, 0) / away.length };
}

const sizes: readonly (readonly [number, number, number, number])[] = [
  [37, 23, 16, 16],
  [100, 60, 13, 7],
  [9, 7, 32, 30],
  [64, 64, 63, 65],
  [20, 40, 20, 8],
  [3, 5, 17, 2],
];

for (const [from, high, to, low] of sizes)
  t(`${from} x ${high} to ${to} x ${low} is the cubic of the definition`, () => {
    // Two roundings to eight bits: half a step from each, the first spread by the second's weights.
    const calm = compare(noise(from, high, 70, 185), to, low);
    assert.ok(calm.most <= 1.2 && calm.mean < 0.4, JSON.stringify(calm));
    const wild = compare(noise(from, high), to, low);
    assert.ok(wild.most <= 1.2 && wild.mean < 0.4, JSON.stringify(wild));
  });

t('the same size is the same picture, and one colour stays one colour', () => {
  const picture = noise(11, 6);
  assert.equal(resize(picture, 11, 6), picture);
  const grey = { width: 10, height: 9, rgb: new Uint8Array(270).fill(77) };
  assert.ok(resize(grey, 31, 4).rgb.every((value) => value === 77));
});

t('a picture is cut as CLIP cuts: the shorter side fits, the middle stays', () => {
  for (const [width, height] of [
    [30, 20],
    [20, 33],
    [7, 50],
    [16, 16],
    [51, 16],
  ] as const) {
    const picture = noise(width, height);
    const short = Math.min(width, height);
    const [wide, high] = [Math.trunc((16 * width) / short), Math.trunc((16 * height) / short)];
    const whole = resize(picture, wide, high);
    const cut = resizeAndCrop(picture, 16);
    // Python rounds halves to even: (wide - 16) / 2 = 2.5 gives 2, 17.5 gives 18.
    const start = (n: number) => {
      const x = (n - 16) / 2;
      return x % 1 === 0 ? x : Math.floor(x) % 2 === 0 ? Math.floor(x) : Math.ceil(x);
    };
    for (let y = 0; y < 16; y++) {
      const from = ((start(high) + y) * wide + start(wide)) * 3;
      assert.equal(
        cut.rgb.slice(y * 48, y * 48 + 48),
        whole.rgb.slice(from, from + 48),
        `${width} x ${height}`,
      );
    }
  }
});

t('a picture one pixel wide and very long costs no more than its middle', () => {
  const cut = resizeAndCrop(noise(1, 60_000), 224);
  assert.equal([cut.width, cut.height, cut.rgb.length], [224, 224, 224 * 224 * 3]);
});

const rules: PixelRules = {
  resolution: 12,
  patch: 3,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  channels: 'rgb',
};

t('patches are those of the normalised picture, colour by colour', () => {
  const pixels = [cutPicture(noise(40, 25), rules), cutPicture(noise(12, 12), rules)];
  const planes = new Float32Array(2 * 3 * 144);
  pixels.forEach((rgb, image) =>
    rgb.forEach((value, i) => {
      const colour = i % 3;
      const normal = (value / 255 - (rules.mean[colour] ?? 0)) / (rules.std[colour] ?? 1);
      planes[(image * 3 + colour) * 144 + Math.floor(i / 3)] = normal;
    }),
  );
  const [actual, expected] = [patchPictures(pixels, rules), patchImages(planes, 12, 3)];
  assert.is(actual.length, 2 * 16 * padded(axis(27)));
  assert.is(actual.length, expected.length);
  // Ours is normalised in float32, as torchvision does it.
  assert.ok(actual.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) < 5e-7));
});

t('channels = bgr swaps red and blue before the mean is taken off', () => {
  const pixels = cutPicture(noise(12, 12), rules);
  const swapped = pixels.map((_, i) => pixels[i + 2 - 2 * (i % 3)] ?? 0);
  assert.equal(patchPictures([pixels], { ...rules, channels: 'bgr' }), patchPictures([swapped], rules));
});

t.run();
