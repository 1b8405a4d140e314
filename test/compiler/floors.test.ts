/** The floors of the compiler: each folder imports from lower floors only, values and types alike. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const compiler = fileURLToPath(new URL('../../compiler', import.meta.url));

/** From the top. Rooms of one floor do not import one another; data flows down the list of `compile.ts`, imports too. */
const FLOORS: readonly (readonly string[])[] = [
  ['index.ts'],
  ['service'],
  ['check'],
  ['lower', 'describe', 'merge'],
  ['compile.ts'],
  ['compile'],
  ['kinds'],
  ['build'],
  ['passes'],
  ['wgsl', 'ops'],
  ['graph'],
  ['package', 'families', 'storage'],
  ['model', 'host.ts'],
];

const floorOf = (room: string): number => FLOORS.findIndex((floor) => floor.includes(room));
const roomOf = (file: string): string => relative(compiler, file).split('/')[0] ?? '';
const files = readdirSync(compiler, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join(compiler, file));

/** Files of ours that a file imports or exports from, types included. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    join(dirname(file), path ?? ''),
  );

test('every room of the compiler is on a floor', () => {
  const rooms = [...new Set(files.map(roomOf))];
  assert.equal(
    rooms.filter((room) => floorOf(room) < 0),
    [],
  );
  assert.ok(rooms.length === FLOORS.flat().length, 'a floor names a room that does not exist');
});

test('a room imports from the floors below it only', () => {
  const up = files.flatMap((file) =>
    importsOf(file)
      .filter((path) => path.startsWith(`${compiler}/`) && roomOf(path) !== roomOf(file))
      .filter((path) => floorOf(roomOf(path)) <= floorOf(roomOf(file)))
      .map((path) => `${relative(compiler, file)} imports ${relative(compiler, path)}`),
  );
  assert.equal(up, []);
  // The rule has arrows to look at.
  assert.ok(files.flatMap(importsOf).length > 500);
});

test.run();
