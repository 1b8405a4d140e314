/** A report in a browser: nothing sticks out on a phone, nothing is fetched, and text is large enough, on paper as well. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reportHtml } from '../../runtime/report/html.ts';
import { markOf, type Report } from '../../runtime/report/report.ts';
import { fetchChromium, installedChromium } from '../../runtime/setup/chromium.mjs';
import { launch } from '../browser/chromium.ts';
import { skip } from '../skip.ts';

const t = suite('reports in a browser');

const mark = (value: number) => markOf([value, value + 0.1]);
const long = 'a_value_of_some_length, and words';
const report: Report = {
  title: 'A_title_that_is_longer_than_a_phone_is_wide_and_has_no_blank_in_it',
  lead: 'What it is about, said in a few more words than fit on one line of a phone.',
  sections: [1, 2, 3].map((section) => ({
    title: `Section ${section}`,
    blocks: [
      {
        kind: 'lines',
        title: 'curves',
        x: { label: 'step' },
        y: { label: 'nats' },
        series: [0, 1, 2].map((i) => ({
          name: `${long} ${i}`,
          points: Array.from({ length: 60 }, (_, x) => ({ x, mean: i + 1 / (x + 1), least: i, most: i + 1 })),
        })),
      },
      {
        kind: 'dots',
        title: 'dots',
        scale: { label: 'share' },
        series: [''],
        rows: [0, 1, 2].map((i) => ({ name: `${long} ${i}`, marks: [mark(i)] })),
      },
      {
        kind: 'table',
        title: 'A table of many columns',
        columns: Array.from({ length: 12 }, (_, i) => ({ title: `column ${i}`, right: i > 3 })),
        rows: [0, 1].map(() => Array.from({ length: 12 }, () => '0.52 (0.50-0.55)')),
      },
      { kind: 'facts', rows: [['machine', 'x'.repeat(90)]] },
      { kind: 'code', title: 'a/very/long/path/of/a/spec.adapter', text: `${'x'.repeat(140)}\n`.repeat(3) },
    ],
  })),
};

let browser: Browser | string = '';
let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-report-'));
  writeFileSync(join(folder, 'report.html'), reportHtml(report));
  try {
    browser = await launch(installedChromium() ?? fetchChromium({ log: () => undefined }), false);
  } catch (error) {
    browser = String(error).split('\n')[0] ?? '';
  }
});
t.after(async () => {
  if (typeof browser !== 'string') await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(width: number, look: (page: Page) => Promise<void>, dark = false): Promise<void> {
  if (typeof browser === 'string') {
    if (process.env['CI']) throw new Error(`no browser to test with: ${browser}`);
    return skip(`no browser: ${browser}`);
  }
  const page = await browser.newPage({
    locale: 'en-US',
    viewport: { width, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
  });
  const noise: string[] = [];
  page.on('console', (message) => noise.push(message.text()));
  page.on('request', (request) => noise.push(request.url()));
  const address = pathToFileURL(join(folder, 'report.html')).href;
  try {
    await page.goto(address);
    await look(page);
    assert.equal(noise, [address], 'nothing else is fetched, nothing is complained about');
  } finally {
    await page.close();
  }
}

/** Elements that reach beyond the page, other than inside of what scrolls by itself. */
const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const inside = [...document.querySelectorAll('main *')].filter(
      (element) => element.closest('.wide, pre, svg') === null || element.matches('.wide, pre, svg'),
    );
    const out = inside.filter((element) => element.getBoundingClientRect().right > width + 1);
    return [
      ...out.map((element) => `${element.tagName} ${element.className}`),
      ...(document.documentElement.scrollWidth > width ? ['the page'] : []),
    ];
  });

for (const width of [320, 390, 1280])
  t(`nothing sticks out at ${width} pixels`, () =>
    open(width, async (page) => assert.equal(await tooWide(page), [])),
  );

t('text is as large as on other pages, in plots nearly so', () =>
  open(390, async (page) => {
    const sizes = await page.evaluate(() => ({
      body: getComputedStyle(document.body).fontSize,
      cell: getComputedStyle(document.querySelector('td') as Element).fontSize,
      tick: Math.min(
        ...[...document.querySelectorAll('figure svg text')].map(
          (text) => text.getBoundingClientRect().height,
        ),
      ),
    }));
    assert.equal([sizes.body, sizes.cell], ['16px', '16px']);
    assert.ok(sizes.tick >= 11, `${sizes.tick}`);
  }),
);

t('tables scroll inside themselves, not on paper', () =>
  open(390, async (page) => {
    const scrolls = (): Promise<boolean> =>
      page.evaluate(() => {
        const wide = document.querySelector('.wide') as Element;
        return getComputedStyle(wide).overflowX === 'auto' && wide.scrollWidth > wide.clientWidth;
      });
    assert.ok(await scrolls());
    await page.emulateMedia({ media: 'print' });
    assert.not(await scrolls());
  }),
);

t('dark where that is wanted, and never on paper', () =>
  open(
    390,
    async (page) => {
      const background = (): Promise<string> =>
        page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.is(await background(), 'rgb(20, 23, 26)');
      await page.emulateMedia({ media: 'print' });
      assert.is(await background(), 'rgb(255, 255, 255)');
    },
    true,
  ),
);

t.run();
