/** Several processes on one sweep, and processes that are killed: every trial is finished exactly once. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withDevice } from '../compiler/sessions.ts';
import { graft, startGraft } from './processes.ts';
import { makeSweepProject } from './sweep-project.ts';

const t = suite('sweeps in several processes');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-jobs-'));
  await makeSweepProject(folder, 40);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const sweep = (out: string, ...rest: string[]): string[] => [
  'sweep',
  'sweep.adapter:quick',
  '--out',
  out,
  ...rest,
];

/** Names of the trials that finished, a name for each line. */
function finished(out: string): string[] {
  const path = join(folder, out, 'results.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (!line.endsWith('}')) return [];
    const { trial, figures } = JSON.parse(line) as { trial: string; figures?: object };
    return figures ? [trial] : [];
  });
}

const all = [0, 1].flatMap((seed) => [1, 2, 3].map((length) => `length = ${length}, seed = ${seed}`));
const trialFolders = (out: string): string[] => {
  const path = join(folder, out, 'trials');
  return existsSync(path) ? readdirSync(path) : [];
};

t('a killed sweep goes on: what was finished is kept, what was under way starts again', () =>
  withDevice(async () => {
    const child = startGraft(sweep('killed'), folder);
    child.stderr?.resume();
    child.stdout?.resume();
    const ended = once(child, 'close');
    // In the middle of a trial after the second one.
    while (child.exitCode === null && (finished('killed').length < 2 || trialFolders('killed').length < 3))
      await sleep(2);
    child.kill('SIGKILL');
    await ended;
    const before = finished('killed');
    assert.ok(before.length >= 2 && before.length < 6, `${before.length} had finished`);
    assert.ok(readdirSync(join(folder, 'killed/claims')).length > 0, 'the claim of the dead is still there');
    const { code, err } = await graft(sweep('killed'), folder);
    assert.is(code, 0, err);
    assert.match(err, new RegExp(`6 trials, ${before.length} finished before`));
    assert.equal(finished('killed').slice(0, before.length), before);
    assert.equal(finished('killed').toSorted(), all.toSorted(), 'each once');
    assert.equal(readdirSync(join(folder, 'killed/claims')), []);
  }),
);

t('two sweeps on one folder, and two jobs of one, share the trials', () =>
  withDevice(async () => {
    const [one, two, jobs] = await Promise.all([
      graft(sweep('shared'), folder),
      graft(sweep('shared'), folder),
      graft(sweep('jobs', '--jobs', '2'), folder),
    ]);
    assert.equal([one.code, two.code, jobs.code], [0, 0, 0], `${one.err}\n${two.err}\n${jobs.err}`);
    for (const out of ['shared', 'jobs']) assert.equal(finished(out).toSorted(), all.toSorted(), out);
    for (const { out } of [one, two, jobs])
      assert.match(out, /6 of 6 trials finished/, 'each ends with the whole');
    assert.match(jobs.err, /\[1\] trial/);
    assert.match(jobs.err, /\[2\] (trial|waiting)/);
  }),
);

t.run();
