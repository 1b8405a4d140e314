/**
 * What `npm start` runs: LLaMA-Adapter V2 on the embedded base, from the spec to answers.
 *
 * Check, show, compile, train the `instruct` task for 400 steps, and compare held-out loss, exact match on held-out
 * words and three answers before and after. Then the fusion experiment in small (../fusion/quick.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { makeProgress, type Progress } from '../../runtime/cli/progress.ts';
import { show } from '../../runtime/cli/show.ts';
import { openDevice } from '../../runtime/device/device.ts';
import { writePackage } from '../../runtime/files/package.ts';
import { trainedValues } from '../../runtime/project/held-out.ts';
import { reportHtml } from '../../runtime/report/html.ts';
import { reportText } from '../../runtime/report/text.ts';
import { answerAll } from '../../runtime/score.ts';
import { writeAdapter, writeRecord } from '../../runtime/train/outcome.ts';
import { versions } from '../../runtime/versions.ts';
import { quickTable } from '../fusion/quick.ts';
import { meanRight, promptOf, type Score, table } from './evaluate.ts';
import { here } from './here.ts';
import { openScored, score, type Scored, train } from './scored.ts';
import { scoredTasks, type Instruction } from './words.ts';

const FOLDER = 'runs/start';
const SPEC = 'instruct.adapter';
/** Asked before and after; all are about held-out words. */
const QUESTIONS = 3;

const say = (text = ''): void => console.log(text);

function readItems(file: string): Instruction[] {
  const lines = readFileSync(here(`data/${file}`), 'utf8')
    .split('\n')
    .filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Instruction);
}

async function main(): Promise<void> {
  if (!existsSync(here('base.safetensors')))
    throw new Error('examples/base/base.safetensors is missing: npm run base -- pretrain makes it');
  const started = performance.now();
  const device = await openDevice();
  say(
    `device: ${device.adapter.description || device.adapter.device} (kernels for ${device.profile.device})`,
  );
  const compiling = performance.now();
  const scored = await openScored(device, SPEC);
  const { model } = scored.project;
  say(`examples/base/${SPEC} checks\n\n${show(model)}\n`);
  const { kernels, programs } = scored.compiled.manifest;
  const step = programs.find((program) => program.kind === 'train');
  say(
    `compiled in ${seconds(compiling)}: ${kernels.length} kernels, ${step?.dispatches.length} dispatches a training step, one submit\n`,
  );

  const items = readItems('instructions.heldout.jsonl');
  const asked = questions(items);
  say(`asking ${items.length} questions about words that no training example has ...`);
  const before = { scores: await score(scored, items), answers: await answer(scored, asked) };
  await rm(FOLDER, { recursive: true, force: true });
  let progress: Progress | null = null;
  await train(scored, FOLDER, {
    onStart: (first) => (progress = makeProgress(process.stdout, first)),
    onStep: (metrics, horizon) => progress?.step(metrics, horizon),
  });
  (progress as Progress | null)?.end();
  const after = { scores: await score(scored, items), answers: await answer(scored, asked) };
  say(`\n${scoreTable(before.scores, after.scores)}\n`);
  const rows = asked.map((item, i) => [
    item.instruction,
    item.output.trim(),
    before.answers[i] ?? '',
    after.answers[i] ?? '',
  ]);
  say(`${table(['question', 'right', 'before', 'after'], rows)}\n`);
  await keep(scored, device);
  say(`${FOLDER}/adapter.safetensors, ${FOLDER}/package/, ${FOLDER}/metrics.jsonl, ${FOLDER}/checkpoints/`);
  say(`after ${seconds(started)}. Ask it yourself:`);
  say(
    `  npm run graft -- generate examples/base/${SPEC} --adapter ${FOLDER}/adapter.safetensors --ask "plural of lantern"\n`,
  );
  say('Now pictures: does it still follow instructions once it has learned to name what it sees?');
  const instructed = {
    state: await trainedValues(scored.session),
    steps: scored.recipe.steps ?? 0,
    seed: scored.recipe.seed,
  };
  scored.session.executor.destroy();
  const report = await quickTable(device, instructed, say);
  await writeFile(`${FOLDER}/fusion.html`, reportHtml(report));
  say(`\n${reportText(report)}`);
  say(`${FOLDER}/fusion.html has the same for a browser. All in ${seconds(started)}.`);
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** The first of as many different tasks. */
function questions(items: readonly Instruction[]): Instruction[] {
  const kinds = scoredTasks.filter((task) => task !== 'repeat').slice(0, QUESTIONS);
  return kinds.flatMap((task) => items.find((item) => item.task === task) ?? []);
}

async function answer(scored: Scored, asked: readonly Instruction[]): Promise<string[]> {
  const answers = await answerAll(
    scored.decoder,
    scored.tokenizer,
    asked.map((item) => promptOf(item.instruction)),
    12,
  );
  return answers.map((text) => JSON.stringify(text.trim()).slice(1, -1));
}

function scoreTable(before: readonly Score[], after: readonly Score[]): string {
  const share = (x: number | null | undefined) => (x === null || x === undefined ? '' : x.toFixed(2));
  const rows = after.map((score) => {
    const was = before.find((s) => s.task === score.task);
    return [
      score.task,
      String(score.count),
      share(was?.right),
      share(score.right),
      share(was?.loss),
      share(score.loss),
    ];
  });
  const mean = ['mean of six', '', meanRight(before).toFixed(3), meanRight(after).toFixed(3), '', ''];
  return table(
    ['held-out words', 'questions', 'exact before', 'after', 'loss before', 'after'],
    [...rows, mean],
  );
}

async function keep(
  { compiled, session, project, recipe, origin }: Scored,
  device: Parameters<typeof writeRecord>[2],
): Promise<void> {
  await writePackage(`${FOLDER}/package`, compiled.manifest, compiled.sources);
  await writeAdapter(`${FOLDER}/adapter.safetensors`, session, origin.base);
  const record = {
    spec: `examples/base/${SPEC}`,
    adapter: project.model.name,
    recipe: recipe.name,
    params: {},
    seed: recipe.seed,
    steps: recipe.steps,
    scratch: false,
    from: null,
    specHash: project.spec.hash,
    base: origin.base,
    versions,
  };
  await writeRecord(FOLDER, record, device);
}

await main();
