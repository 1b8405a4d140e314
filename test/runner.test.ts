import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const t = suite('runner');
const HEAD = `import { suite } from 'uvu';\nconst t = suite('x');\n`;

/** Runs the runner over files in a folder of the project, so that they find uvu; gives the last line and the exit code. */
function runFiles(
  files: Readonly<Record<string, string>>,
  seconds = 60,
): { last: string; code: number | null; out: string } {
  const cache = join(import.meta.dirname, '..', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'runner-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.test.ts`), text);
  const env = { ...process.env, GRAFT_TEST_ROOT: folder, GRAFT_TEST_TIMEOUT: String(seconds) };
  const args = ['--import', 'tsx', join(import.meta.dirname, 'run.ts')];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  rmSync(folder, { recursive: true });
  return { last: stdout.trimEnd().split('\n').at(-1) ?? '', code: status, out: stdout };
}

t('counts what passed, failed and was skipped', () => {
  const skip = JSON.stringify(join(import.meta.dirname, 'skip.ts'));
  const { last, code, out } = runFiles({
    a: `${HEAD}t('1', () => {});\nt.skip('2', () => {});\nt.run();\n`,
    b: `import { skip } from ${skip};\n${HEAD}t('3', () => skip('no moon'));\nt('4', () => { throw new Error('oh'); });\nt.run();\n`,
  });
  assert.is(last, '1 passed, 1 failed, 2 skipped');
  assert.is(code, 1);
  assert.match(out, /skipped: no moon/);
  const good = runFiles({ a: `${HEAD}t('1', () => {});\nt.run();\n` });
  assert.equal([good.last, good.code], ['1 passed, 0 failed', 0]);
});

t('fails when nothing ran, a suite was forgotten, a file does not load, a hook or a promise failed', () => {
  const nothing = runFiles({});
  assert.equal([nothing.last, nothing.code], ['0 passed, 0 failed', 1]);
  const wait = 'await new Promise((done) => setTimeout(done, 20));';
  const bad = runFiles({
    forgotten: `${HEAD}t('1', () => {});\n`,
    broken: `throw new Error('no');\n`,
    hook: `${HEAD}t.before(() => { throw new Error('no'); });\nt('1', () => {});\nt.run();\n`,
    promise: `${HEAD}t('1', async () => { void Promise.reject(new Error('no')); ${wait} });\nt.run();\n`,
  });
  assert.is(bad.last, '1 passed, 4 failed');
  for (const complaint of [
    'a suite is never run',
    'it does not load',
    "a 'before' or 'after' hook failed",
    'a promise failed',
  ])
    assert.ok(bad.out.includes(complaint), complaint);
});

t('stops a file that hangs or spins', () => {
  const first = `${HEAD}t('1', () => {});\nt.run();\n`;
  const hangs = runFiles({ a: first, b: `${HEAD}t('2', () => new Promise(() => {}));\nt.run();\n` }, 1);
  assert.is(hangs.last, '1 passed, 1 failed');
  assert.is.not(hangs.code, 0);
  const spins = runFiles({ a: first, b: `${HEAD}t('2', () => { for (;;); });\nt.run();\n` }, 1);
  assert.is(spins.last, '1 passed, 1 failed');
  assert.match(spins.out, /b\.test\.ts: not done after 1 s/);
});

t.run();
