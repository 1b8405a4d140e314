/** A package in headless Chromium: the page of docs/browser.md must do what Node does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Browser, Page } from 'playwright-core';
import type { Profile } from '../../compiler/package/package.ts';
import { bytesSource } from '../../runtime/weights/source.ts';
import { openSafetensors } from '../../runtime/weights/safetensors.ts';
import { skip } from '../skip.ts';
import { openTestDevice } from '../wgsl/harness.ts';
import { bundleRuntime } from './bundle.ts';
import { type Found, findBrowser, launch } from './chromium.ts';
import { documented } from './documented.ts';
import { type Outcome, runInNode, type Task } from './node.ts';
import { serve, type WebServer } from './server.ts';
import { embeddedSubject, type Subject, tinySubject } from './subject.ts';

const t = suite('browser');
const PLAIN: Profile = { device: 'software', subgroup: null };

const task: Task = {
  // Of different length, so that one of the two is padded.
  instructions: ['plural of lantern', 'the opposite of a very small wooden box'],
  records: ['lantern', 'box', 'very old ship', 'whale'].map((word) => ({
    instruction: `plural of ${word}`,
    output: ` ${word}s`,
  })),
  steps: 2,
};

/** What the page's `run` gives, with the adapter as numbers. */
interface PageOutcome extends Outcome {
  readonly device: string;
  readonly texts: readonly string[];
  readonly adapter: readonly number[];
}

let found: Found | string = 'the search for a browser failed';
let server: WebServer;
const files = new Map<string, string | Uint8Array>();

t.before(async () => {
  files.set('/index.html', documented('html')).set('/page.js', documented('js'));
  files.set('/graft.js', (await bundleRuntime()).code).set('/empty.html', '');
  server = await serve(files);
  found = await findBrowser(`${server.origin}/empty.html`);
});

t.after(async () => {
  if (typeof found !== 'string') await found.browser.close();
  await server.close();
});

/** Continuous integration has to have a browser; elsewhere its absence is a skip. */
function browserOr(reason: (text: string) => void): Found | null {
  if (typeof found !== 'string') return found;
  if (process.env['CI']) throw new Error(`no browser to test with: ${found}`);
  reason(`no browser: ${found}`);
  return null;
}

async function inPage<T>(
  browser: Browser,
  work: (page: Page) => Promise<T>,
  address = '/empty.html',
): Promise<T> {
  // The fetched Chromium has no locale of its own, which breaks Intl.
  const page = await browser.newPage({ locale: 'en-US' });
  try {
    await page.goto(`${server.origin}${address}`);
    return await work(page);
  } finally {
    await page.close();
  }
}

interface DocumentedPage {
  run(task: Task): Promise<Omit<PageOutcome, 'adapter'> & { readonly adapter: Blob }>;
}

const runInPage = (page: Page, given: Task): Promise<PageOutcome> =>
  page.evaluate(
    async ([module, asked]) => {
      const { run } = (await import(module)) as DocumentedPage;
      const outcome = await run(asked);
      return { ...outcome, adapter: [...new Uint8Array(await outcome.adapter.arrayBuffer())] };
    },
    ['/page.js', given] as const,
  );

async function compareWithNode(subject: Subject): Promise<void> {
  const ready = browserOr(skip);
  if (!ready) return;
  const device = await openTestDevice();
  if (!device) return skip('no device');
  for (const [path, content] of subject.files) files.set(path, content);
  const start = performance.now();
  const actual = await inPage(ready.browser, (page) => runInPage(page, task));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const wanted = await runInNode(device, subject, task);
  console.log(
    `  ${actual.device}, ${seconds} s; losses ${actual.losses.join(', ')}, in Node ${wanted.losses.join(', ')}`,
  );
  assert.equal(actual.answers, wanted.answers, 'greedy tokens');
  assert.is(wanted.losses.length, task.steps);
  wanted.losses.forEach((loss, step) => {
    const error = Math.abs(loss - (actual.losses[step] ?? NaN));
    assert.ok(error < 1e-4, `loss of step ${step + 1}: ${actual.losses[step]}, in Node ${loss}`);
  });
  const adapter = await openSafetensors(bytesSource('adapter of the page', Uint8Array.from(actual.adapter)));
  const trained = subject.compiled.manifest.parameters.filter((p) => p.cell !== null);
  assert.equal([...adapter.tensors.keys()].sort(), trained.map((p) => p.name).sort());
}

