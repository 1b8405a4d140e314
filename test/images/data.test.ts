/** `image_text` data: pictures beside the data file, read once, the bad ones left out and named. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PixelRules } from '../../compiler/package/package.ts';
import { createBatches } from '../../runtime/data/batches.ts';
import type { LoadOptions } from '../../runtime/data/formats.ts';
import { loadData } from '../../runtime/data/load.ts';
import { pictureFolder } from '../../runtime/hosts/node-pictures.ts';
import { imagesOf, withImages } from '../../runtime/data/image-batches.ts';
import { besideFile, createPictureStore, type PictureStore } from '../../runtime/data/picture-store.ts';
import { dataHost, openTokenizer, readBytes } from '../../runtime/files.ts';
import { decodePicture } from '../../runtime/images/node.ts';
import { cutPicture, patchNumbers, patchPictures } from '../../runtime/images/prepare.ts';
import { InputError } from '../../runtime/input-error.ts';
import { makeProject } from '../cli/tiny-project.ts';
import { noise, png, written } from './make.ts';

const t = suite('pictures as data');

const rules: PixelRules = {
  resolution: 8,
  patch: 4,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  channels: 'rgb',
};

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-pictures-'));
  await makeProject(folder);
  mkdirSync(join(folder, 'files'));
  for (let i = 0; i < 5; i++)
    writeFileSync(join(folder, `files/${i}.png`), await png(noise(10 + i, 9, 0, 255, i)));
  writeFileSync(join(folder, 'files/same.png'), await png(noise(10, 9, 0, 255, 0)));
  const jpeg = await written(noise(40, 40)).jpeg().toBuffer();
  writeFileSync(join(folder, 'files/half.jpg'), jpeg.subarray(0, jpeg.length / 2));
  writeFileSync(join(folder, 'files/words.png'), 'not a picture');
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const line = (image: unknown, rest: object = { caption: 'cab' }): string =>
  `${JSON.stringify({ image, ...rest })}\n`;

async function load(lines: readonly string[], pictures?: PictureStore, changes: Partial<LoadOptions> = {}) {
  const path = join(folder, 'data.jsonl');
  writeFileSync(path, lines.join(''));
  return loadData(
    { name: 'pairs', format: 'image_text', paths: [path] },
    {
      host: dataHost('.'),
      tokenizer: await openTokenizer(join(folder, 'tokenizer.bin')),
      context: 48,
      vocab: 264,
      template: { name: 'own', text: '{instruction}={output}' },
      ask: 'ab',
      ...(pictures ? { pictures } : {}),
      ...changes,
    },
  );
}

/** A store that counts what it decodes. */
function counting(options: Partial<Parameters<typeof createPictureStore>[0]> = {}) {
  const seen = { decoded: 0 };
  const store = createPictureStore({
    rules,
    readBytes,
    decode: (bytes) => {
      seen.decoded++;
      return decodePicture(bytes);
    },
    ...options,
  });
  return { store, seen };
}

async function fails(run: Promise<unknown>, ...says: RegExp[]): Promise<void> {
  try {
    await run;
  } catch (error) {
    assert.instance(error, InputError, String(error));
    for (const words of says) assert.match((error as Error).message, words);
    return;
  }
  assert.unreachable(`${says.join(' ')} was not said`);
}

t('examples bring their pictures, each decoded once', async () => {
  const { store, seen } = counting();
  const lines = ['0', '1', '0', 'same', '2'].map((name) => line(`files/${name}.png`));
  const data = await load(lines, store);
  assert.equal([...(data.pictures ?? [])], [0, 1, 0, 0, 2]);
  assert.is(store.count, 3);
  assert.ok(seen.decoded <= 4, 'a path once, and a second file of the same content at most once more');
  assert.equal(store.get(2), cutPicture(noise(12, 9, 0, 255, 2), rules));
  assert.equal(data.report.bad, []);
});

t('a batch has the images of its rows, and text has none', async () => {
  const { store } = counting();
  const data = await load(
    [0, 1, 2, 3, 4].map((i) => line(`files/${i}.png`)),
    store,
  );
  const plain = createBatches(data, { batch: 2, seed: 1, context: 48 });
  assert.is(plain.batchAt(0).image, undefined);
  const batches = withImages(plain, imagesOf(data, store));
  // The last of an epoch has one row that is left over.
  for (const index of [3, 0, 7, 2]) {
    const { image, examples, tokens } = batches.batchAt(index);
    assert.equal(tokens, plain.batchAt(index).tokens);
    const expected = [...examples].map((i) => cutPicture(noise(10 + i, 9, 0, 255, i), rules));
    assert.equal(image, patchPictures(expected, rules));
    assert.is(image?.length, 2 * patchNumbers(rules));
  }
});

