/** `graft sweep` as a user starts it: what it leaves behind, what it does again and what not, and what it refuses. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../runtime/cli/command.ts';
import { command as sweepCommand } from '../../runtime/cli/sweep.ts';
import type { TrialLine } from '../../runtime/sweep/results.ts';
import { command as trainCommand } from '../../runtime/cli/train.ts';
import { withDevice } from '../compiler/sessions.ts';
import { runCommand } from './capture.ts';
import type { Outcome } from './processes.ts';
import { makeSweepProject } from './sweep-project.ts';

const t = suite('graft sweep');

const commands: Readonly<Record<string, Command>> = { sweep: sweepCommand, train: trainCommand };

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-sweep-'));
  await makeSweepProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const test = (name: string, run: () => Promise<void>): void => t(name, () => withDevice(run));
const sweep = (name: string, out: string, ...rest: string[]): string[] => [
  'sweep',
  `sweep.adapter:${name}`,
  '--out',
  out,
  ...rest,
];
const read = (out: string, file: string): string => readFileSync(join(folder, out, file), 'utf8');
const lines = (out: string): TrialLine[] =>
  read(out, 'results.jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrialLine);
const change = (...changes: readonly (readonly [string, string])[]): void => {
  const path = join(folder, 'sweep.adapter');
  writeFileSync(
    path,
    changes.reduce((text, [from, to]) => text.replace(from, to), readFileSync(path, 'utf8')),
  );
};

/** Paths on these command lines are taken from the project's folder. */
async function run(...lines: string[][]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name = '', ...argv] of lines) {
    const command = commands[name];
    assert.ok(command);
    const placed = argv.map((word) =>
      /\.adapter\b/.test(word) || argv[argv.indexOf(word) - 1] === '--out' ? join(folder, word) : word,
    );
    outcomes.push(await runCommand(command, placed));
  }
  return outcomes;
}

test('every trial is run, those that cannot work are recorded with the reason', async () => {
  const [first, again, only] = await run(
    sweep('tries', 'tries'),
    sweep('tries', 'tries'),
    sweep('tries', 'only', '--only', 'many=2', '--only', 'nothing'),
  );
  assert.is(first?.code, 1, first?.err);
  const all = lines('tries');
  assert.equal(
    all.map((line) => [line.trial, line.figures !== undefined]),
    [
      ['many = 1, inner = last 1 in first many, speed = 1e-3, seed = 5', true],
      ['many = 1, inner = last 2 in first many, speed = 1e-3, seed = 5', false],
      ['many = 2, inner = last 1 in first many, speed = 1e-3, seed = 5', true],
      ['many = 2, inner = last 2 in first many, speed = 1e-3, seed = 5', true],
    ],
  );
  assert.match(all[1]?.failed ?? '', /A105.*there are no 2 layers to take[^]*last 2 in first many/);
  assert.match(first?.err ?? '', /trial 1 of 4: many = 1/);
  assert.match(first?.err ?? '', /failed: error\[A105\]/);
  assert.match(first?.out ?? '', /3 of 4 trials finished, 1 failed/);
  const [{ figures } = {}] = all;
  assert.is(figures?.steps, 6);
  assert.is(figures?.lossOf, 'test');
  assert.equal(
    figures?.tests.map(({ task, data, examples }) => [task, data, examples]),
    [['one', 'held', 3]],
  );
  assert.equal(Object.keys(figures?.gates ?? {}), ['words']);
  assert.equal(Object.keys(figures?.curve ?? {}), ['one', 'two']);
  assert.ok(existsSync(join(folder, 'tries/trials')));
  assert.is(again?.code, 1, 'a failed trial is not run again, and still failed');
  assert.match(again?.err ?? '', /4 trials, 3 finished before, 1 failed before \(--retry runs them again\)/);
  assert.is(lines('tries').length, 4, 'nothing was run again');
  assert.is(only?.code, 0, only?.err);
  assert.is(lines('only').length, 2);
});

test('losses that are not finite fail one trial; retrying runs that one alone', async () => {
  const [first, again] = await run(sweep('fast', 'fast'), sweep('fast', 'fast', '--retry'));
  assert.equal([first?.code, again?.code], [1, 1], first?.err);
  const all = lines('fast');
  assert.equal(
    all.map((line) => [line.params['speed'], line.failed?.replace(/:.*/s, '')]),
    [
      ['1e-3', undefined],
      ['1e30', all[1]?.failed?.replace(/:.*/s, '')],
      ['1e30', all[2]?.failed?.replace(/:.*/s, '')],
    ],
  );
  for (const line of all.slice(1)) assert.match(line.failed ?? '', /not finite/);
  assert.is(all[0]?.figures?.accuracy, null, 'what is not measured is not asked');
});

test('figures are those of `graft train` with the same params and seed', async () => {
  const [swept, trained] = await run(sweep('quick', 'quick'), [
    'train',
    'sweep.adapter',
    '--set',
    'length=2',
    '--seed',
    '1',
    '--out',
    'train',
  ]);
  assert.equal([swept?.code, trained?.code], [0, 0], `${swept?.err}${trained?.err}`);
  const line = lines('quick').find(({ trial }) => trial === 'length = 2, seed = 1');
  const { loss, accuracy } = line?.figures?.tests[0] ?? { loss: NaN, accuracy: null };
  const percent = (100 * (accuracy ?? NaN)).toFixed(1);
  assert.match(trained?.out ?? '', `one on held: 3 examples, loss ${loss.toFixed(4)}, ${percent}% right`);
  const metrics = read('train', 'metrics.jsonl').trim().split('\n');
  const ones = metrics
    .map((text) => JSON.parse(text) as { task: string; loss: number })
    .filter(({ task }) => task === 'one');
  assert.ok(Math.abs((line?.figures?.training['one'] ?? NaN) - (ones.at(-1)?.loss ?? NaN)) < 1e-6);
});

