/** No ring of files and no ring of folders: whatever is read can be read from the bottom up. Imports of types count. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { foldersOf, type Graph, importsBelow, ringsOf, roomsOf } from './imports.ts';

const t = suite('rings');
const sources = importsBelow(['grammar', 'compiler', 'runtime']);

const named = (graph: Graph): string[] =>
  ringsOf(graph)
    .map((ring) => ring.join(' '))
    .sort();

t('files import one another in one direction', () => {
  assert.equal(named(sources), []);
});

for (const folder of foldersOf(sources))
  t(`the rooms of ${folder} import one another in one direction`, () => {
    assert.equal(named(roomsOf(sources, folder)), []);
  });

t('grammar imports nothing above it, and the compiler nothing of the runtime', () => {
  const up = [...sources].flatMap(([file, imports]) =>
    [...imports]
      .filter(
        (path) =>
          (file.startsWith('grammar/') && !path.startsWith('grammar/')) ||
          (file.startsWith('compiler/') && path.startsWith('runtime/')),
      )
      .map((path) => `${file} imports ${path}`),
  );
  assert.equal(up, []);
});

/** Node's own modules and console belong to hosts and to the command line. */
t('the engine imports no host, no command line and nothing of Node', () => {
  const ours = [...sources].filter(([file]) => /^runtime\/(project|sweep)\/(?!stores)/.test(file));
  assert.ok(ours.length > 30);
  const wrong = ours.flatMap(([file, imports]) =>
    [...imports]
      .filter((path) => /^runtime\/(hosts|cli|files|files\.ts|sweep\/stores)(\/|$)/.test(path))
      .map((path) => `${file} imports ${path}`),
  );
  assert.equal(wrong, []);
});

t('a ring is found, and named by its members', () => {
  const graph = new Map([
    ['x/a.ts', new Set(['x/b/one.ts'])],
    ['x/b/one.ts', new Set(['x/b/two.ts'])],
    ['x/b/two.ts', new Set(['x/a.ts', 'x/c.ts'])],
    ['x/c.ts', new Set<string>()],
  ]);
  assert.equal(named(graph), ['x/a.ts x/b/one.ts x/b/two.ts']);
  assert.equal(named(roomsOf(graph, 'x')), ['a.ts b']);
  assert.equal(named(roomsOf(graph, 'x/b')), []);
  assert.ok(
    [...sources.values()].reduce((sum, { size }) => sum + size, 0) > 1000,
    'there are imports to look at',
  );
});

t.run();
