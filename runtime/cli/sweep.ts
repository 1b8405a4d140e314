/** `graft sweep SPEC[:NAME]`: every trial of a sweep, once, and a report of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeHost } from '../hosts/node.ts';
import { InputError } from '../input-error.ts';
import { reportHtml } from '../report/html.ts';
import { reportText } from '../report/text.ts';
import { type Command, EXIT, UsageError, wholeNumber } from './command.ts';
import { checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { diskError } from '../sweep/files.ts';
import { isWorker, runJobs } from './sweep/jobs.ts';
import { type Plan, type PlannedTrial, planSweep } from '../sweep/plan.ts';
import { sweepReport } from '../sweep/report.ts';
import { isSame, readResults, writeCsv } from '../sweep/results.ts';
import { openFolder, runSweep } from '../sweep/run.ts';
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
    const wanted = choose(plan, values.only ?? []);
    openFolder(folder, plan);
    const worker = isWorker();
    if (!values.report) {
      requireOneThatRuns(wanted);
      if (!worker) announce(plan, wanted, folder);
      if (jobs > 1 && !worker) await runJobs(jobs, withoutJobs(argv));
      else
        await runSweep(plan, {
          folder,
          wanted,
          retry: values.retry,
          watch: makeWatch(process.stderr, wanted.length),
        });
    }
    return worker ? EXIT.ok : finish(plan, wanted, folder, values.report);
  },
};

/** Trials whose name has one of the texts; blanks around `=` make no difference. */
function choose({ trials, sweep }: Plan, texts: readonly string[]): readonly PlannedTrial[] {
  const plain = (text: string): string => text.replace(/\s*=\s*/g, '=');
  const wanted = trials.filter(
    ({ key }) => texts.length === 0 || texts.some((text) => plain(key).includes(plain(text))),
  );
  if (wanted.length > 0) return wanted;
  throw new InputError(
    `no trial of \`${sweep.name}\` has \`${texts.join('` or `')}\` in its name`,
    `they are called such as \`${trials[0]?.key ?? ''}\``,
  );
}

/** When no trial can run, nothing is recorded: it is one mistake, not as many as there are trials. */
function requireOneThatRuns(wanted: readonly PlannedTrial[]): void {
  const [first] = wanted;
  if (
    first === undefined ||
    typeof first.work !== 'string' ||
    wanted.some(({ work }) => typeof work !== 'string')
  )
    return;
  throw new InputError(`no trial can run; \`${first.key}\`:\n${first.work}`, 'correct the spec or its data');
}

function announce({ sweep }: Plan, wanted: readonly PlannedTrial[], folder: string): void {
  const results = readResults(folder);
  const lines = wanted.flatMap((trial) => {
    const line = results.get(trial.key);
    return line && isSame(line, trial) ? [line] : [];
  });
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
function finish(plan: Plan, wanted: readonly PlannedTrial[], folder: string, quiet: boolean): number {
  const results = readResults(folder);
  const report = sweepReport(plan, results);
  const lines = plan.trials.flatMap((trial) => {
    const line = results.get(trial.key);
    return line && isSame(line, trial) ? [line] : [];
  });
  try {
    writeCsv(folder, lines);
    writeFileSync(join(folder, 'report.html'), reportHtml(report));
  } catch (error) {
    throw diskError(error, folder) ?? error;
  }
  console.log(reportText(report));
  console.log(`${folder}: report.html, results.csv, results.jsonl`);
  const failed = wanted.some(({ key }) => results.get(key)?.figures === undefined);
  return failed && !quiet ? EXIT.failed : EXIT.ok;
}
