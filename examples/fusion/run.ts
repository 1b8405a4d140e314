/**
 * The interference table:
 *
 *   npm run fusion -- table [--seeds 0,1,2] [--only TEXT]... [--retry] [--short] [--report]
 *
 * A finished trial is a line of `runs/fusion/results.jsonl` and is not repeated; tables and plot go to standard output,
 * and into `results.html` beside it.
 * `--only late-shared --only "joint 0"` takes the trials whose key (design, schedule, seed) has one of the texts in
 * it; `--short` takes a twentieth of the steps and few questions, into a file of its own, to see that all of it runs;
 * `--report` only prints what is there.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { clock } from '../../runtime/cli/progress.ts';
import { openDevice } from '../../runtime/device/device.ts';
import { reportHtml } from '../../runtime/report/html.ts';
import { reportText } from '../../runtime/report/text.ts';
import { buildData } from './build.ts';
import { allTrials, designs, type Stage } from './designs.ts';
import { here, modelOf } from './candidate.ts';
import { fusionReport, type Outcome } from './report.ts';
import type { Memory } from './train.ts';
import { runTrial, type TrialOptions } from './trial.ts';
import { keyOf, readTrials, runTrials } from './trials.ts';
import { openMaterials } from './materials.ts';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '0,1,2' },
    only: { type: 'string', multiple: true, default: [] },
    retry: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
});
const FILE = `runs/fusion/${options.short ? 'short' : 'results'}.jsonl`;

const say = (text: string): void => console.error(text);

/** A twentieth of a stage, measured at the end only. */
const shortened = (stage: Stage): Stage => {
  const steps = Math.max(1, Math.round(stage.steps / 20));
  return { recipe: { ...stage.recipe, steps }, steps, measureAt: [steps] };
};
const trialOptions: TrialOptions = options.short ? { say, stage: shortened, most: 8 } : { say };

async function main(): Promise<void> {
  const seeds = options.seeds.split(',').map(Number);
  if (!seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
    throw new Error(`--seeds ${options.seeds}: write whole numbers with commas between them`);
  const named = allTrials(seeds).filter(
    (trial) => options.only.length === 0 || options.only.some((text) => keyOf(trial).includes(text)),
  );
  if (named.length === 0) throw new Error(`no trial has ${options.only.join(' or ')} in its name`);
  if (!options.report) {
    const { weights = '' } = modelOf('deep', 'DeepLateShared').base;
    const wanted = existsSync(weights)
      ? named
      : named.filter(({ design }) => designs[design]?.spec !== 'deep');
    const missing = `${named.length - wanted.length} trials need the deeper base, which \`npm run base -- corpus && npm run base -- grow\` makes`;
    if (wanted.length === 0) throw new Error(missing);
    if (wanted.length < named.length) say(missing);
    if (!existsSync(here('eye.safetensors')))
      throw new Error('eye.safetensors is missing: npm run fusion -- eye makes it');
    await buildData(say);
    const device = await openDevice();
    const materials = await openMaterials(modelOf('fusion', 'EarlyDisjoint'));
    const start = performance.now();
    let ran = 0;
    const memory: Memory = new Map();
    await runTrials(FILE, wanted, (trial) => runTrial(device, materials, memory, trial, trialOptions), {
      retry: options.retry,
      onStart: (trial, index, of) => {
        const each = ran === 0 ? null : (performance.now() - start) / 1000 / ran;
        const left = each === null ? '' : `, at most ${clock(each * (of - index))} left`;
        say(`${keyOf(trial)} (${index + 1} of ${of}${left})`);
        ran++;
      },
      onError: (trial, error) => say(`  ${keyOf(trial)} failed: ${String(error)}`),
    });
  }
  const report = fusionReport(readTrials<Outcome>(FILE), {
    specs: { 'fusion.adapter': readFileSync(here('fusion.adapter'), 'utf8') },
  });
  const page = FILE.replace('.jsonl', '.html');
  writeFileSync(page, reportHtml(report));
  console.log(`${reportText(report)}\n${page}`);
}

await main();
