/** The floors of the compiler: each folder imports from lower floors only, values and types alike. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importsBelow } from '../structure/imports.ts';

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
const roomOf = (file: string): string => file.split('/')[1] ?? '';
const sources = importsBelow(['compiler']);

test('every room of the compiler is on a floor', () => {
  const rooms = [...new Set([...sources.keys()].map(roomOf))];
  assert.equal(
    rooms.filter((room) => floorOf(room) < 0),
    [],
  );
  assert.ok(rooms.length === FLOORS.flat().length, 'a floor names a room that does not exist');
});

test('a room imports from the floors below it only', () => {
  const up = [...sources].flatMap(([file, imports]) =>
    [...imports]
      .filter((path) => roomOf(path) !== roomOf(file) && floorOf(roomOf(path)) <= floorOf(roomOf(file)))
      .map((path) => `${file} imports ${path}`),
  );
  assert.equal(up, []);
  // The rule has arrows to look at.
  assert.ok([...sources.values()].reduce((sum, { size }) => sum + size, 0) > 500);
});

test.run();
