/** `graft train`, what it says of a run: how often it sees its data, what does not suit the recipe, and the loss at the end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command } from '../../runtime/cli/train.ts';
import type { StepMetrics } from '../../runtime/train/run-store.ts';
import { withDevice } from '../compiler/sessions.ts';
import { runCommand } from './capture.ts';
import type { Outcome } from './processes.ts';
import { makeProject, spec } from './tiny-project.ts';

const t = suite('graft train');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-train-'));
  await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** Trains one task of the tiny project, or both, by a recipe of these attributes. */
function train(out: string, recipe: string, ...rest: string[]): Promise<Outcome> {
  const path = join(folder, `${out}.adapter`);
  writeFileSync(path, spec.replace(/recipe short[^]*$/, `recipe short for Pair {\n${recipe}\n}\n`));
  return runCommand(command, [path, '--out', join(folder, out), ...rest]);
}

const metrics = (out: string): StepMetrics[] =>
  readFileSync(join(folder, out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StepMetrics);

const alone = 'mix = alternate(one: 1)  seed = 3';

t('nine records are an epoch of nine records, whatever batch and accumulate are', () =>
  withDevice(async () => {
    const outcome = await train('nine', `${alone}  epochs = 1  batch = 2  accumulate = 2`);
    assert.is(outcome.code, 0, outcome.err);
    assert.match(outcome.err, /one: 3 steps, each of 9 examples once\n/);
    assert.match(outcome.out, /^3 steps, loss \d/);
    // The last step has the one record that is left, in one micro-batch of two rows.
    const tokens = metrics('nine').map((step) => step.tokens);
    assert.is(tokens[2], (tokens[0] ?? NaN) / 2);
    const whole = await train('whole', `${alone}  epochs = 1  batch = 9`);
    assert.match(whole.out, /^1 step, loss \d/);
    const labels = (out: string) => metrics(out).reduce((sum, step) => sum + step.labels, 0);
    assert.is(labels('nine'), labels('whole'));
  }),
);

t('accumulate beyond the data: an epoch is one step, and it is said', () =>
  withDevice(async () => {
    const outcome = await train('beyond', `${alone}  epochs = 3  batch = 2  accumulate = 64`);
    assert.is(outcome.code, 0, outcome.err);
    assert.match(outcome.err, /one: 3 steps, each of 9 examples 3 times\n/);
    assert.match(outcome.err, /accumulate = 64, but the data has 5 micro-batches/);
    assert.is(metrics('beyond').length, 3);
  }),
);

t('a part of an epoch that is no step is refused before anything is written', async () => {
  const { code, err } = await train('none', `${alone}  epochs = 0.1  batch = 9`);
  assert.is(code, 1);
  assert.match(err, /epochs = 0\.1 of 1 step an epoch comes to no step at all\n {2}help: write `steps = 1`/);
});

t('a warm-up that --steps makes too long is said', () =>
  withDevice(async () => {
    const recipe = `${alone}  steps = 50  batch = 2  schedule = cosine(warmup: 20 steps)`;
    const { code, err } = await train('warm', recipe, '--steps', '5');
    assert.is(code, 0, err);
    assert.match(err, /the warm-up is longer than the run of 5 steps: the learning rate reaches 0\.00025 of/);
    const share = `${alone}  steps = 50  batch = 2  schedule = cosine(warmup: 40%)`;
    assert.not.match((await train('share', share, '--steps', '5')).err, /warm-up/);
    assert.equal(
      metrics('share').map(({ lr }) => Math.round(1e4 * lr)),
      [5, 10, 10, 8, 3],
      'the share of the steps that are taken',
    );
  }),
);

t('a run that goes on, and one that has nothing left to do, end with the loss of an undisturbed one', () =>
  withDevice(async () => {
    const recipe = `${alone}  steps = 40  batch = 2  accumulate = 2`;
    const whole = await train('undisturbed', recipe);
    const [line = ''] = whole.out.split('\n');
    assert.match(line, /^40 steps, loss \d+\.\d{4} over the last tenth$/);
    // Checkpoints are after steps 37 and 40; without the last one the run goes on from the other.
    await train('stopped', recipe, '--checkpoint-every', '37');
    rmSync(join(folder, 'stopped/checkpoints/step-00000040.safetensors'), { force: true });
    const again = await train('stopped', recipe, '--checkpoint-every', '37', '--resume');
    assert.is(again.out.split('\n')[0], line.replace('40 steps', '40 steps (from 37)'));
    const all = await train('undisturbed', recipe, '--resume');
    assert.is(all.out.split('\n')[0], line.replace('40 steps', '40 steps (all of them done before)'));
    rmSync(join(folder, 'undisturbed/metrics.jsonl'));
    const lost = await train('undisturbed', recipe, '--resume');
    assert.match(lost.out, /^40 steps \(all of them done before\), metrics\.jsonl does not say the loss/);
  }),
);

t.run();
