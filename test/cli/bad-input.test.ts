/** What users get wrong, through the command line: an exit code of 1 or 2 and a message that says what and where. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { graft, graftEach, type Outcome } from './processes.ts';
import { type Case, groups } from './cases.ts';
import './file-cases.ts';
import './odd-cases.ts';
import { makeProject } from './tiny-project.ts';
import { withDevice } from '../compiler/sessions.ts';

const t = suite('bad input');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-bad-'));
  await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Case['files']): void {
  for (const [name, text] of Object.entries(files ?? {}))
    writeFileSync(
      join(folder, name),
      typeof text === 'string' ? text : text(readFileSync(join(folder, 'base.safetensors'))),
    );
}

function checkOutcome({ name, code, says }: Case, { code: actual, out, err }: Outcome): void {
  assert.is(actual, code, `${name}: exit code ${actual}\n${err}`);
  assert.not.match(err, /internal error|bug of graft|\n {4}at /, `${name}: no trace`);
  for (const words of says) assert.match(err, words, `${name}: ${err}`);
  if (code !== 0) assert.not.match(out, /steps/, `${name}: nothing ran`);
}

/** All cases share one process, since starting one is slow. */
let outcomes: Promise<ReadonlyMap<Case, Outcome>> | null = null;

async function runAll(): Promise<ReadonlyMap<Case, Outcome>> {
  const all = [...groups.values()].flat();
  for (const one of all) write(one.files);
  const ran = await graftEach(
    all.map(({ line }) => line),
    folder,
  );
  return new Map(all.map((one, i) => [one, ran[i] as Outcome]));
}

function check(name: string, cases: readonly Case[]): void {
  t(name, () =>
    withDevice(async () => {
      const ran = await (outcomes ??= runAll());
      for (const one of cases) checkOutcome(one, ran.get(one) as Outcome);
    }),
  );
}

for (const [name, cases] of groups) check(name, cases);

t('what was refused left nothing behind and took nothing away', () => {
  assert.not(existsSync(join(folder, 'seven')));
  assert.ok(existsSync(join(folder, 'spec.adapter')));
  assert.is(readFileSync(join(folder, 'occupied'), 'utf8'), 'a file');
  assert.is(readFileSync(join(folder, 'thesis'), 'utf8'), 'years of work');
});

t('exit codes are those of the process', async () => {
  const [usage, failed] = await Promise.all([
    graft(['train', '--nonsense'], folder),
    graft(['train', 'broken.adapter'], folder),
  ]);
  assert.equal([usage.code, failed.code], [2, 1]);
  assert.match(usage.err, /--nonsense/);
  assert.is(usage.out + failed.out, '', 'errors go to standard error');
});

t.run();