t('gives the tokens and the losses of Node, from the page that the docs show', async () => {
  await compareWithNode(await tinySubject());
});

t('does so on the embedded base', async () => {
  const subject = await embeddedSubject(PLAIN);
  if (!subject) return skip('examples/base has no weights yet');
  await compareWithNode(subject);
});

/** Puts another package on the server: one that a browser without a GPU compiles in seconds. */
async function servePlain(): Promise<Subject> {
  const subject = await tinySubject(PLAIN);
  for (const [path, content] of subject.files) files.set(path, content);
  return subject;
}

t('shows its result or its error on the documented page', async () => {
  const ready = browserOr(skip);
  if (!ready) return;
  await servePlain();
  const shown = (page: Page) =>
    page.waitForFunction(
      () => /^(?!loading)[^]+/.exec(document.querySelector('#log')?.textContent ?? '')?.[0],
    );
  const text = await inPage(ready.browser, async (page) => (await shown(page)).jsonValue(), '/index.html');
  assert.match(text ?? '', /"answers"/);
  files.delete('/adapter.safetensors');
  const error = await inPage(ready.browser, async (page) => (await shown(page)).jsonValue(), '/index.html');
  assert.match(error ?? '', /cannot load http.*adapter\.safetensors: 404[^]*help: check the address/);
});

const WORKER = `
  import { run } from './page.js';
  addEventListener('message', ({ data }) => run(data).then(({ answers }) => postMessage(answers), (error) => postMessage(String(error))));
`;

t('runs in a worker', async () => {
  const ready = browserOr(skip);
  if (!ready) return;
  const device = await openTestDevice();
  if (!device) return skip('no device');
  const subject = await servePlain();
  files.set('/worker.js', WORKER);
  const answers = await inPage(ready.browser, (page) =>
    page.evaluate((asked) => {
      const worker = new Worker('/worker.js', { type: 'module' });
      worker.postMessage(asked);
      return new Promise((done) => worker.addEventListener('message', ({ data }) => done(data)));
    }, task),
  );
  assert.equal(answers, (await runInNode(device, subject, task)).answers);
});

t('refuses a package for subgroups of another size', async () => {
  const ready = browserOr(skip);
  if (!ready) return;
  const { manifest } = (await servePlain()).compiled;
  files.set(
    '/package/manifest.json',
    JSON.stringify({ ...manifest, profile: { device: 'software', subgroup: 64 } }),
  );
  const message = await inPage(ready.browser, (page) => runInPage(page, task).then(() => 'it ran', String));
  assert.match(
    message,
    /compiled for subgroups of 64; this device has (no subgroups|subgroups of [^]*)build it again with `graft build SPEC --profile gpu`/,
  );
});

t('says what is missing where there is no WebGPU', async () => {
  const ready = browserOr(skip);
  if (!ready) return;
  await servePlain();
  const without = await launch(ready.chromium, false);
  try {
    const has = await inPage(without, (page) =>
      page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter())),
    );
    if (has) return skip('this Chromium has WebGPU without being asked for it');
    const message = await inPage(without, (page) => runInPage(page, task).then(() => 'it ran', String));
    assert.match(message, /this browser offers no WebGPU\. It needs Chrome/);
  } finally {
    await without.close();
  }
});

t('loads no module of Node, and not much of anything', async () => {
  const { firstBytes, modules } = await bundleRuntime();
  assert.equal(
    modules.filter((name) => name.startsWith('node:') || name.includes('/cli/')),
    [],
  );
  // Some 120,000 of them render the chat templates of models.
  assert.ok(firstBytes < 450_000, `${firstBytes} bytes`);
});

t.run();
