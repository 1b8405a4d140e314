/**
 * The interference table:
 *
 *   node --import tsx examples/fusion/run.ts [--seeds 0,1,2] [--only TEXT]... [--retry] [--short] [--report]
 *
 * A finished trial is a line of `runs/fusion/results.jsonl` and is not repeated; tables and plot go to standard output.
 * `--only late-shared --only "joint 0"` takes the trials whose key (design, schedule, seed) has one of the texts in
 * it; `--short` takes a twentieth of the steps and few questions, into a file of its own, to see that all of it runs;
 * `--report` only prints what is there.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { clock } from '../../runtime/cli/progress.ts';
import { type Device, openDevice } from '../../runtime/device.ts';
import { answererOf } from './answers.ts';
import { buildData } from './build.ts';
import { allTrials, designs, type Schedule, type Stage, stagesOf } from './designs.ts';
import { here, modelOf, openLab } from './lab.ts';
import { type Outcome, type Point, report, stepsText } from './report.ts';
import { measure, type MeasureOptions } from './score.ts';
import { type Memory, trainStages } from './train.ts';
import { keyOf, readTrials, runTrials, type Trial } from './trials.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

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
/** Of the steps, and of the questions of each task, in a short run. */
const SHORT = { steps: 20, most: 8 };

const say = (text: string): void => console.error(text);

/** A twentieth of a stage, measured at the end only. */
const shortened = (stage: Stage): Stage => {
  const steps = Math.max(1, Math.round(stage.steps / SHORT.steps));
  return { recipe: { ...stage.recipe, steps }, steps, measureAt: [steps] };
};

async function runTrial(
  device: Device,
  workshop: Workshop,
  memory: Memory,
  { design, schedule, seed }: Trial,
): Promise<Outcome> {
  const found = designs[design];
  const recipe = found?.recipes[schedule as Schedule];
  if (!found || !recipe) throw new Error(`no design ${design} with the schedule ${schedule}`);
  const model = modelOf('fusion', found.adapter);
  const lab = await openLab(device, workshop, model, { recipe, seed });
  const asked: MeasureOptions = {
    blank: found.blank ?? false,
    ...(options.short ? { most: SHORT.most } : {}),
  };
  const points: Point[] = [];
  const stages = stagesOf(lab.recipe).map((stage) => (options.short ? shortened(stage) : stage));
  const answerer = answererOf(lab);
  let training = 0;
  let since = performance.now();
  try {
    await trainStages(
      lab,
      stages,
      {
        onStep: (task, loss, done, of) => {
          if (done % 100 === 0 || done === of) say(`  step ${done}/${of}  ${task}  loss ${loss.toFixed(3)}`);
        },
        onMeasure: async (steps) => {
          training += performance.now() - since;
          const figures = await measure(answerer, workshop.exam, workshop.tokenizer, asked);
          points.push({ steps, figures });
          say(
            `  after ${stepsText(steps)}: text ${figures.text.toFixed(2)}, + image ${figures.pictured.toFixed(2)}, captions ${figures.captions.toFixed(2)} / ${figures.captionsHeldStyle.toFixed(2)}`,
          );
          since = performance.now();
        },
      },
      memory,
    );
  } finally {
    lab.session.executor.destroy();
  }
  const trains = new Set(model.tasks.flatMap((task) => task.trains));
  const trained = model.parameters
    .filter(({ name }) => trains.has(name))
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const seconds = Math.round(training / 1000);
  return { points, trained, training: seconds, device: device.adapter.description, commit: commit() };
}

/** What the trial was run with; empty outside of a checkout. */
function commit(): string {
  try {
    const git = ['rev-parse', '--short', 'HEAD'];
    return execFileSync('git', git, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

async function main(): Promise<void> {
  const seeds = options.seeds.split(',').map(Number);
  if (!seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
    throw new Error(`--seeds ${options.seeds}: write whole numbers with commas between them`);
  const wanted = allTrials(seeds).filter(
    (trial) => options.only.length === 0 || options.only.some((text) => keyOf(trial).includes(text)),
  );
  if (wanted.length === 0) throw new Error(`no trial has ${options.only.join(' or ')} in its name`);
  if (!options.report) {
    if (!existsSync(here('eye.safetensors')))
      throw new Error('eye.safetensors is missing: node --import tsx examples/fusion/eye.ts makes it');
    await buildData(say);
    const device = await openDevice();
    const workshop = await openWorkshop(modelOf('fusion', 'EarlyDisjoint'));
    const start = performance.now();
    let ran = 0;
    const memory: Memory = new Map();
    await runTrials(FILE, wanted, (trial) => runTrial(device, workshop, memory, trial), {
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
  console.log(report(readTrials<Outcome>(FILE)));
}

await main();
