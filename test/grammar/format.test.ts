/**
 * The formatter. A fixture is a pair, `x.adapter` and `x.formatted.adapter`; `UPDATE=1` writes the second. Whatever is
 * formatted keeps its meaning, its tokens and its comments, and formatting it again changes nothing.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as prettier from 'prettier';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../grammar/parser.ts';
import * as plugin from '../../grammar/prettier.ts';
import { printFile } from '../../grammar/print.ts';
import { withNoise } from './noise.ts';
import { assertFormats, format, meaning } from './formatting.ts';
import { randomFrom } from './random.ts';
import { randomFile } from './trees.ts';

const t = suite('formatter');
const root = join(import.meta.dirname, '../..');
const fixtures = join(root, 'test/fixtures/format');
const read = (path: string): string => readFileSync(path, 'utf8');

for (const file of readdirSync(fixtures).filter((f) => !f.endsWith('.formatted.adapter'))) {
  t(file, async () => {
    const once = await assertFormats(read(join(fixtures, file)));
    const expected = join(fixtures, file.replace(/\.adapter$/, '.formatted.adapter'));
    if (process.env['UPDATE'] === '1') writeFileSync(expected, once);
    else assert.fixture(once, existsSync(expected) ? read(expected) : '');
  });
}

const committed = ['specs', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((f) => join(root, folder, f)),
);
for (const file of committed.filter((f) => f.endsWith('.adapter'))) {
  t(`${file.slice(root.length + 1)} is formatted`, async () => {
    assert.fixture(await assertFormats(read(file)), read(file));
  });
}

/** A line break in every gap, or none at all. */
for (const [name, gap] of [
  ['one line', ' '],
  ['a token a line', '\n'],
] as const) {
  t(`specs on ${name}`, async () => {
    for (const file of readdirSync(join(root, 'specs')).filter((f) => f.endsWith('.adapter'))) {
      const text = printFile(parse({ file, text: read(join(root, 'specs', file)) }).file);
      await assertFormats(text.replace(/(?:"(?:[^"\\]|\\.)*"|[^\s"])+/g, (token) => `${token}${gap}`));
    }
  });
}

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((f) => join('docs', f))];
for (const file of documents.filter((f) => f.endsWith('.md'))) {
  t(`blocks in ${file} are formatted`, async () => {
    for (const [, block = ''] of read(join(root, file)).matchAll(/```adapter\n([^]*?)```/g))
      assert.fixture(await format(block), block);
  });
}

t('a base from a model, with and without braces', async () => {
  assert.is(
    await format(
      'base  a   from  "x" // why\n\nbase b from"y"{context=2   tied = true}\nbase c from "z" {\n}\n',
    ),
    'base a from "x"  // why\n\nbase b from "y" { context = 2  tied = true }\nbase c from "z" {}\n',
  );
});

t('300 random trees, as they print, with noise and in narrow columns', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomFrom(seed);
    const tree = randomFile(random);
    const text = printFile(tree);
    const again = parse({ file: 'x', text });
    assert.equal(again.diagnostics, [], `seed ${seed}: ${text}`);
    assert.equal(withoutText(again.file), withoutText(tree), `seed ${seed}`);
    const noisy = withNoise(text, random, [0, 3, 12][seed % 3] ?? 0);
    const page = [{}, { printWidth: 1 }, { printWidth: 40, tabWidth: 4 }, { printWidth: 60, useTabs: true }];
    await assertFormats(noisy, page[seed % 4]).catch((cause: unknown) => {
      throw new Error(`seed ${seed}:\n${noisy}`, { cause });
    });
  }
});

/** A random tree knows the value of a string and not how it is written. */
const withoutText = (tree: Parameters<typeof meaning>[0]): unknown =>
  JSON.parse(JSON.stringify(meaning(tree)), (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'string'
      ? { ...value, text: '' }
      : value,
  );

t("widths and tabs are Prettier's", async () => {
  const text = 'param late = [first 1, last 2]\nbase b { layers = 2  dim = 4 }\n';
  const options = { parser: 'adapter', plugins: [plugin], printWidth: 24, useTabs: true };
  assert.is(
    await prettier.format(text, options),
    'param late = [\n\tfirst 1,\n\tlast 2\n]\nbase b {\n\tlayers = 2  dim = 4\n}\n',
  );
});

t('an editor keeps its cursor', async () => {
  const options = { parser: 'adapter', plugins: [plugin], cursorOffset: 24 };
  const { formatted, cursorOffset } = await prettier.formatWithCursor('param a=1\nparam b   =  2', options);
  assert.equal([formatted, cursorOffset], ['param a = 1\nparam b = 2\n', 23]);
});

t('Windows line ends and a byte order mark', async () => {
  assert.is(
    await format('param a = 1\r\n\r\n\r\n/// doc\r\nparam b = 2 // x\r\n'),
    'param a = 1\n\n/// doc\nparam b = 2  // x\n',
  );
  assert.is(await format('\ufeffparam   a = 1'), '\ufeffparam a = 1\n');
});

t('nothing but blanks, or comments', async () => {
  assert.is(await format(' \n\n '), '');
  assert.is(await format('\n\n// a\n\n\n\n// b'), '// a\n\n// b\n');
});

t('a mistake in the syntax is a SyntaxError with a place', async () => {
  const failure: unknown = await format('param a = 1\nparam b = first\n').catch((e: unknown) => e);
  assert.instance(failure, SyntaxError);
  assert.equal((failure as { loc?: unknown }).loc, {
    start: { line: 2, column: 16 },
    end: { line: 2, column: 16 },
  });
  assert.match((failure as SyntaxError).message, /A003: expected a number or a name|A003: /);
  assert.match((failure as { codeFrame?: string }).codeFrame ?? '', /> 2 \| param b = first/);
});

t("Prettier's own command line, with the plugin that `npm run build` makes", async () => {
  const run = promisify(execFile);
  const dist = join(root, '.cache/test/plugin');
  const { bundle } = (await import('../../runtime/setup/build.mjs')) as {
    bundle: (entries: string[], folder: string) => Promise<unknown>;
  };
  await bundle(['grammar/prettier.ts'], dist);
  const cli = join(root, 'node_modules/prettier/bin/prettier.cjs');
  const argv = [cli, '--plugin', join(dist, 'grammar/prettier.js')];
  const { stdout } = await run(process.execPath, [...argv, '--check', 'specs'], { cwd: root });
  assert.match(stdout, /All matched files use Prettier code style/);
  const broken = await run(
    process.execPath,
    [...argv, 'test/fixtures/diagnostics/syntax.adapter', '--ignore-path', '/dev/null'],
    { cwd: root },
  ).catch((e: { readonly code: number; readonly stderr: string }) => e);
  assert.match(broken.stderr, /SyntaxError: A003: expected `=`, found `10` \(4:35\)/);
});

t.run();