t('fields of a record stand before the question of the task', async () => {
  const data = await load([
    line('x.png', { caption: 'cab' }),
    line('x.png', { instruction: 'cc', output: 'a' }),
  ]);
  const tokenizer = await openTokenizer(join(folder, 'tokenizer.bin'));
  const texts = data.examples.map(({ tokens }) => tokenizer.decode([...tokens]));
  assert.match(texts[0] ?? '', /ab=cab/);
  assert.match(texts[1] ?? '', /cc=a/);
});

t('bad pictures are left out, counted and named', async () => {
  const { store } = counting();
  const data = await load(
    ['files/0.png', 'files/half.jpg', 'files/1.png', 'files/words.png'].map((path) => line(path)),
    store,
  );
  assert.is(data.report.examples, 2);
  assert.equal([...(data.pictures ?? [])], [0, 1]);
  const bad = data.report.bad ?? [];
  assert.equal(
    bad.map(({ where }) => where.replace(/.*data/, 'data')),
    ['data.jsonl:2', 'data.jsonl:4'],
  );
  assert.match(bad[0]?.image ?? '', /half\.jpg$/);
  assert.match(bad[0]?.reason ?? '', /cannot be decoded/);
  assert.match(bad[1]?.reason ?? '', /no PNG, JPEG or WebP: it begins with "not a pi"/);
});

t('mistakes in the data are told with their line', async () => {
  const lines = [line('files/0.png'), line('files/nowhere.png')];
  await fails(
    load(lines, counting().store),
    /data\.jsonl:2: cannot read .*nowhere\.png: there is no such file/,
  );
  await fails(load([line('files/0.png'), line(7)], counting().store), /data\.jsonl:2: no field `image`/);
  await fails(load([line('files/0.png', {})], counting().store), /data\.jsonl:1: no field `output`/);
  await fails(
    load([line('files/half.jpg'), line('files/words.png')], counting().store),
    /none of its 2 pictures can be used/,
    /data\.jsonl:1: .*half\.jpg/,
    /data\.jsonl:2: .*words\.png/,
  );
});

t('paths are taken from the data file', () => {
  assert.is(besideFile('a/b/c.jsonl', 'd/e.png'), 'a/b/d/e.png');
  assert.is(besideFile('c.jsonl', 'e.png'), 'e.png');
  assert.is(besideFile('a/c.jsonl', '/e.png'), '/e.png');
  assert.is(besideFile('a/c.jsonl', 'https://host/e.png'), 'https://host/e.png');
  assert.is(besideFile('https://host/a/c.jsonl', 'e.png'), 'https://host/a/e.png');
});

t('a name tells the content of a picture, whatever it is called', async () => {
  const copy = join(folder, 'files/copy.png');
  copyFileSync(join(folder, 'files/0.png'), copy);
  const [first, second] = [counting().store, counting().store];
  await first.addAll([0, 1].map((i) => join(folder, `files/${i}.png`)));
  await second.addAll([copy]);
  assert.is(second.nameOf(0), first.nameOf(0));
  assert.is.not(first.nameOf(1), first.nameOf(0));
});

t('what does not fit into memory is kept on disk, and not decoded again', async () => {
  const cache = pictureFolder(join(folder, 'cache'));
  const paths = [0, 1, 2, 3, 4].map((i) => join(folder, `files/${i}.png`));
  const first = counting({ cache, memory: 3 * 192 });
  assert.equal(await first.store.addAll(paths), [0, 1, 2, 3, 4]);
  assert.is(first.seen.decoded, 5);
  const files = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
  assert.is(files.filter((file) => file.endsWith('.rgb')).length, 5);
  const second = counting({ cache, memory: 3 * 192 });
  await second.store.addAll(paths);
  assert.is(second.seen.decoded, 0);
  for (let i = 0; i < 5; i++)
    assert.equal(Uint8Array.from(second.store.get(i)), cutPicture(noise(10 + i, 9, 0, 255, i), rules));
  const small = counting({ cache });
  await small.store.addAll(paths);
  assert.is(small.seen.decoded, 5, 'few pictures do not touch the disk');
});

t.run();
