/** `graft fmt`: which files it changes, what it prints, and how it ends. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { graftEach, startGraft } from './processes.ts';

const t = suite('fmt');
const folder = mkdtempSync(join(tmpdir(), 'graft-fmt-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

const ugly = 'param   a=1 // one\n\n\n\nparam b  =  [2,3]';
const neat = 'param a = 1  // one\n\nparam b = [2, 3]\n';
const broken = 'param a = \nparam c = 1\nparam b=(1';

const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text);
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

function fill(): void {
  for (const name of ['inner/.hidden', 'inner/node_modules', 'inner/ignored', 'narrow', 'empty'])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['ugly', 'inner/ugly', 'inner/.hidden/x', 'inner/node_modules/x', 'inner/ignored/x'])
    write(`${name}.adapter`, ugly);
  write('neat.adapter', neat);
  write('broken.adapter', broken);
  write('latin.adapter', new Uint8Array([0x2f, 0x2f, 0xe9]));
  write('notes.md', 'param   a=1');
  write('.prettierignore', 'inner/ignored\n');
  write('narrow/.editorconfig', 'root = true\n[*]\nmax_line_length = 12\n');
  write('narrow/x.adapter', 'param a = [first 1, last 2]\n');
  chmodSync(join(folder, 'ugly.adapter'), 0o600);
  symlinkSync('ugly.adapter', join(folder, 'link.adapter'));
}

t('checks, formats and reports, with all that may go wrong', async () => {
  fill();
  const [check, ...outcomes] = await graftEach(
    [
      ['fmt', '--check', 'ugly.adapter', 'neat.adapter', 'inner'],
      ['fmt', 'link.adapter', 'neat.adapter', 'inner', 'broken.adapter'],
      ['fmt', '--check', 'ugly.adapter', 'inner'],
      ['fmt', 'narrow'],
      ['fmt', 'latin.adapter'],
      ['fmt', 'notes.md'],
      ['fmt', 'missing.adapter'],
      ['fmt', 'empty'],
      ['fmt', '--nonsense'],
    ],
    folder,
  );
  assert.equal(check, {
    code: 1,
    out: 'ugly.adapter\ninner/ugly.adapter\n',
    err: '2 of 3 would change; `graft fmt` without --check does it\n',
  });
  const [changed, again, narrow, latin, notes, missing, empty, nonsense] = outcomes;
  assert.is(changed?.code, 1);
  assert.is(changed?.out, 'link.adapter\ninner/ugly.adapter\n');
  assert.match(
    changed?.err ?? '',
    /error\[A003\]: expected a value, found `param`[^]*error\[A005\][^]*2 errors/,
  );
  assert.equal(again, { code: 0, out: '', err: '' });
  assert.is(narrow?.code, 0);
  assert.is(read('narrow/x.adapter'), 'param a = [\n  first 1,\n  last 2\n]\n');
  for (const [outcome, code, says] of [
    [latin, 1, /latin\.adapter is not UTF-8 text/],
    [notes, 2, /notes\.md is not an \.adapter file/],
    [missing, 2, /cannot read missing\.adapter/],
    [empty, 1, /no \.adapter file in empty/],
    [nonsense, 2, /nonsense/],
  ] as const) {
    assert.is(outcome?.code, code);
    assert.match(outcome?.err ?? '', says);
  }
});

t('writes files whole, through links, with their permissions, and leaves others alone', () => {
  assert.is(read('ugly.adapter'), neat);
  assert.is(statSync(join(folder, 'ugly.adapter')).mode & 0o777, 0o600);
  assert.ok(
    readdirSync(folder, { withFileTypes: true }).some((e) => e.name === 'link.adapter' && e.isSymbolicLink()),
  );
  assert.is(read('broken.adapter'), broken);
  for (const name of ['inner/.hidden', 'inner/node_modules', 'inner/ignored'])
    assert.is(read(`${name}/x.adapter`), ugly);
  assert.not.ok(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((f) => f.includes('unfinished')),
  );
});

t('standard input to standard output', async () => {
  const child = startGraft(['fmt', '-'], folder);
  let out = '';
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  child.stdin?.end(ugly);
  const code = await new Promise((done) => child.on('close', done));
  assert.equal([code, out], [0, neat]);
});

t.run();
