/** Commands that the docs tell to type: scripts and commands of that name exist, and sweeps have as many trials as said. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { planSweep } from '../../runtime/sweep/plan.ts';

const t = suite('docs: commands');
const root = join(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => join('docs', file));

/** Lines of shell blocks that begin with `npm`, by page. */
const lines = ['README.md', 'CONTRIBUTING.md', ...pages].flatMap((page) =>
  [
    ...readFileSync(join(root, page), 'utf8').matchAll(
      /^npm (?<script>start|test|run (?:--silent )?[\w:]+)(?<rest>.*)$/gm,
    ),
  ].map(({ groups }) => ({
    page,
    script: (groups?.['script'] ?? '').replace(/^run (--silent )?/, ''),
    rest: groups?.['rest'] ?? '',
  })),
);

t('every script that is named is there, and makes a fresh clone ready first', () => {
  assert.ok(lines.length > 30);
  for (const { page, script } of lines) {
    assert.ok(scripts[script], `${page}: ${script}`);
    assert.match(scripts[script] ?? '', /^node runtime\/setup\/(start|graft)\.mjs/, `${page}: ${script}`);
  }
});

t('every program of `npm run base` and `npm run fusion` that is named is there', () => {
  const named = lines.filter(({ script }) => script === 'base' || script === 'fusion');
  assert.ok(named.length >= 8);
  for (const { page, script, rest } of named) {
    const programs = readFileSync(join(root, 'examples', script, 'main.ts'), 'utf8');
    const [, name = ''] = /^ -- (\w+)/.exec(rest) ?? [];
    const [, file = ''] = new RegExp(`^  ${name}: \\['([^']+)'`, 'm').exec(programs) ?? [];
    assert.ok(
      file !== '' && existsSync(join(root, 'examples', script, file)),
      `${page}: npm run ${script}${rest}`,
    );
  }
});

t('every command of graft that is named is there', () => {
  const named = lines.flatMap(({ page, script, rest }) => {
    const [, name] = /^ -- (\w+)/.exec(rest) ?? [];
    return script === 'graft' && name !== undefined ? [{ page, name }] : [];
  });
  assert.ok(named.length > 15);
  // The page of the commands is made of them.
  const text = readFileSync(join(root, 'docs/commands.md'), 'utf8');
  const known = [...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  for (const { page, name } of named) assert.ok(known.includes(name), `${page}: graft ${name}`);
});

t('files and tests that CONTRIBUTING.md names are there', () => {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const named = [...text.matchAll(/`((?:compiler|grammar|runtime|test|docs|specs)\/[\w./-]*)`/g)].map(
    ([, path = '']) => path,
  );
  assert.ok(named.length > 15);
  for (const path of named) if (!/[A-Z]{4}/.test(path)) assert.ok(existsSync(join(root, path)), path);
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  const filters = [...text.matchAll(/npm test -- ([\w/. -]*\w)/g)].flatMap(([, words = '']) =>
    words.split(' '),
  );
  assert.ok(filters.length > 10);
  for (const filter of filters)
    assert.ok(
      tests.some((file) => join('test', file).includes(filter)),
      filter,
    );
});

t('every sweep that is named has trials, as many as are said', async () => {
  const sweeps = lines.flatMap(({ page, rest }) => {
    const [, target = ''] = /^ -- sweep (\S+)/.exec(rest) ?? [];
    const [, count] = /# (\d+) trials/.exec(rest) ?? [];
    return target === '' ? [] : [{ page, target, count }];
  });
  assert.ok(sweeps.length >= 5);
  for (const { page, target, count } of sweeps) {
    const { trials } = await planSweep(nodeHost, join(root, target), {});
    assert.ok(trials.length > 0, `${page}: ${target}`);
    if (count !== undefined) assert.is(trials.length, Number(count), `${page}: ${target}`);
  }
});

t.run();
