/** What is said of a run before it begins: how often it sees its data, and what of the recipe does not suit its length. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { Batches } from '../../runtime/data/batches.ts';
import type { Dataset } from '../../runtime/data/load.ts';
import { runNotes } from '../../runtime/project/run-notes.ts';
import { fromLibrary, recipeFor } from '../compiler/subjects.ts';

const t = suite('notes before a run');
const plain = recipeFor(fromLibrary('lora.adapter'));

/** Notes of a run on so many examples of each task: passes, then warnings. */
function notes(...given: Parameters<typeof runOn>): string[] {
  const { passes, warnings } = runOn(...given);
  return [...passes, ...warnings];
}

function runOn(
  changes: Partial<Recipe>,
  examples: Readonly<Record<string, number>> = { a: 7 },
  remarks?: readonly string[],
): ReturnType<typeof runNotes> {
  const parts = Object.keys(examples).map((task) => ({ task, count: 1 }));
  const recipe: Recipe = { ...plain, mix: { kind: 'alternate', parts }, steps: null, ...changes };
  const of = <T>(make: (count: number) => T): Map<string, T> =>
    new Map(Object.entries(examples).map(([task, count]) => [task, make(count)]));
  return runNotes(recipe, {
    datasets: of(
      (length) => ({ examples: Array.from({ length }), report: { remarks } }) as unknown as Dataset,
    ),
    batches: of((count) => ({ perEpoch: Math.ceil(count / recipe.batch) }) as Batches),
  });
}

t('every example once an epoch, also where the last step is a short one', () => {
  assert.equal(notes({ epochs: 1, batch: 2, accumulate: 2 }), ['a: 2 steps, each of 7 examples once']);
  assert.equal(notes({ epochs: 2, batch: 7 }), ['a: 2 steps, each of 7 examples twice']);
  assert.equal(notes({ epochs: 3, batch: 1 }, { a: 1 }), ['a: 3 steps, each of 1 example 3 times']);
});

t('examples that sit out, and those that come again, are counted', () => {
  assert.equal(notes({ steps: 1, batch: 2 }), ['a: 1 step, 2 of 7 examples once; the others sit out']);
  assert.equal(notes({ steps: 6, batch: 2 }), ['a: 6 steps, each of 7 examples once, 4 of them once more']);
  assert.equal(notes({ epochs: 1.6, batch: 7 }), ['a: 2 steps, each of 7 examples twice']);
});

t('every task has its own steps, and one without turns none', () => {
  assert.equal(notes({ epochs: 1, batch: 2 }, { a: 4, b: 10 }), [
    'a: 5 steps, each of 4 examples twice, 2 of them once more',
    'b: 5 steps, each of 10 examples once',
  ]);
  const parts = [
    { task: 'a', count: 3 },
    { task: 'b', count: 1 },
    { task: 'c', count: 0 },
  ];
  assert.equal(notes({ steps: 8, batch: 2, mix: { kind: 'proportional', parts } }, { a: 4, b: 4, c: 4 }), [
    'a: about 6 steps, each of 4 examples 3 times',
    'b: about 2 steps, each of 4 examples once',
  ]);
});

t('data of fewer micro-batches than a step accumulates', () => {
  assert.equal(notes({ epochs: 3, batch: 2, accumulate: 8 }), [
    'a: 3 steps, each of 7 examples 3 times',
    'a: accumulate = 8, but the data has 4 micro-batches: a step takes those, and no example twice',
  ]);
});

t('a warm-up that is longer than the run, and the rate that is reached', () => {
  const schedule = (value: number, unit: 'steps' | 'epochs') =>
    ({ kind: 'cosine', warmup: { value, unit }, floor: 0 }) as const;
  const [, note] = notes({ epochs: 1, batch: 2, schedule: schedule(100, 'steps') });
  assert.is(
    note,
    'recipe `r`: the warm-up is longer than the run of 4 steps: the learning rate reaches 0.00040 of 0.01; ' +
      'write a shorter one, such as `warmup: 10%`',
  );
  assert.is(notes({ epochs: 1, batch: 2, schedule: schedule(4, 'steps') }).length, 1);
  assert.is(notes({ epochs: 1, batch: 2, schedule: schedule(1, 'epochs') }).length, 2);
});

t('how often the run sees the data is no warning', () => {
  const { passes, warnings } = runOn({ epochs: 1, batch: 7 });
  assert.equal(passes, ['a: 1 step, each of 7 examples once']);
  assert.equal(warnings, []);
});

t('what the loader found in the data', () => {
  const said = notes({ epochs: 1, batch: 7 }, { a: 7 }, ['2 of 7 answers are empty']);
  assert.ok(said.includes('a: 2 of 7 answers are empty'), said.join('\n'));
});

t('a part of an epoch that is no step', () => {
  assert.throws(() => notes({ epochs: 0.1, batch: 7 }), /comes to no step at all/);
});

t.run();
