/** Reading picture files in Node: formats, transparency, grey, orientation, and files that are no good. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import sharp from 'sharp';
import { readHeader } from '../../runtime/images/header.ts';
import { decodePicture } from '../../runtime/images/node.ts';
import { PictureError } from '../../runtime/images/picture.ts';
import { at, noise, png, quarters, written } from './make.ts';

const t = suite('picture files');

const near = (actual: readonly number[], expected: readonly number[], most: number): boolean =>
  actual.length === expected.length && actual.every((v, i) => Math.abs(v - (expected[i] ?? NaN)) <= most);

t('lossless formats give the numbers that went in', async () => {
  const picture = noise(13, 9);
  assert.equal(await decodePicture(await png(picture)), picture);
  assert.equal(await decodePicture(await written(picture).webp({ lossless: true }).toBuffer()), picture);
  assert.equal(
    await decodePicture(await written(quarters(8, 8)).png({ palette: true }).toBuffer()),
    quarters(8, 8),
  );
});

t('lossy formats come near', async () => {
  const picture = quarters(32, 32);
  for (const bytes of [
    await written(picture).jpeg({ quality: 95 }).toBuffer(),
    await written(picture).jpeg({ progressive: true, quality: 95 }).toBuffer(),
    await written(picture).webp({ quality: 95 }).toBuffer(),
  ]) {
    const read = await decodePicture(bytes);
    assert.equal([read.width, read.height], [32, 32]);
    assert.ok(near(at(read, 4, 4), [255, 0, 0], 12), String(at(read, 4, 4)));
    assert.ok(near(at(read, 28, 28), [0, 0, 0], 12));
  }
});

t('what is transparent is white', async () => {
  const rgba = Uint8Array.from([255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 128, 10, 20, 30, 51]);
  const bytes = await sharp(rgba, { raw: { width: 4, height: 1, channels: 4 } })
    .png()
    .toBuffer();
  const { rgb } = await decodePicture(bytes);
  assert.equal([...rgb], [255, 0, 0, 255, 255, 255, 127, 127, 127, 206, 208, 210]);
});

t('grey has three colours, with and without transparency, in 8 and 16 bits', async () => {
  const grey = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
  const three = Uint8Array.from([...grey].flatMap((v) => [v, v, v]));
  const raw = sharp(grey, { raw: { width: 4, height: 3, channels: 1 } });
  const plain = await raw.clone().toColourspace('b-w').png().toBuffer();
  assert.equal((await decodePicture(plain)).rgb, three);
  const jpeg = await decodePicture(await raw.clone().toColourspace('b-w').jpeg({ quality: 100 }).toBuffer());
  assert.ok(near([...jpeg.rgb], [...three], 4));
  const clear = await sharp(Uint8Array.from([...grey].flatMap((v) => [v, 0])), {
    raw: { width: 4, height: 3, channels: 2 },
  })
    .png()
    .toBuffer();
  assert.ok((await decodePicture(clear)).rgb.every((v) => v === 255));
  const deep = await sharp(
    Uint16Array.from(grey, (v) => v * 257),
    {
      raw: { width: 4, height: 3, channels: 1 },
    },
  )
    .toColourspace('grey16')
    .png()
    .toBuffer();
  assert.ok(near([...(await decodePicture(deep)).rgb], [...three], 1));
});

t('pictures are turned upright', async () => {
  // Where the colours of the top left and the top right end up, by the EXIF orientation.
  const corners: Readonly<Record<number, readonly [string, string]>> = {
    1: ['red', 'green'],
    2: ['green', 'red'],
    3: ['black', 'blue'],
    4: ['blue', 'black'],
    5: ['red', 'blue'],
    6: ['blue', 'red'],
    7: ['black', 'green'],
    8: ['green', 'black'],
  };
  const colours: Readonly<Record<string, readonly number[]>> = {
    red: [255, 0, 0],
    green: [0, 255, 0],
    blue: [0, 0, 255],
    black: [0, 0, 0],
  };
  for (const [orientation, [left, right]] of Object.entries(corners)) {
    const bytes = await written(quarters(32, 16))
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      .withMetadata({ orientation: Number(orientation) })
      .toBuffer();
    const read = await decodePicture(bytes);
    const turned = Number(orientation) > 4;
    assert.equal([read.width, read.height], turned ? [16, 32] : [32, 16], orientation);
    assert.ok(near(at(read, 2, 2), colours[left] ?? [], 12), `${orientation} ${String(at(read, 2, 2))}`);
    assert.ok(near(at(read, read.width - 3, 2), colours[right] ?? [], 12), orientation);
  }
});

t('the header tells format and size', async () => {
  const picture = noise(33, 21);
  const cases: readonly [string, Buffer][] = [
    ['png', await png(picture)],
    ['jpeg', await written(picture).jpeg().toBuffer()],
    ['jpeg', await written(picture).jpeg({ progressive: true }).withMetadata().toBuffer()],
    ['webp', await written(picture).webp().toBuffer()],
    ['webp', await written(picture).webp({ lossless: true }).toBuffer()],
    ['webp', await written(picture).webp().withMetadata().toBuffer()],
  ];
  for (const [format, bytes] of cases)
    assert.equal(readHeader(bytes), { format, width: 33, height: 21 }, format);
});

async function refused(bytes: Uint8Array, says: RegExp): Promise<void> {
  try {
    await decodePicture(bytes);
  } catch (error) {
    assert.instance(error, PictureError, String(error));
    assert.match((error as Error).message, says);
    return;
  }
  assert.unreachable(`${says} was decoded`);
}

/** The same PNG with another size in its header. */
async function resized(width: number, height: number): Promise<Uint8Array> {
  const bytes = Uint8Array.from(await png(noise(4, 4)));
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return bytes;
}

t('what is no picture is refused with the reason', async () => {
  await refused(new Uint8Array(), /the file is empty/);
  await refused(
    new TextEncoder().encode('<svg xmlns="">'),
    /no PNG, JPEG or WebP: it begins with "<svg xml"/,
  );
  await refused(Uint8Array.from([1, 2, 3]), /begins with 01 02 03/);
  await refused(await resized(0, 4), /no pixels: 0 x 4/);
  await refused(await resized(60_000, 60_000), /too large: 60000 x 60000/);
});

t('a file that was cut off is refused, wherever it was cut', async () => {
  const picture = noise(64, 64);
  const files = [
    await png(picture),
    await written(picture).jpeg().toBuffer(),
    await written(picture).webp().toBuffer(),
  ];
  for (const bytes of files)
    for (const part of [0.01, 0.3, 0.8]) {
      const cut = bytes.subarray(0, Math.max(12, Math.floor(bytes.length * part)));
      await refused(cut, /cannot be decoded|ends before/);
    }
});

t('random bytes behind a right beginning never crash', async () => {
  const starts = [
    await png(noise(8, 8)),
    await written(noise(8, 8)).jpeg().toBuffer(),
    await written(noise(8, 8)).webp().toBuffer(),
  ];
  for (let i = 0; i < 60; i++) {
    const bytes = Uint8Array.from(starts[i % 3] ?? []);
    noise(20, 1, 0, 255, i).rgb.forEach(
      (value, k) => (bytes[16 + ((value * 7 + k * 13) % (bytes.length - 16))] = value),
    );
    try {
      await decodePicture(bytes);
    } catch (error) {
      assert.instance(error, PictureError);
    }
  }
});

t.run();
