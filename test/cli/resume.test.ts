/** `graft train`, killed without warning and resumed, ends where an undisturbed run ends: the same bytes, the same lines. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRandom } from '../../runtime/random.ts';
import { graftEach, startGraft } from './processes.ts';
import { makeProject } from './tiny-project.ts';
import { withDevice } from '../compiler/sessions.ts';

const t = suite('killed runs');
const STEPS = 120;
const KILLS = 3;
const options = ['--steps', String(STEPS), '--checkpoint-every', '7'];

let folder = '';
t.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-kill-'));
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const lines = (run: string): string[] => {
  const path = join(folder, run, 'metrics.jsonl');
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
};
const timeless = (run: string): string[] => lines(run).map((line) => line.replace(/,"seconds":.*$/, ''));
const adapter = (run: string): string =>
  readFileSync(join(folder, run, 'adapter.safetensors')).toString('base64');

/** Starts or resumes a run and kills it once it has written so many lines; false when it was done before. */
async function killAt(count: number): Promise<boolean> {
  const child = startGraft(['train', 'spec.adapter', '--out', 'killed', '--resume', ...options], folder);
  child.stderr?.resume();
  child.stdout?.resume();
  const ended = once(child, 'close');
  while (child.exitCode === null && lines('killed').length < count) await sleep(2);
  child.kill('SIGKILL');
  await ended;
  return child.signalCode === 'SIGKILL';
}

t('a run killed at random moments ends bit for bit as an undisturbed one', () =>
  withDevice(async () => {
    await makeProject(folder);
    const random = createRandom(Date.now());
    let killed = 0;
    for (let i = 1; i <= KILLS; i++)
      if (await killAt(Math.floor(((i - random.uniform()) * STEPS) / (KILLS + 1)) + 1)) killed++;
    assert.ok(killed >= KILLS - 1, `${killed} runs were killed`);
    assert.not(existsSync(join(folder, 'killed/adapter.safetensors')), 'no adapter before the end');
    const train = (run: string, ...rest: string[]) => [
      'train',
      'spec.adapter',
      '--out',
      run,
      ...options,
      ...rest,
    ];
    const [resumed, whole, again, other, longer] = await graftEach(
      [
        train('killed', '--resume'),
        train('whole'),
        train('whole'),
        train('whole', '--resume', '--set', 'length=2'),
        train('whole', '--resume', '--steps', '200'),
      ],
      folder,
    );
    assert.equal([resumed?.code, whole?.code], [0, 0], `${resumed?.err}${whole?.err}`);
    assert.match(resumed?.out ?? '', /\(from \d+\)/);
    assert.is(lines('whole').length, STEPS);
    assert.equal(timeless('killed'), timeless('whole'));
    assert.is(adapter('killed'), adapter('whole'));
    const left = readdirSync(join(folder, 'killed/checkpoints')).filter(
      (name) => !/^step-\d+\.safetensors$/.test(name),
    );
    assert.equal(left, [], 'nothing half-written is left');
    assert.equal([again?.code, other?.code, longer?.code], [1, 1, 1]);
    assert.match(again?.err ?? '', /whole already holds a run[^]*--resume/);
    assert.match(other?.err ?? '', /cannot go on from .*: the spec has changed/);
    assert.match(longer?.err ?? '', /the recipe or its steps have changed \(steps was \d+ and is \d+\)/);
  }),
);

t.run();
