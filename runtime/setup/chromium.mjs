/**
 * Finds a Chromium for the tests that need a browser, and fetches one: the npm package @sparticuz/chromium holds a headless Chromium
 * with SwiftShader and the libraries that bare systems lack. The system is left alone.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder, readJson, SetupError, writeJson } from './drivers.mjs';
import { downloadPackage, findFile, readTar, swiftshaderObstacle } from './swiftshader.mjs';

const INSTALLED = {
  linux: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
  ],
  darwin: [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/** Where `playwright install` keeps its browsers. */
function playwrightFolder() {
  if (process.env.PLAYWRIGHT_BROWSERS_PATH) return process.env.PLAYWRIGHT_BROWSERS_PATH;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'ms-playwright');
  if (process.platform === 'win32') return join(process.env.LOCALAPPDATA ?? homedir(), 'ms-playwright');
  return join(homedir(), '.cache', 'ms-playwright');
}

const PLAYWRIGHT_FILES = [
  'chrome-linux64/chrome',
  'chrome-linux/chrome',
  'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-win64/chrome.exe',
  'chrome-win/chrome.exe',
];

function playwrightBrowsers() {
  const folder = playwrightFolder();
  if (!existsSync(folder)) return [];
  const revisions = readdirSync(folder).filter((name) => /^chromium-\d+$/.test(name));
  const newest = revisions.sort((a, b) => Number(b.split('-')[1]) - Number(a.split('-')[1]));
  return newest.flatMap((name) => PLAYWRIGHT_FILES.map((file) => join(folder, name, file)));
}

/** A browser that is there already, or null. CHROMIUM names one and then counts alone. */
export function installedChromium() {
  const wanted = process.env.CHROMIUM;
  if (wanted) {
    if (existsSync(wanted)) return { executable: wanted, env: {} };
    throw new SetupError(`CHROMIUM=${wanted}: there is no such file`);
  }
  const candidates = [...(INSTALLED[process.platform] ?? []), ...playwrightBrowsers()];
  const executable = candidates.find((file) => existsSync(file));
  return executable === undefined ? null : { executable, env: {} };
}

/** The browser in the cache, or null. */
function fetchedChromium() {
  const folder = join(cacheFolder(), 'chromium');
  if (readJson(join(folder, 'chromium.json')) === null) return null;
  const libraries = [join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executable: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder },
  };
}

/** Instead of the archive's own, which names folders of the cloud service it is made for. */
const fontsConfig = (folder) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;

function unpackInto(folder, archive) {
  for (const { name, content } of readTar(archive)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

/** Fetches into an empty folder: the program, what it loads from beside itself, and libraries and fonts for it. */
function fetchInto(folder, log) {
  const files = downloadPackage(folder, log);
  const unpacked = (name) => brotliDecompressSync(findFile(files, name));
  for (const archive of ['swiftshader', 'al2023', 'fonts']) unpackInto(folder, unpacked(`${archive}.tar.br`));
  writeFileSync(join(folder, 'chromium'), unpacked('chromium.br'));
  chmodSync(join(folder, 'chromium'), 0o755);
  writeJson(join(folder, 'chromium.json'), { executable: 'chromium' });
}

/** The browser of the cache, fetched when it is not there; throws a `SetupError` with the reason when it cannot be had. */
export function fetchChromium({ log }) {
  const present = fetchedChromium();
  if (present) return present;
  const obstacle = swiftshaderObstacle();
  if (obstacle) throw new SetupError(`Chromium cannot be fetched: ${obstacle}`);
  const destination = join(cacheFolder(), 'chromium');
  const temporary = `${destination}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    fetchInto(temporary, log);
    writeFileSync(join(temporary, 'fonts.conf'), fontsConfig(resolve(destination)));
    rmSync(destination, { recursive: true, force: true });
    renameSync(temporary, destination);
  } catch (error) {
    throw new SetupError(`Chromium cannot be fetched: ${error.message}`, { cause: error });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return fetchedChromium();
}
