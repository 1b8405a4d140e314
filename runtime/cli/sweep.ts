/** `graft sweep SPEC[:NAME]`: every trial of a sweep, once, and a report of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeHost } from '../hosts/node.ts';
import { reportHtml } from '../report/html.ts';
import { reportText } from '../report/text.ts';
import { type Command, EXIT, UsageError, wholeNumber } from './command.ts';
import { checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { isWorker, runJobs } from './sweep/jobs.ts';
import { type Plan, type PlannedTrial, planSweep } from '../sweep/plan.ts';
import { sweepReport } from '../sweep/report.ts';
import { chooseTrials, requireOneThatRuns } from '../sweep/choose.ts';
import { csvOf } from '../sweep/csv.ts';
import { linesOf, type TrialLine } from '../sweep/results.ts';
import { requireSameSweep, runSweep } from '../sweep/run.ts';
import type { SweepStore } from '../sweep/store.ts';
import { openFolder } from '../sweep/stores/folder.ts';
import { makeWatch } from './sweep/watch.ts';

const options = {
  out: { type: 'string' },
  steps: { type: 'string' },
  jobs: { type: 'string', default: '1' },
  only: { type: 'string', multiple: true },
  retry: { type: 'boolean', default: false },
  report: { type: 'boolean', default: false },
  ...specOptions,
} as const;

export const command: Command = {
  name: 'sweep',
  summary: 'train every combination of a sweep and report on them',
  usage: `usage: graft sweep SPEC[:SWEEP] [--out FOLDER] [--steps N] [--jobs N] [--only TEXT]... [--retry] [--report]

  Runs the trials that the folder does not have yet. Stop it at any time: the same command goes on. Several may run on one
  folder at once. Results are lines of results.jsonl; results.csv and report.html are made of them.

  --out FOLDER   where results go; default runs/sweep-SWEEP
  --steps N      instead of the recipe's length
  --jobs N       processes that share the trials; default 1
  --only TEXT    trials with this text in their name, such as "late = last 4"; may be repeated
  --retry        run failed trials once more
  --report       run nothing, report what is there
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [spec] = positionals;
    if (positionals.length !== 1 || spec === undefined) throw new UsageError('give one spec');
    if (spec.startsWith('-')) throw new UsageError('a sweep reads its spec for every trial: give a file');
    const steps = values.steps === undefined ? {} : { steps: wholeNumber(values.steps, '--steps', 1) };
    const jobs = wholeNumber(values.jobs, '--jobs', 1);
    const plan = await planSweep(nodeHost, spec, { ...checkOptions(values), ...steps });
    const folder = values.out ?? `runs/sweep-${plan.sweep.name}`;
    const wanted = chooseTrials(plan, values.only ?? []);
    const store = openFolder(folder);
    await requireSameSweep(store, plan);
    const worker = isWorker();
    if (!values.report) {
      requireOneThatRuns(wanted);
      if (!worker) announce(plan, wanted, store.name, await store.results());
      if (jobs > 1 && !worker) await runJobs(jobs, withoutJobs(argv));
      else
        await runSweep(plan, {
          store,
          wanted,
          retry: values.retry,
          watch: makeWatch(process.stderr, wanted.length),
        });
    }
    return worker ? EXIT.ok : finish(plan, wanted, store, values.report);
  },
};

function announce(
  { sweep }: Plan,
  wanted: readonly PlannedTrial[],
  folder: string,
  results: ReadonlyMap<string, TrialLine>,
): void {
  const lines = linesOf(wanted, results);
  const failed = lines.filter((line) => line.failed !== undefined).length;
  const before =
    lines.length === 0
      ? ''
      : `, ${lines.length - failed} finished before${failed > 0 ? `, ${failed} failed before (--retry runs them again)` : ''}`;
  console.error(
    `sweep ${sweep.name}: ${wanted.length} trial${wanted.length === 1 ? '' : 's'}${before}; results go to ${folder}`,
  );
  process.once('SIGINT', () => {
    console.error('\nstopped; the same command goes on');
    process.exit(130);
  });
}

function withoutJobs(argv: readonly string[]): string[] {
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '--jobs') i++;
    else if (!argument.startsWith('--jobs=')) rest.push(argument);
  }
  return rest;
}

/** Writes the files made of the results, prints the report, and says whether every wanted trial finished. */
async function finish(
  plan: Plan,
  wanted: readonly PlannedTrial[],
  store: SweepStore,
  quiet: boolean,
): Promise<number> {
  const folder = store.name;
  const results = await store.results();
  const report = sweepReport(plan, results);
  const lines = linesOf(plan.trials, results);
  try {
    writeFileSync(join(folder, 'results.csv'), csvOf(lines));
    writeFileSync(join(folder, 'report.html'), reportHtml(report));
  } catch (error) {
    throw store.writeError(error) ?? error;
  }
  console.log(reportText(report));
  console.log(`${folder}: report.html, results.csv, results.jsonl`);
  const failed = wanted.some(({ key }) => results.get(key)?.figures === undefined);
  return failed && !quiet ? EXIT.failed : EXIT.ok;
}
