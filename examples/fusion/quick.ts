/**
 * The interference table in small, for `npm start`: one seed, instructions that were trained before, and captions after
 * them in four designs.
 */
import { readFileSync } from 'node:fs';
import { clock } from '../../runtime/cli/progress.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Report } from '../../runtime/report/report.ts';
import { buildData } from './build.ts';
import { designs, type Stage } from './designs.ts';
import { here, modelOf } from './candidate.ts';
import { fusionReport, type Outcome } from './report.ts';
import { type Memory, memoryKey } from './train.ts';
import { runTrial } from './trial.ts';
import { keyOf, type Line } from './trials.ts';
import { openMaterials } from './materials.ts';

/** Captions trained on each design; the whole experiment has 600. */
const CAPTIONS = 150;
/** Questions of each task and list, to keep it short. */
const MOST = 30;
const SHOWN = ['late-shared', 'early-shared', 'late-disjoint', 'early-disjoint'];

export interface Instructed {
  /** Everything that the instructions trained, by name. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly steps: number;
  readonly seed: number;
}

/** Trains captions on the instructed base, design by design. */
export async function quickTable(
  device: Device,
  { state, steps, seed }: Instructed,
  say: (text: string) => void,
): Promise<Report> {
  await buildData((text) => text.startsWith('drawn') && say(text));
  const model = modelOf('fusion', 'EarlyDisjoint');
  const materials = await openMaterials(model);
  const instruct = model.tasks.find(({ name }) => name === 'instruct');
  if (!instruct) throw new Error('fusion.adapter has no task instruct');
  const memory: Memory = new Map([[memoryKey(instruct, steps, seed), state]]);
  const stage = (old: Stage): Stage =>
    old.recipe.mix.parts.some(({ task }) => task === 'caption')
      ? { recipe: { ...old.recipe, steps: CAPTIONS }, steps: CAPTIONS, measureAt: [CAPTIONS] }
      : { ...old, steps, measureAt: [steps] };
  const lines: Line<Outcome>[] = [];
  const start = performance.now();
  for (const [index, design] of SHOWN.entries()) {
    const took = (performance.now() - start) / 1000;
    const left = index === 0 ? '' : `, ${clock((took / index) * (SHOWN.length - index))} left`;
    say(`${designs[design]?.title}: ${CAPTIONS} captions (${index + 1} of ${SHOWN.length}${left})`);
    const trial = { design, schedule: 'sequential', seed };
    const [started, began] = [new Date().toISOString(), performance.now()];
    const result = await runTrial(device, materials, memory, trial, {
      say: () => undefined,
      stage,
      most: MOST,
    });
    lines.push({
      trial: keyOf(trial),
      ...trial,
      started,
      seconds: (performance.now() - began) / 1000,
      result,
    });
  }
  return fusionReport(lines, {
    lead: `Instructions first, then ${CAPTIONS} captions, one seed, ${MOST} questions of each kind: a first look. examples/fusion/run.ts makes the whole table. Shares are of exact matches; losses are nats an answer token.`,
    figures: ['text', 'textLoss', 'pictured', 'captions', 'captionsHeldStyle'],
    specs: { 'fusion.adapter': readFileSync(here('fusion.adapter'), 'utf8') },
  });
}
