/** How frames lay threads over data: everything is reached, and no grid is too large, whatever the size. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Profile } from '../../compiler/package/package.ts';
import { type Team, mapColumns, mapItems, mapRows, pickTeam } from '../../compiler/wgsl/frames.ts';

const t = suite('frames');
const PROFILES: readonly Profile[] = [
  { device: 'software', subgroup: 8 },
  { device: 'software', subgroup: null },
  { device: 'gpu', subgroup: null },
];
const COUNTS = [1, 2, 63, 64, 65, 511, 513, 20480, 4194240, 4194241, 100_000_000];
const BODY = { name: 'nothing', slots: [], code: '' };
const product = (grid: readonly number[]) => grid.reduce((a, b) => a * b, 1);

/** Uniform words run, hop, reps of a map, from the first of them. */
function reached(words: readonly number[], from: number, threads: number): Set<number> | number {
  const [run, hop, reps] = words.slice(from, from + 3) as [number, number, number];
  if (threads * reps > 100_000) return (threads - 1) * run + (reps - 1) * hop + 1;
  const items = new Set<number>();
  for (let thread = 0; thread < threads; thread++)
    for (let k = 0; k < reps; k++) items.add(thread * run + k * hop);
  return items;
}

for (const profile of PROFILES) {
  const name = `${profile.device} ${profile.subgroup ?? ''}`;

  t(`maps, ${name}`, () => {
    for (const count of COUNTS) {
      const { grid, uniforms } = mapItems(BODY, count, profile);
      assert.ok(grid.every((extent) => extent <= 65535));
      const items = reached(uniforms, 1, product(grid) * 64);
      if (typeof items === 'number') assert.ok(items >= count);
      else for (let i = 0; i < count; i++) assert.ok(items.has(i), `${i} of ${count}`);
    }
  });

  t(`maps by columns, ${name}`, () => {
    for (const [rows, columns] of [
      [1, 1],
      [17, 3],
      [640, 32],
      [32000, 1024],
      [3, 100_000],
    ] as const) {
      const { grid, uniforms } = mapColumns(BODY, rows, columns, profile);
      assert.ok(grid.every((extent) => extent <= 65535));
      const lanes = uniforms[2] ?? 0;
      assert.ok(product(grid) * 64 >= lanes && lanes % columns === 0);
      const items = reached(uniforms, 3, lanes / columns);
      if (typeof items === 'number') assert.ok(items >= rows);
      else for (let i = 0; i < rows; i++) assert.ok(items.has(i), `row ${i} of ${rows}`);
    }
  });

  t(`rows, ${name}`, () => {
    for (const [rows, width] of [
      [1, 1],
      [640, 5],
      [640, 32],
      [70_000, 20],
      [5_000_000, 2],
      [1, 100_000],
    ] as const) {
      const team: Team = pickTeam(rows, width, profile);
      const { grid } = mapRows(BODY, rows, team);
      assert.ok(grid.every((extent) => extent <= 65535) && team.lanes * team.rows <= 256);
      assert.ok(product(grid) * team.rows >= rows && (product(grid) - 65535) * team.rows < rows);
    }
  });
}

t.run();
