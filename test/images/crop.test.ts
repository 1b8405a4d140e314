/** Parts of pictures at random: where they lie, and that a run draws the same ones whatever was asked for before. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PixelRules } from '../../compiler/package/package.ts';
import { createBatches } from '../../runtime/data/batches.ts';
import { imagesOf, withImages } from '../../runtime/data/image-batches.ts';
import type { Dataset } from '../../runtime/data/load.ts';
import { pictureFolder } from '../../runtime/hosts/node-pictures.ts';
import { createPictureStore, type PictureStoreOptions } from '../../runtime/data/picture-store.ts';
import { type Box, cutBox, drawBox } from '../../runtime/images/crop.ts';
import { decodePicture } from '../../runtime/images/node.ts';
import { cutPicture, patchPictures } from '../../runtime/images/prepare.ts';
import { resize } from '../../runtime/images/resize.ts';
import { createRandom } from '../../runtime/random.ts';
import { noise, png } from './make.ts';

const t = suite('random crops');

const boxes = (width: number, height: number, scale: number, count = 400): Box[] => {
  const random = createRandom('boxes', width, height);
  return Array.from({ length: count }, () => drawBox(width, height, { scale }, random));
};

t('a part has its share of the area and its proportions, and lies inside', () => {
  for (const [width, height, scale] of [
    [640, 480, 0.9],
    [480, 640, 0.9],
    [300, 300, 0.1],
    [31, 40, 0.5],
  ] as const)
    for (const box of boxes(width, height, scale)) {
      assert.ok(box.left >= 0 && box.top >= 0);
      assert.ok(box.left + box.width <= width && box.top + box.height <= height);
      // Sides are rounded, to a pixel in forty at the worst.
      const share = (box.width * box.height) / (width * height);
      assert.ok(share > scale * 0.96 && share <= 1, `${share}`);
      assert.ok(box.width / box.height > 0.72 && box.width / box.height < 1.39);
    }
});

t('parts are spread over all that is allowed', () => {
  const drawn = boxes(300, 300, 0.1, 2000);
  const between = (of: (box: Box) => number) => {
    const all = drawn.map(of).sort((a, b) => a - b);
    return [all[20] ?? NaN, all[1000] ?? NaN, all[1980] ?? NaN] as const;
  };
  const [small, middle, large] = between((box) => (box.width * box.height) / 90000);
  assert.ok(small < 0.13 && middle > 0.45 && middle < 0.6 && large > 0.9, `${small} ${middle} ${large}`);
  const [narrow, square, wide] = between((box) => box.width / box.height);
  assert.ok(narrow < 0.78 && square > 0.95 && square < 1.05 && wide > 1.28, `${narrow} ${square} ${wide}`);
  assert.ok(drawn.some(({ left }) => left === 0) && drawn.some(({ left }) => left > 100));
  assert.ok(drawn.some(({ top }) => top === 0) && drawn.some(({ top }) => top > 100));
});

t('where no part fits, it is the largest in the middle with allowed proportions', () => {
  assert.equal(boxes(1000, 10, 0.9, 1)[0], { left: 493, top: 0, width: 13, height: 10 });
  assert.equal(boxes(9, 100, 0.9, 1)[0], { left: 0, top: 44, width: 9, height: 12 });
  assert.equal(boxes(1, 1, 1, 1)[0], { left: 0, top: 0, width: 1, height: 1 });
});

t('a box is cut out of its picture', () => {
  const picture = noise(7, 5);
  const cut = cutBox(picture, { left: 2, top: 1, width: 3, height: 2 });
  assert.equal([cut.width, cut.height], [3, 2]);
  for (const [x, y] of [
    [0, 0],
    [2, 1],
    [1, 1],
  ] as const)
    for (let colour = 0; colour < 3; colour++)
      assert.is(cut.rgb[(y * 3 + x) * 3 + colour], picture.rgb[((y + 1) * 7 + x + 2) * 3 + colour]);
});

const rules: PixelRules = {
  resolution: 8,
  patch: 4,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  channels: 'rgb',
  crop: { scale: 0.5 },
};
const PICTURES = 3;

const files = new Map<string, Uint8Array>();
t.before(async () => {
  for (let i = 0; i < PICTURES; i++) files.set(`${i}`, await png(noise(20 + i, 16, 0, 255, i)));
});

async function storeOf(changes: Partial<PictureStoreOptions> = {}) {
  const store = createPictureStore({
    rules,
    decode: decodePicture,
    readBytes: (path) => Promise.resolve(files.get(path) ?? new Uint8Array()),
    seed: 3,
    ...changes,
  });
  assert.equal(await store.addAll([...files.keys()]), [0, 1, 2]);
  return store;
}

const dataset = (name = 'pairs'): Dataset => {
  const examples = Array.from({ length: 6 }, () => ({
    tokens: Uint32Array.of(1, 2),
    labels: Uint32Array.of(2, 2),
    labelled: 1,
  }));
  const report = { examples: 6, tokens: 12, labels: 6, longest: 2, truncated: 0, skipped: 0, unlabelled: 0 };
  return { name, examples, records: [], pictures: Uint32Array.of(0, 1, 2, 0, 1, 2), report };
};

t('without a place in a run it is the middle', async () => {
  const store = await storeOf();
  const place = new Float32Array(store.size);
  for (let i = 0; i < PICTURES; i++) {
    const middle = cutPicture(noise(20 + i, 16, 0, 255, i), rules);
    assert.equal(store.get(i), middle);
    store.write(i, place);
    assert.equal(place, patchPictures([middle], rules));
  }
});

t('in training it is the part that seed, data, example and epoch draw', async () => {
  const store = await storeOf();
  const place = new Float32Array(store.size);
  store.write(1, place, { data: 'pairs', example: 4, epoch: 2 });
  const picture = noise(21, 16, 0, 255, 1);
  const box = drawBox(21, 16, { scale: 0.5 }, createRandom(3, 'crop', 'pairs', 4, 2));
  assert.equal(place, patchPictures([resize(cutBox(picture, box), 8, 8).rgb], rules));
  const seen = new Set<string>();
  for (const [data, example, epoch, seed] of [
    ['pairs', 4, 2, 3],
    ['pairs', 4, 3, 3],
    ['pairs', 1, 2, 3],
    ['other', 4, 2, 3],
    ['pairs', 4, 2, 4],
  ] as const) {
    (await storeOf({ seed })).write(1, place, { data, example, epoch });
    seen.add(place.join());
  }
  assert.is(seen.size, 5);
});

t('batch k of a run is the same whatever was asked for before, from disk too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-crop-'));
  try {
    const data = dataset();
    const batchesOf = async (changes: Partial<PictureStoreOptions> = {}) =>
      withImages(
        createBatches(data, { batch: 2, seed: 1, context: 8 }),
        imagesOf(data, await storeOf(changes)),
      );
    const first = await batchesOf();
    const all = Array.from({ length: 7 }, (_, k) => first.batchAt(k).image);
    assert.equal((await batchesOf()).batchAt(5).image, all[5]);
    // Examples of the same picture in two epochs see different parts of it.
    assert.is(new Set(all.map((image) => image?.join())).size, 7);
    const cache = pictureFolder(folder);
    for (let time = 0; time < 2; time++) {
      const small = await batchesOf({ cache, memory: -1 });
      assert.equal(small.batchAt(5).image, all[5]);
      assert.equal(small.batchAt(0).image, all[0]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

t.run();
