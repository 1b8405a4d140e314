/**
 * `npm run base -- compare [METHOD...]`: prompts, V2, LoRA and full tuning on the same data, three seeds each.
 *
 * A finished trial is a line of `runs/compare/results.jsonl` and is not repeated. The table goes to standard output.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { makeProgress, type Progress } from '../../runtime/cli/progress.ts';
import { type Device, openDevice } from '../../runtime/device/device.ts';
import { meanRight, type Score, table } from './evaluate.ts';
import { here } from './here.ts';
import { openScored, score, train } from './scored.ts';
import { scoredTasks, type Instruction } from './words.ts';

const FOLDER = 'runs/compare';
const RESULTS = `${FOLDER}/results.jsonl`;
const SEEDS = [0, 1, 2];
const METHODS: Readonly<Record<string, string>> = {
  'V1 prompts': 'v1.adapter',
  V2: 'instruct.adapter',
  LoRA: 'lora.adapter',
  'full tuning': 'full.adapter',
};

interface Trial {
  readonly method: string;
  readonly seed: number;
  /** Trained numbers. */
  readonly trained: number;
  readonly steps: number;
  /** Training alone, in seconds. */
  readonly seconds: number;
  readonly scores: readonly Score[];
  readonly device: string;
  readonly commit: string;
}

async function runTrial(
  device: Device,
  items: readonly Instruction[],
  method: string,
  seed: number,
): Promise<Trial> {
  const scored = await openScored(device, METHODS[method] ?? '', seed);
  const folder = `${FOLDER}/${method.replace(' ', '-')}-${seed}`;
  await rm(folder, { recursive: true, force: true });
  let progress: Progress | null = null;
  const start = performance.now();
  const { steps } = await train(scored, folder, {
    onStart: (first) => (progress = makeProgress(process.stderr, first)),
    onStep: (metrics, horizon) => progress?.step(metrics, horizon),
  });
  const seconds = (performance.now() - start) / 1000;
  (progress as Progress | null)?.end();
  const scores = await score(scored, items);
  const trained = new Set(scored.project.model.tasks.flatMap((task) => task.trains));
  const count = scored.project.model.parameters
    .filter((p) => trained.has(p.name))
    .reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0);
  scored.session.executor.destroy();
  return {
    method,
    seed,
    trained: count,
    steps,
    seconds,
    scores,
    device: device.adapter.description,
    commit: commit(),
  };
}

/** What the trial was run with; empty outside of a checkout. */
function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}

const lines = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];

/** Mean, and the spread from least to most. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.length === 1
    ? mean.toFixed(2)
    : `${mean.toFixed(2)} (${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)})`;
}

function report(trials: readonly Trial[]): string {
  const header = [
    'method',
    'trained',
    'seeds',
    ...scoredTasks,
    'mean of six',
    'past_irregular',
    'define (nats)',
    'seconds',
  ];
  const rows = Object.keys(METHODS).flatMap((method) => {
    const own = trials.filter((trial) => trial.method === method);
    if (own.length === 0) return [];
    const of = (task: string, what: 'right' | 'loss') =>
      spread(own.map((t) => t.scores.find((s) => s.task === task)?.[what] ?? NaN));
    const mean = spread(own.map((t) => meanRight(t.scores)));
    return [
      [
        method,
        own[0]?.trained.toLocaleString('en-US') ?? '',
        String(own.length),
        ...scoredTasks.map((task) => of(task, 'right')),
        mean,
        of('past_irregular', 'right'),
        of('define', 'loss'),
        spread(own.map((t) => t.seconds)),
      ],
    ];
  });
  return table(header, rows);
}

async function main(): Promise<void> {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(METHODS);
  const unknown = wanted.filter((method) => !Object.hasOwn(METHODS, method));
  if (unknown.length > 0)
    throw new Error(`no method ${unknown.join(', ')}; there are ${Object.keys(METHODS).join(', ')}`);
  await mkdir(FOLDER, { recursive: true });
  const items = lines(here('data/instructions.heldout.jsonl')).map((line) => JSON.parse(line) as Instruction);
  const device = await openDevice();
  for (const method of wanted)
    for (const seed of SEEDS) {
      const done = lines(RESULTS).map((line) => JSON.parse(line) as Trial);
      if (done.some((trial) => trial.method === method && trial.seed === seed)) continue;
      console.error(`${method}, seed ${seed}`);
      await appendFile(RESULTS, `${JSON.stringify(await runTrial(device, items, method, seed))}\n`);
    }
  console.log(report(lines(RESULTS).map((line) => JSON.parse(line) as Trial)));
}

await main();
