/** Batches of examples: which, in which order, and how they are padded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBatches, microBatches, sequenceLength, stepsAnEpoch } from '../../runtime/data/batches.ts';
import { IGNORE } from '../../runtime/data/encode.ts';
import { load, many } from './loading.ts';

const t = suite('batches');

t('batches are a function of their number', async () => {
  const data = await load('alpaca', many(23));
  const make = (seed: number): ReturnType<typeof createBatches> =>
    createBatches(data, { batch: 4, seed, context: 40 });
  const [a, b] = [make(7), make(7)];
  assert.is(a.perEpoch, 6);
  const later = b.batchAt(13);
  assert.equal(a.batchAt(13), later);
  for (let i = 0; i < 13; i++) a.batchAt(i);
  assert.equal(a.batchAt(13), later, 'going on from 13 is the same as coming to it');
  assert.is.not(make(8).batchAt(0).examples.join(), a.batchAt(0).examples.join());
});

t('an epoch has each example once, and another order each time', async () => {
  const data = await load('alpaca', many(23));
  const batches = createBatches(data, { batch: 4, seed: 1, context: 40 });
  const epoch = (e: number): number[] =>
    [...Array(6).keys()].flatMap((i) => [...batches.batchAt(e * 6 + i).examples].slice(0, i === 5 ? 3 : 4));
  for (const e of [0, 1, 7])
    assert.equal(
      epoch(e).sort((a, b) => a - b),
      [...Array(23).keys()],
    );
  assert.equal([batches.batchAt(5).epoch, batches.batchAt(6).epoch], [0, 1]);
  assert.is.not(epoch(0).join(), epoch(1).join());
});

t('rows that an epoch leaves over repeat an example, and nothing is learned from them', async () => {
  const data = await load('alpaca', many(23));
  const last = createBatches(data, { batch: 4, seed: 1, context: 40, tokens: 16 }).batchAt(5);
  assert.is(last.examples[3], last.examples[0]);
  assert.equal(last.tokens.slice(48), last.tokens.slice(0, 16));
  assert.ok(last.labels.slice(48).every((id) => id === IGNORE));
  const own = [...last.examples].slice(0, 3).map((i) => data.examples[i]!.labelled);
  assert.is(
    last.labelled,
    own.reduce((a, b) => a + b, 0),
  );
  assert.is(last.labelled, last.labels.filter((id) => id !== IGNORE).length);
});

t('micro-batches of a step are of one epoch', async () => {
  const data = await load('alpaca', many(10));
  const batches = createBatches(data, { batch: 2, seed: 1, context: 40 });
  const steps = (accumulate: number, count: number): number[][] =>
    Array.from({ length: count }, (_, step) =>
      microBatches(batches, accumulate, step).map(({ examples, epoch }) => {
        const index = [...Array(20).keys()].find(
          (i) => batches.batchAt(i).examples.join() === examples.join() && batches.batchAt(i).epoch === epoch,
        );
        return index ?? -1;
      }),
    );
  assert.equal(steps(1, 6), [[0], [1], [2], [3], [4], [5]]);
  assert.equal(steps(2, 6), [[0, 1], [2, 3], [4], [5, 6], [7, 8], [9]]);
  assert.equal(steps(8, 2), [
    [0, 1, 2, 3, 4],
    [5, 6, 7, 8, 9],
  ]);
  assert.equal(
    [1, 2, 5, 8].map((accumulate) => stepsAnEpoch(batches, accumulate)),
    [5, 3, 1, 1],
  );
});

t('rows are padded to the longest example, a multiple of four, at most the context', async () => {
  const data = await load('alpaca', many(8));
  assert.is(data.report.longest, 14);
  assert.is(sequenceLength(data, 40), 16);
  assert.is(sequenceLength(data, 14), 14);
  const batches = createBatches(data, { batch: 2, seed: 1, context: 40, shuffle: false });
  const { tokens, labels, labelled, examples } = batches.batchAt(0);
  assert.equal([...examples], [0, 1]);
  assert.is(tokens.length, 32);
  const first = data.examples[0]!;
  assert.equal(Array.from(tokens.slice(0, 16)), [
    ...first.tokens,
    ...Array(16 - first.tokens.length).fill(0),
  ]);
  assert.equal(Array.from(labels.slice(0, 16)), [
    ...first.labels,
    ...Array(16 - first.tokens.length).fill(IGNORE),
  ]);
  assert.is(labelled, labels.filter((id) => id !== IGNORE).length);
});

t('fewer examples than a batch', async () => {
  const data = await load('alpaca', many(3));
  assert.throws(
    () => createBatches(data, { batch: 4, seed: 1, context: 40 }),
    /has 3 examples, one batch takes 4[\s\S]*`batch = 3`/,
  );
});

t.run();
