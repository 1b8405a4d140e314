/** A page reads picture files as Node does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import sharp from 'sharp';
import { decodePicture } from '../../runtime/images/node.ts';
import type { Picture } from '../../runtime/images/picture.ts';
import { bundleRuntime } from '../browser/bundle.ts';
import { type Found, findBrowser } from '../browser/chromium.ts';
import { serve, type WebServer } from '../browser/server.ts';
import { skip } from '../skip.ts';
import { noise, png, quarters, written } from './make.ts';

const t = suite('pictures in a page');

let found: Found | string = 'the search for a browser failed';
let server: WebServer;

t.before(async () => {
  server = await serve(
    new Map([
      ['/graft.js', (await bundleRuntime()).code],
      ['/empty.html', ''],
    ]),
  );
  found = await findBrowser(`${server.origin}/empty.html`);
});
t.after(async () => {
  if (typeof found !== 'string') await found.browser.close();
  await server.close();
});

/** What the page needs of the bundle. */
interface Graft {
  readonly decodePicture: (bytes: Uint8Array) => Promise<Picture>;
  readonly cutPicture: (picture: Picture, rules: { resolution: number }) => Uint8Array;
}
interface Read {
  readonly size: readonly number[];
  readonly rgb: readonly number[];
  readonly cut: readonly number[];
  readonly error: string;
}

/** Reads a file in the page; an error comes back as its text. */
async function inPage({ browser }: Found, bytes: Uint8Array): Promise<Read> {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/empty.html`);
  const read = await page.evaluate(
    async ({ url, numbers }): Promise<Read> => {
      const graft = (await import(url)) as Graft;
      try {
        const picture = await graft.decodePicture(Uint8Array.from(numbers));
        const cut = graft.cutPicture(picture, { resolution: 16 });
        return { size: [picture.width, picture.height], rgb: [...picture.rgb], cut: [...cut], error: '' };
      } catch (error) {
        return { size: [], rgb: [], cut: [], error: String(error) };
      }
    },
    { url: `${server.origin}/graft.js`, numbers: [...bytes] },
  );
  await page.close();
  return read;
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length
    ? Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] ?? NaN))), 0)
    : Infinity;

async function compare(browser: Found, name: string, bytes: Uint8Array, most: number): Promise<void> {
  const [page, node] = [await inPage(browser, bytes), await decodePicture(bytes)];
  assert.is(page.error, '', name);
  assert.equal(page.size, [node.width, node.height], name);
  const away = farthest(page.rgb, node.rgb);
  assert.ok(away <= most, `${name}: ${away} of 255 apart`);
}

t('a page reads what Node reads', async () => {
  if (typeof found === 'string') return skip(`no browser: ${found}`);
  const picture = noise(21, 13);
  await compare(found, 'png', await png(picture), 0);
  await compare(found, 'grey', await written(picture).greyscale().png().toBuffer(), 0);
  await compare(found, 'webp', await written(picture).webp({ lossless: true }).toBuffer(), 0);
  // Decoders of lossy formats round each in their own way.
  await compare(found, 'jpeg', await written(quarters(32, 32)).jpeg({ quality: 95 }).toBuffer(), 8);
  const turned = written(quarters(32, 16)).jpeg({ quality: 95 }).withMetadata({ orientation: 6 });
  await compare(found, 'turned', await turned.toBuffer(), 8);
  const rgba = Uint8Array.from([255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 128, 10, 20, 30, 51]);
  const clear = sharp(rgba, { raw: { width: 4, height: 1, channels: 4 } }).png();
  await compare(found, 'transparent', await clear.toBuffer(), 1);
});

t('a page refuses what Node refuses', async () => {
  if (typeof found === 'string') return skip(`no browser: ${found}`);
  const half = (await written(noise(64, 64)).webp().toBuffer()).subarray(0, 200);
  assert.match((await inPage(found, half)).error, /PictureError: it cannot be decoded/);
  assert.match((await inPage(found, new TextEncoder().encode('hello'))).error, /no PNG, JPEG or WebP/);
});

t.run();
