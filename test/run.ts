/**
 * Runs `test/**\/*.test.ts` in one process, so that a device is opened and its kernels are compiled once.
 * Arguments are parts of paths: `npm test -- device` runs the files whose path contains `device`.
 * uvu runs the suites; we count, since it does not notice a file that runs nothing, and has no time limit.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { skipped } from './skip.ts';
import { startWatchdog, type Counts } from './watchdog.ts';

type SuiteRun = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;

const uvu = globalThis as unknown as { UVU_DEFER: number; UVU_QUEUE: SuiteRun[][]; UVU_INDEX: number };
// uvu reads this once, when it is first loaded: it must not run suites by itself.
uvu.UVU_DEFER = 1;

const root = process.env.GRAFT_TEST_ROOT ?? import.meta.dirname;
const limit = Number(process.env.GRAFT_TEST_TIMEOUT ?? 240) * 1000;
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join(root, file))
  .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
  .sort();

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const complain = (file: string, what: string): void => {
  counts.failed += 1;
  console.log(`\n  ${file}: ${what}\n`);
};
let current = '';
process.on('unhandledRejection', (error) =>
  complain(current, `a promise failed unnoticed: ${describe(error)}`),
);

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function runFile(path: string): Promise<void> {
  const text = readFileSync(path, 'utf8');
  const suites = text.match(/=\s*suite\(/g)?.length ?? 0;
  if (suites > (text.match(/\.run\(\)/g)?.length ?? 0))
    complain(current, 'a suite is never run: .run() is missing');
  uvu.UVU_QUEUE = [[]];
  uvu.UVU_INDEX = 0;
  await import(pathToFileURL(path).href);
  const runs = uvu.UVU_QUEUE[0] ?? [];
  if (runs.length === 0 && suites === 0) complain(current, 'it runs no suite');
  for (const run of runs) {
    const atRunTime = skipped.length;
    const [errors, passed, skips, total] = await run();
    if (typeof errors === 'string') console.log(`\n${errors}`);
    else if (passed < total) console.log(`\n  ${current}: a 'before' or 'after' hook failed\n`);
    const late = skipped.length - atRunTime;
    counts.passed += passed - late;
    counts.failed += total - passed;
    counts.skipped += skips + late;
  }
}

const watchdog = startWatchdog(limit);
await import('uvu');
for (const path of files) {
  current = relative(process.cwd(), path);
  watchdog.watch(current, counts);
  const start = performance.now();
  console.log(current);
  try {
    await runFile(path);
  } catch (error) {
    complain(current, `it does not load: ${describe(error)}`);
  }
  console.log(`  ${((performance.now() - start) / 1000).toFixed(2)} s`);
}
await watchdog.stop();

for (const reason of new Set(skipped)) console.log(`skipped: ${reason}`);
const { passed, failed } = counts;
if (passed + failed + counts.skipped === 0) console.log('no test ran: that counts as a failure');
console.log(`${passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
// Exits even if a test left something open; the lines above are written by then.
process.exit(failed > 0 || passed + counts.skipped === 0 ? 1 : 0);
