/**
 * What an expert's words do to answers about an image: when they are true, when they are a captioner's, and when they
 * lie; early in training, while the visual path is weak, and at its end.
 *
 *   npm run fusion -- experts [--seeds 0,1,2] [--report]
 *
 * A finished trial is a line of `runs/fusion/assisted.jsonl` and is not repeated.
 */
import { parseArgs } from 'node:util';
import { templateFor } from '../../runtime/data/rules.ts';
import { fillPrompt } from '../../runtime/data/templates.ts';
import { type Device, openDevice } from '../../runtime/device/device.ts';
import { contextFor, withContext } from '../../runtime/experts/context.ts';
import { promptOf } from '../base/evaluate.ts';
import { answererOf } from './answers.ts';
import { type Assisted, assistedTable, type Help, type Point } from './assisted-table.ts';
import { buildData } from './build.ts';
import { loadConcepts, withRole } from './concepts.ts';
import { type Candidate, modelOf, openCandidate } from './candidate.ts';
import { ask, type Pictured } from './lists.ts';
import { shownIn } from './draw.ts';
import { questionsRight } from './score.ts';
import { trainStages } from './train.ts';
import { keyOf, readTrials, runTrials, type Trial } from './trials.ts';
import { openMaterials, type Materials } from './materials.ts';

const FILE = 'runs/fusion/assisted.jsonl';
const DESIGN = { design: 'assisted', schedule: 'assisted' } as const;

/** Steps after which the visual path is still weak, and the whole run. */
const LOOKS = [200, 1000];

type Words = (image: string) => string;

/** What each expert says of a picture. The liar names the next thing in the list. */
function expertsOf(captions: ReadonlyMap<string, string>): Readonly<Record<Help, Words>> {
  const names = withRole(loadConcepts(), 'asked', 'named').map(({ name }) => name);
  const next = (name: string): string => names[(names.indexOf(name) + 1) % names.length] ?? '';
  return {
    none: () => '',
    truth: shownIn,
    captioner: (image) => captions.get(image)?.trim() ?? '',
    lie: (image) => next(shownIn(image)),
  };
}

/** A question with what the spec's expert says in front of it, as `graft generate` would put it. */
function promptWith({ model, materials }: Candidate, instruction: string, text: string): string {
  const { experts, tasks } = model;
  const template = templateFor(tasks.find(({ name }) => name === 'read')?.fields ?? {}, materials.tokenizer);
  const context = contextFor(experts, [{ name: 'namer', text }]);
  return fillPrompt(template, withContext(template, { instruction }, context));
}

async function shares(
  candidate: Candidate,
  items: readonly Pictured[],
  experts: Readonly<Record<Help, Words>>,
) {
  const images = items.map(({ image }) => image);
  const answerer = answererOf(candidate);
  const share = async (help: Help): Promise<number> => {
    const prompts = items.map(({ image, instruction }) =>
      promptWith(candidate, instruction, experts[help](image)),
    );
    return questionsRight(items, await answerer.answer(prompts, images));
  };
  return {
    none: await share('none'),
    truth: await share('truth'),
    captioner: await share('captioner'),
    lie: await share('lie'),
  };
}

/** Trains the captioner and lets it name the pictures of all questions. */
async function captionsOf(
  device: Device,
  materials: Materials,
  seed: number,
): Promise<ReadonlyMap<string, string>> {
  const candidate = await openCandidate(device, materials, modelOf('fusion', 'Captioner'), {
    recipe: 'captions',
    seed,
  });
  const steps = candidate.recipe.steps ?? 0;
  try {
    await trainStages(candidate, [{ recipe: candidate.recipe, steps, measureAt: [] }], watching('captioner'));
    const { questionsTrained, questionsHeld } = materials.exam;
    const images = [...new Set([...questionsTrained, ...questionsHeld].map(({ image }) => image))];
    const captions = await answererOf(candidate).answer(
      images.map(() => promptOf(ask)),
      images,
    );
    return new Map(images.map((image, i) => [image, captions[i] ?? '']));
  } finally {
    candidate.session.executor.destroy();
  }
}

const watching = (name: string) => ({
  onMeasure: () => Promise.resolve(),
  onStep: (_: string, loss: number, done: number, of: number) => {
    if (done % 100 === 0 || done === of)
      console.error(`  ${name}: step ${done}/${of}  loss ${loss.toFixed(3)}`);
  },
});

async function runTrial(device: Device, materials: Materials, { seed }: Trial): Promise<Assisted> {
  const captions = await captionsOf(device, materials, seed);
  const right = [...captions].filter(([image, caption]) => caption.trim() === shownIn(image)).length;
  const experts = expertsOf(captions);
  const candidate = await openCandidate(device, materials, modelOf('fusion', 'Assisted'), {
    recipe: 'assisted',
    seed,
  });
  const { questionsTrained, questionsHeld } = materials.exam;
  const points: Point[] = [];
  try {
    const steps = candidate.recipe.steps ?? 0;
    await trainStages(candidate, [{ recipe: candidate.recipe, steps, measureAt: LOOKS }], {
      ...watching('assisted'),
      onMeasure: async (taken) => {
        const asked = await shares(candidate, questionsTrained, experts);
        points.push({ steps: taken, asked, others: await shares(candidate, questionsHeld, experts) });
      },
    });
  } finally {
    candidate.session.executor.destroy();
  }
  return { points, captioner: right / captions.size };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '0,1,2' },
      report: { type: 'boolean', default: false },
    },
  });
  const trials = values.seeds.split(',').map((seed) => ({ ...DESIGN, seed: Number(seed) }));
  if (!values.report) {
    await buildData();
    const device = await openDevice();
    const materials = await openMaterials(modelOf('fusion', 'Assisted'));
    await runTrials<Assisted>(FILE, trials, (trial) => runTrial(device, materials, trial), {
      onStart: (trial) => console.error(keyOf(trial)),
      onError: (trial, error) => console.error(`  ${keyOf(trial)} failed: ${String(error)}`),
    });
  }
  console.log(assistedTable(readTrials<Assisted>(FILE)));
}

await main();
