/** The optimizer's nodes: cells that are larger than a binding may be are updated in pieces. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../compiler/graph/builder.ts';
import { appendOptimizer } from '../../compiler/passes/append-optimizer.ts';
import type { Cell } from '../../compiler/package/package.ts';
import { fromLibrary, recipeFor } from '../compiler/subjects.ts';

const t = suite('optimizer nodes');
const recipe = recipeFor(fromLibrary('llama-adapter-v1.adapter'));

/** First number and count of every piece that AdamW updates, by cell. */
function pieces(cells: readonly Cell[], active: readonly number[]): [number, number, number][] {
  const g = new Builder({ kind: 'forward', image: false }, 1, 1);
  appendOptimizer(g, cells, active, recipe, 'gradients');
  return g.nodes
    .filter((node) => node.op === 'adamw')
    .map((node) => {
      const parameters = g.tensors[node.outputs[0] ?? -1];
      return [parameters?.cell ?? -1, parameters?.from ?? -1, parameters?.axis.size ?? -1];
    });
}

t('a small cell is one piece, an inactive one none', () => {
  const cells = [
    { offset: 0, size: 4 * 640, tasks: ['a'] },
    { offset: 2560, size: 4 * 128, tasks: ['b'] },
  ];
  assert.equal(pieces(cells, [1]), [[1, 0, 128]]);
  assert.equal(pieces(cells, [0, 1]), [
    [0, 0, 640],
    [1, 0, 128],
  ]);
});

t('pieces of a large cell follow each other, cover it, and fit a binding of 128 MiB', () => {
  const count = 2 ** 24 * 2 + 64 * 5;
  const made = pieces([{ offset: 0, size: 4 * count, tasks: ['a'] }], [0]);
  let next = 0;
  for (const [, from, size] of made) {
    assert.is(from, next);
    assert.ok(4 * size <= 128 * 2 ** 20 && size % 64 === 0);
    next += size;
  }
  assert.is(next, count);
  assert.is(made.length, 3);
});

t.run();
