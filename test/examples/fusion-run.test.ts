import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { allTrials, designs, stagesOf } from '../../examples/fusion/designs.ts';
import { isFinished, keyOf, readTrials, runTrials, type Trial } from '../../examples/fusion/trials.ts';
import { loadModel } from '../../runtime/project/spec.ts';

const t = suite('fusion: trials');
const trials: Trial[] = [0, 1, 2].map((seed) => ({ design: 'late-shared', schedule: 'joint', seed }));

async function inFolder(run: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fusion-'));
  try {
    await run(join(folder, 'deep', 'results.jsonl'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

t('a finished trial is not run again', () =>
  inFolder(async (file) => {
    const ran: number[] = [];
    const run = async ({ seed }: Trial) => ran.push(seed);
    await runTrials(file, trials.slice(0, 2), run);
    const lines = await runTrials(file, trials, run);
    assert.equal(ran, [0, 1, 2]);
    assert.is(lines.length, 3);
    assert.ok(lines.every(isFinished));
  }),
);

t('a failed trial is noted and does not stop the rest; it is run again when asked for', () =>
  inFolder(async (file) => {
    const ran: number[] = [];
    let broken = true;
    const run = async ({ seed }: Trial) => {
      ran.push(seed);
      if (seed === 1 && broken) throw new Error('the loss is not finite');
      return seed;
    };
    const told: string[] = [];
    const first = await runTrials(file, trials, run, { onError: (trial) => told.push(keyOf(trial)) });
    assert.equal(told, ['late-shared joint 1']);
    assert.equal(
      first.map((line) => ('error' in line ? line.error : line.result)),
      [0, 'the loss is not finite', 2],
    );
    broken = false;
    await runTrials(file, trials, run);
    assert.equal(ran, [0, 1, 2]);
    const last = await runTrials(file, trials, run, { retry: true });
    assert.equal(ran, [0, 1, 2, 1]);
    assert.ok(last.length === 3 && last.every(isFinished));
  }),
);

t('a line cut off by a kill counts as not run, and does not spoil the next', () =>
  inFolder(async (file) => {
    await runTrials(file, trials.slice(0, 1), async () => 'kept');
    appendFileSync(file, '{"design":"late-shared","schedule":"joint","se');
    const ran: number[] = [];
    await runTrials(file, trials, async ({ seed }) => ran.push(seed));
    assert.equal(ran, [1, 2]);
    assert.is(readTrials(file).length, 3);
    assert.is(readFileSync(file, 'utf8').split('\n').filter(Boolean).length, 4);
  }),
);

t('the trials are every design with every schedule it has, each once, seed by seed', () => {
  const all = allTrials([0, 1, 2]);
  assert.is(new Set(all.map(keyOf)).size, all.length);
  const each = Object.values(designs).reduce((sum, { recipes }) => sum + Object.keys(recipes).length, 0);
  assert.is(all.length, 3 * each);
  assert.ok(all.slice(0, each).every(({ seed }) => seed === 0));
});

t('a staged recipe is two runs, each with its own schedule, captions measured on the way', () => {
  const spec = fileURLToPath(new URL('../../examples/fusion/fusion.adapter', import.meta.url));
  const { recipes } = loadModel(nodeHost, `${spec}:EarlyDisjoint`);
  const named = (name: string) => {
    const recipe = recipes.find((r) => r.name === name);
    if (!recipe) throw new Error(name);
    return recipe;
  };
  const [instruct, caption, ...more] = stagesOf(named('sequential'));
  assert.is(more.length, 0);
  assert.equal([instruct?.steps, instruct?.measureAt], [400, [400]]);
  assert.equal([caption?.steps, caption?.measureAt], [600, [150, 600]]);
  assert.equal(caption?.recipe.mix, { kind: 'alternate', parts: [{ task: 'caption', count: 1 }] });
  assert.equal(instruct?.recipe.schedule.warmup, { value: 20, unit: 'steps' });
  const together = stagesOf(named('joint'));
  assert.is(together.length, 1);
  assert.equal([together[0]?.steps, together[0]?.measureAt], [1000, [1000]]);
});

t.run();
