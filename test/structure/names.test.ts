/** Names that the compiler makes are written and never taken apart: what they say is in fields beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const t = suite('names');
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Those that know models. Readers of weights take the names of other programs apart. */
const FOLDERS = [
  'compiler',
  'runtime/golden',
  'runtime/project',
  'runtime/sweep',
  'runtime/train',
  'runtime/merge',
];

/** Such as /^layers\.(\d+)\./, /\.gate$/ or endsWith('.bias'). */
const takesApart =
  /\/[^/\n]*(?:\blayers\\\.|\\\.(?:gate|prompt|query|weight|bias)\$)[^/\n]*\/[a-z]*[.,;)]|endsWith\('\.(?:gate|prompt|query|weight|bias)'/;

t('no site, layer or role is looked for in a name', () => {
  const found = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line) => (takesApart.test(line) ? [`${file}: ${line.trim()}`] : [])),
    );
  assert.equal(found, []);
  for (const line of [
    "name.replace(/^layers\\.\\d+\\./, '')",
    '/\\.layers\\.(\\d+)\\.gate$/.exec(name)',
    "name.endsWith('.bias')",
  ])
    assert.ok(takesApart.test(line), line);
});

t.run();
