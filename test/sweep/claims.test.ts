/** Claims on trials: one process at a time, whatever became of the one before. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claim } from '../../runtime/sweep/stores/claims.ts';
import type { Claim } from '../../runtime/sweep/store.ts';
import { diskError } from '../../runtime/sweep/stores/disk-error.ts';
import { InputError } from '../../runtime/input-error.ts';

const t = suite('claims');

let folder = '';
t.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-claims-'));
});
t.after.each(() => rmSync(folder, { recursive: true, force: true }));

function held(trial = 'a'): Claim {
  const made = claim(folder, trial);
  if (typeof made === 'string') throw new Error(`${made} has it`);
  return made;
}
const files = (): string[] => readdirSync(join(folder, 'claims'));

/** The claim of another process, so many milliseconds after its last sign of life. */
function pretend(owner: object, silent = 0): string {
  rmSync(join(folder, 'claims'), { recursive: true, force: true });
  held();
  const path = join(folder, 'claims', files()[0] ?? '');
  const written = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...written, token: 'another', ...owner }));
  const then = new Date(Date.now() - silent);
  utimesSync(path, then, then);
  return path;
}

/** A process that is gone. */
const DEAD = 2 ** 22 + 1;

t('one claim at a time, and none after its release', () => {
  const first = held();
  assert.type(claim(folder, 'a'), 'string');
  assert.ok(first.isOwn());
  held('b').release();
  first.release();
  assert.equal(files(), []);
  held('a').release();
});

t('what a dead process claimed is taken over at once, and the dead one has no say any more', () => {
  pretend({ pid: DEAD });
  const second = held();
  assert.equal(
    files().map((name) => name.replace(/.*\./, '')),
    ['0', '1'],
  );
  assert.ok(second.isOwn());
  second.release();
  assert.equal(files(), [], 'both are gone');
});

t('a process of the same number as this one, before this one, is dead', () => {
  pretend({ pid: process.pid });
  held().release();
});

t('a living process keeps its claim as long as it gives signs of life', () => {
  pretend({ pid: process.ppid });
  assert.is(claim(folder, 'a'), `process ${process.ppid}`);
  pretend({ pid: process.ppid, host: `not-${hostname()}` });
  assert.is(claim(folder, 'a'), `process ${process.ppid} on not-${hostname()}`);
});

t('a process that has been silent for minutes is dead, here and elsewhere', () => {
  pretend({ pid: process.ppid }, 200_000);
  held().release();
  pretend({ pid: 1, host: 'elsewhere' }, 200_000);
  held().release();
});

t('who was taken over knows', () => {
  const first = held();
  const path = join(folder, 'claims', files()[0] ?? '');
  const long = new Date(Date.now() - 300_000);
  utimesSync(path, long, long);
  const second = held();
  assert.equal([first.isOwn(), second.isOwn()], [false, true]);
  first.release();
  assert.ok(second.isOwn(), 'its release takes only its own claim away');
});

t('a claim that was being written when its process died', () => {
  const path = pretend({ pid: DEAD });
  writeFileSync(path, '{"pid": ');
  assert.type(claim(folder, 'a'), 'string', 'perhaps it is being written now');
  const long = new Date(Date.now() - 300_000);
  utimesSync(path, long, long);
  held().release();
});

t('errors of the disk are told from others', () => {
  const error = (code: string, path?: string): Error =>
    Object.assign(new Error(`${code}: it failed`), { code, path });
  const full = new InputError('cannot write metrics', 'free space', { cause: error('ENOSPC') });
  assert.match(
    diskError(full, 'out')?.message ?? '',
    /cannot write into out: ENOSPC[^]*the disk is full: free some space/,
  );
  assert.match(
    diskError(error('EACCES', 'out/trials/x'), 'out')?.message ?? '',
    /no permission to write there/,
  );
  assert.match(
    diskError(error('ENOTDIR', 'file'), 'file/out')?.message ?? '',
    /a part of the path is a file/,
  );
  assert.is(diskError(error('EACCES', 'data/some.jsonl'), 'out'), null);
  assert.is(diskError(error('EACCES', 'output/some.jsonl'), 'out'), null);
  assert.is(diskError(new Error('of another kind'), 'out'), null);
});

t.run();
