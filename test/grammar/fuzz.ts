/**
 * `npm run fuzz -- --count N --seed S`: mutations S to S + N - 1 of the repository's specs and of random trees, through
 * parser, checker and formatter. Prints what it did; a mutation that failed is run again with `--count 1`.
 */
import { parseArgs } from 'node:util';
import { startWatchdog } from '../watchdog.ts';
import { mutation } from './mutate.ts';
import { assertHolds } from './properties.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '0' } },
});
const count = Number(values.count);
const first = Number(values.seed);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(first) || count < 1 || first < 0)
  throw new Error('--count and --seed are whole numbers');

const started = performance.now();
const watchdog = startWatchdog(60_000);
const codes = new Map<string, number>();
const tally = { passed: 0, failed: 0, skipped: 0 };
let [clean, bytes, slowest, slowestSeed] = [0, 0, 0, 0];

const seconds = (): string => ((performance.now() - started) / 1000).toFixed(0);

async function runOne(seed: number): Promise<void> {
  const text = mutation(seed);
  const before = performance.now();
  bytes += text.length;
  try {
    const found = await assertHolds(text);
    if (![...found].some((code) => code.startsWith('A0'))) clean += 1;
    for (const code of found) codes.set(code, (codes.get(code) ?? 0) + 1);
    tally.passed += 1;
  } catch (error) {
    tally.failed += 1;
    if (tally.failed <= 10)
      console.log(`\nmutation ${seed}:\n${text}\n${error instanceof Error ? error.stack : String(error)}`);
  }
  const took = performance.now() - before;
  if (took > slowest) [slowest, slowestSeed] = [took, seed];
}

for (let seed = first; seed < first + count; seed++) {
  watchdog.watch(`mutation ${seed}`, tally);
  await runOne(seed);
  if ((seed - first + 1) % 10_000 === 0)
    console.log(`${seed - first + 1} of ${count}: ${tally.failed} failed, ${seconds()} s`);
}
await watchdog.stop();

console.log(`
${count} mutations from seed ${first}, ${(bytes / 1e6).toFixed(1)} million characters, in ${seconds()} s
${clean} without a mistake in the syntax, and formatted; ${count - clean} with one
${codes.size} codes reported: ${[...codes]
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([code, n]) => `${code} ${n}`)
  .join(', ')}
slowest: mutation ${slowestSeed}, ${slowest.toFixed(0)} ms
${tally.failed} failed`);
process.exit(tally.failed > 0 ? 1 : 0);
