/** The build of the command line, in a checkout of its own: an edit is run, and no other build than that of the sources as they are. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome } from '../cli/processes.ts';
import { bundle, PROGRAMS } from '../../runtime/setup/build.mjs';
import { root, run } from './installed.ts';

const t = suite('build');
const folder = mkdtempSync(join(tmpdir(), 'graft build '));
const source = join(folder, 'runtime/cli/main.ts');

t.before(() => {
  for (const name of ['grammar', 'compiler', 'runtime', 'package.json', 'package-lock.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const graft = (...args: string[]): Promise<Outcome> =>
  run(process.execPath, [join(folder, 'runtime/setup/graft.mjs'), ...args], folder);

const builds = (): string[] => readdirSync(join(folder, '.cache/build'));

function edit(from: string, to: string): void {
  const text = readFileSync(source, 'utf8');
  assert.ok(text.includes(from), from);
  writeFileSync(source, text.replace(from, to));
}

t('is made once', async () => {
  const first = await graft('--help');
  assert.match(first.err, /compiling the command line/);
  assert.match(first.out, /usage: graft COMMAND/);
  const second = await graft('--help');
  assert.equal([second.err, second.out], ['', first.out]);
});

t('follows an edit, also of a few letters within the same second', async () => {
  edit('usage: graft COMMAND', 'usage: groft COMMAND');
  assert.match((await graft('--help')).out, /usage: groft COMMAND/);
  edit('usage: groft COMMAND', 'usage: gruft COMMAND');
  assert.match((await graft('--help')).out, /usage: gruft COMMAND/);
});

t('may be made by two processes at once', async () => {
  edit('usage: gruft COMMAND', 'usage: grift COMMAND');
  const both = await Promise.all([graft('--help'), graft('--help')]);
  for (const { code, out } of both) assert.ok(code === 0 && out.includes('usage: grift COMMAND'), out);
});

t('fails with the place of the mistake, runs no older build and leaves nothing behind', async () => {
  const before = builds();
  edit('usage: grift COMMAND', "usage: ' grift COMMAND");
  const { code, out, err } = await graft('--help');
  assert.equal([code, out], [1, '']);
  assert.match(err, /runtime\/cli\/main\.ts:\d+:\d+: /);
  assert.equal(builds(), before);
  edit("usage: ' grift COMMAND", 'usage: grift COMMAND');
  assert.is((await graft('--help')).code, 0);
});

t(
  'the start of `graft` and `graft check` waits for no package of node_modules, and help for no command',
  async () => {
    const { outputs } = await bundle(PROGRAMS, join(folder, 'dist'));
    const loadedBy = (entry: string): Set<string> => {
      const files = new Set<string>();
      const visit = (path: string): void => {
        if (files.has(path)) return;
        files.add(path);
        for (const { path: imported, kind } of outputs[path]?.imports ?? [])
          if (kind !== 'dynamic-import') visit(imported);
      };
      const [start] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry) ?? [];
      visit(start ?? entry);
      return files;
    };
    const packagesOf = (files: Set<string>): string[] =>
      [...files].filter((file) => outputs[file] === undefined && !file.startsWith('node:'));
    const [main, check] = [loadedBy('runtime/cli/main.ts'), loadedBy('runtime/cli/check.ts')];
    assert.ok(main.size > 1 && check.size > main.size);
    assert.equal([...packagesOf(main), ...packagesOf(check)], []);
    const bytes = [...main].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);
    assert.ok(bytes < 30_000, `${bytes} bytes are read for --help`);
    assert.ok(packagesOf(loadedBy('runtime/cli/fmt.ts')).includes('prettier'));
  },
);

t.run();
