/** Places that pages and comments name: files and folders are there, and a file has the name that a page looks for in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const t = suite('places');
const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...filesBelow('docs').filter((file) => file.endsWith('.md')),
];

const WAY = 'docs/finding-your-way.md';

t('a page names files and folders that there are', () => {
  const named = pages.flatMap((page) =>
    [
      ...read(page).matchAll(
        /(?<![\w./-])(?:compiler|grammar|runtime|test|examples|specs|docs)\/[\w./-]*\w/g,
      ),
    ].map(([path]) => ({ page, path })),
  );
  assert.ok(named.length > 200, String(named.length));
  assert.equal(
    named.filter(({ path }) => !isPlace(path)).map(({ page, path }) => `${page}: ${path}`),
    [],
  );
});

t('sources that a page or a comment names from the middle of their path are there', () => {
  const sources = ['compiler', 'grammar', 'runtime', 'examples', 'test'].flatMap((folder) =>
    filesBelow(folder).filter((file) => /\.m?[jt]s$/.test(file)),
  );
  const comments = sources.map((file) => ({
    page: file,
    text: [...read(file).matchAll(/\/\*\*[^]*?\*\/|\/\/ .*/g)].map(([comment]) => comment).join('\n'),
  }));
  const named = [...pages.map((page) => ({ page, text: read(page) })), ...comments].flatMap(
    ({ page, text }) =>
      [...text.matchAll(/(?<![\w./@-])(?:[\w-]+\/)*[\w-]+(?:\.d)?\.(?:ts|mjs)\b/g)].map(([path]) => ({
        page,
        path,
      })),
  );
  assert.ok(named.length > 100, String(named.length));
  assert.equal(
    named
      .filter(({ path }) => !sources.some((file) => `/${file}`.endsWith(`/${path}`)))
      .map(({ page, path }) => `${page}: ${path}`),
    [],
  );
});

t('links lead to files, and to headings that they have', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)/g)].map(
      ([, path = '', heading = '']) => ({
        page,
        to: path === '' ? page : join(dirname(page), path),
        heading,
      }),
    ),
  );
  assert.ok(links.length > 100, String(links.length));
  const wrong = links.filter(
    ({ to, heading }) =>
      !existsSync(join(root, to)) ||
      (heading !== '' && !headingsOf(read(to)).some((known) => known === heading)),
  );
  assert.equal(
    wrong.map(({ page, to, heading }) => `${page}: ${to}#${heading}`),
    [],
  );
});

t('the files that answer questions have the names that are looked for in them', () => {
  const named = [...read(WAY).matchAll(/`(\w+)`\s(?:in|of)\s`([\w./-]+\.ts)`/g)];
  assert.ok(named.length > 20, String(named.length));
  const declares = (text: string, name: string): boolean =>
    new RegExp(`\\b(?:function|const|interface|class|type) ${name}\\b|^  (?:async )?${name}\\(`, 'm').test(
      text,
    );
  const wrong = named.filter(([, name = '', path = '']) => !declares(read(path), name));
  assert.equal(
    wrong.map(([, name, path]) => `${name} in ${path}`),
    [],
  );
});

/** Whether a file or folder is there; `npm test -- runtime/installed` names a test by a part of its path. */
const isPlace = (path: string): boolean =>
  existsSync(join(root, path)) || existsSync(join(root, 'test', `${path}.test.ts`));

/** Headings as GitHub makes names of them. */
const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );

t.run();
