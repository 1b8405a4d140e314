/** One trial of the interference table: a design trained by a schedule, and measured on the way. */
import { execFileSync } from 'node:child_process';
import type { Model } from '../../compiler/model/model.ts';
import type { Device } from '../../runtime/device/device.ts';
import { answererOf } from './answers.ts';
import { designs, type Schedule, type Stage, stagesOf } from './designs.ts';
import { modelOf, openCandidate } from './candidate.ts';
import { type Outcome, type Point, stepsText } from './report.ts';
import { measure } from './score.ts';
import { type Memory, trainStages } from './train.ts';
import type { Trial } from './trials.ts';
import type { Materials } from './materials.ts';

export interface TrialOptions {
  readonly say: (text: string) => void;
  /** Another stage in place of each, such as a shorter one. */
  readonly stage?: (stage: Stage) => Stage;
  /** Most questions of each task and list. */
  readonly most?: number;
}

/** Trains and measures. @throws Error when there is no such trial, or when a loss or a gradient is not finite */
export async function runTrial(
  device: Device,
  materials: Materials,
  memory: Memory,
  { design, schedule, seed }: Trial,
  { say, stage: changed = (stage) => stage, most = Infinity }: TrialOptions,
): Promise<Outcome> {
  const found = designs[design];
  const recipe = found?.recipes[schedule as Schedule];
  if (!found || !recipe) throw new Error(`no design ${design} with the schedule ${schedule}`);
  const model = modelOf(found.spec ?? 'fusion', found.adapter);
  const candidate = await openCandidate(device, materials, model, { recipe, seed });
  const points: Point[] = [];
  const answerer = answererOf(candidate);
  let training = 0;
  let since = performance.now();
  const onMeasure = async (steps: Point['steps']): Promise<void> => {
    training += performance.now() - since;
    const asked = { blank: found.blank ?? false, most };
    const figures = await measure(answerer, materials.exam, materials.tokenizer, asked);
    points.push({ steps, figures });
    say(
      `  after ${stepsText(steps)}: text ${figures.text.toFixed(2)}, + image ${figures.pictured.toFixed(2)}, captions ${figures.captions.toFixed(2)} / ${figures.captionsHeldStyle.toFixed(2)}`,
    );
    since = performance.now();
  };
  const onStep = (task: string, loss: number, done: number, of: number): void => {
    if (done % 100 === 0 || done === of) say(`  step ${done}/${of}  ${task}  loss ${loss.toFixed(3)}`);
  };
  try {
    await trainStages(candidate, stagesOf(candidate.recipe).map(changed), { onMeasure, onStep }, memory);
  } finally {
    candidate.session.executor.destroy();
  }
  return {
    points,
    trained: trainedNumbers(model),
    training: Math.round(training / 1000),
    device: device.adapter.description,
    commit: commit(),
  };
}

function trainedNumbers({ tasks, parameters }: Model): number {
  const trains = new Set(tasks.flatMap((task) => task.trains));
  const own = parameters.filter(({ name }) => trains.has(name));
  return own.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
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
