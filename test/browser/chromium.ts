/** Starts a headless Chromium that has WebGPU, whichever one can be had. */
import { type Browser, chromium } from 'playwright-core';
import { type Chromium, fetchChromium, installedChromium } from '../../runtime/setup/chromium.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Without it Chromium on Linux gives no adapter. */
const WITH_WEBGPU = '--enable-unsafe-webgpu';

/** A browser with WebGPU, and the program it is. */
export interface Found {
  readonly browser: Browser;
  readonly chromium: Chromium;
}

export function launch({ executable, env }: Chromium, webgpu = true): Promise<Browser> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return chromium.launch({
    executablePath: executable,
    args: webgpu ? [...FLAGS, WITH_WEBGPU] : FLAGS,
    env: { ...Object.fromEntries(inherited), ...env },
    timeout: 60_000,
  });
}

const fetched = (): Chromium => fetchChromium({ log: (text) => console.log(`  chromium: ${text}`) });

/**
 * An installed browser if it starts and has an adapter, else the fetched one; one that CHROMIUM names counts alone. A text is
 * the reason why there is none.
 */
export async function findBrowser(page: string): Promise<Found | string> {
  const problems: string[] = [];
  for (const candidate of process.env['CHROMIUM'] ? [installedChromium] : [installedChromium, fetched]) {
    try {
      const found = candidate();
      const browser = found && (await openWithAdapter(found, page));
      if (browser) return { browser, chromium: found };
    } catch (error) {
      problems.push((error as Error).message.split('\n').slice(0, 3).join(' '));
    }
  }
  return problems.join('; ');
}

async function openWithAdapter(found: Chromium, address: string): Promise<Browser> {
  const browser = await launch(found);
  try {
    const page = await browser.newPage();
    await page.goto(address);
    const works = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
    if (!works) throw new Error(`${found.executable} has no WebGPU adapter`);
    await page.close();
    return browser;
  } catch (error) {
    await browser.close();
    throw error;
  }
}