test('tables and page hold every trial', async () => {
  const csv = read('quick', 'results.csv').split('\r\n');
  assert.match(
    csv[0] ?? '',
    /^length,seed,loss,loss_of,accuracy,loss one on held,accuracy one on held,parameters,/,
  );
  assert.is(csv.length, 8, 'a header, six rows, and an end');
  const page = read('quick', 'report.html');
  for (const [length, seed] of [1, 2, 3].flatMap((l) => [
    [l, 0],
    [l, 1],
  ]))
    assert.match(page, new RegExp(`<td>${length}</td><td class="right">${seed}</td><td>finished</td>`));
  assert.match(page, /sweep quick over Pair with short/);
  assert.match(page, /3 epochs|6 steps/);
  const [reported] = await run(sweep('quick', 'quick', '--report'));
  assert.is(reported?.code, 0);
  assert.match(reported?.out ?? '', /6 of 6 trials finished/);
});

test('a line that was cut off is a trial that was not run; a comment and a seed more change nothing', async () => {
  const path = join(folder, 'quick/results.jsonl');
  const before = readFileSync(path, 'utf8').trimEnd().split('\n');
  const last = before.pop() ?? '';
  writeFileSync(path, `${before.join('\n')}\n${last.slice(0, 80)}`);
  change(['seed = [0, 1]', 'seed = [0, 1, 7]  // one more'], ['sweep quick', '// a comment\nsweep quick']);
  const [again] = await run(sweep('quick', 'quick'));
  assert.is(again?.code, 0, again?.err);
  assert.match(again?.err ?? '', /9 trials, 5 finished before/);
  const text = readFileSync(path, 'utf8').split('\n');
  assert.is(text[5], last.slice(0, 80), 'what was cut off stays, on a line of its own');
  const whole = text.flatMap((line) => (line.endsWith('}') ? [(JSON.parse(line) as TrialLine).trial] : []));
  assert.equal([whole.length, new Set(whole).size], [9, 9]);
  const redone = JSON.parse(text[6] ?? '') as TrialLine;
  const old = JSON.parse(last) as TrialLine;
  assert.equal(redone.figures?.tests, old.figures?.tests, 'the same trial gives the same figures');
});

test('results of another spec are refused, with what differs', async () => {
  const refused = async (what: RegExp, ...rest: string[]): Promise<void> => {
    const [outcome] = await run(sweep('quick', 'quick', ...rest));
    assert.is(outcome?.code, 1);
    assert.match(outcome?.err ?? '', what);
    assert.match(outcome?.err ?? '', /give another folder with --out/);
  };
  const before = read('quick', 'results.jsonl');
  await refused(/another version of the recipe or its steps/, '--steps', '3');
  await refused(/another version of the adapter/, '--set', 'inner=all');
  change(['rank = 2', 'rank = 1']);
  await refused(/another version of the adapter/);
  await refused(/another version of the adapter/, '--report');
  change(['rank = 1', 'rank = 2']);
  appendFileSync(join(folder, 'held.jsonl'), '\n{"instruction": "a", "output": "b"}');
  await refused(/another version of the data/);
  assert.is(read('quick', 'results.jsonl'), before, 'nothing was mixed');
});

test('what does not suit the recipe is said once, whichever trials it holds for', async () => {
  const path = join(folder, 'warm.adapter');
  const text = readFileSync(join(folder, 'sweep.adapter'), 'utf8');
  writeFileSync(path, text.replace('warmup: 4 steps', 'warmup: 5 epochs'));
  const [warm] = await run(['sweep', 'warm.adapter:quick', '--out', 'warm', '--only', 'seed=0']);
  assert.is(warm?.code, 0, warm?.err);
  assert.is(warm?.err.split('the warm-up is longer than the run of 6 steps').length, 2, warm?.err);
});

test('mistakes of the command line and of the spec', async () => {
  const [none, name, swept, only, place, bad, jobs, all] = await run(
    ['sweep', 'spec.adapter'],
    sweep('quik', 'x'),
    sweep('quick', 'x', '--set', 'length=3'),
    sweep('quick', 'x', '--only', 'length = 9'),
    sweep('quick', 'spec.adapter/x'),
    ['sweep', 'sweep.adapter', '--out', 'x'],
    sweep('quick', 'x', '--jobs', '0'),
    sweep('quick', 'x', '--base', 'base.adapter:small', '--set', 'inner=first 3'),
  );
  assert.match(none?.err ?? '', /spec\.adapter has no sweep/);
  assert.match(name?.err ?? '', /no sweep `quik`\n {2}help: did you mean `quick`/);
  assert.match(swept?.err ?? '', /the sweep varies `length` itself/);
  assert.match(only?.err ?? '', /no trial of `quick` has `length = 9` in its name/);
  assert.match(place?.err ?? '', /cannot write into .*spec\.adapter\/x.*ENOTDIR/);
  assert.match(bad?.err ?? '', /several sweeps\n {2}help: name one of them: `.*sweep\.adapter:tries` or/);
  assert.match(jobs?.err ?? '', /--jobs takes a whole number from 1/);
  assert.match(all?.err ?? '', /there are no 3 layers/);
  assert.equal(
    [none, name, swept, only, place, bad, jobs, all].map((o) => o?.code),
    [1, 1, 1, 1, 1, 1, 2, 1],
  );
  assert.not(existsSync(join(folder, 'x/results.jsonl')), 'nothing ran');
});

t.run();
