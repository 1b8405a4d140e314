/** Did you mean ...? */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { editDistance, nearest } from '../../grammar/suggest.ts';

const t = suite('suggest');

t('distances', () => {
  const pairs = [
    ['', ''],
    ['a', ''],
    ['prompt', 'promt'],
    ['lenght', 'length'],
    ['kitten', 'sitting'],
  ] as const;
  assert.equal(
    pairs.map(([a, b]) => editDistance(a, b)),
    [0, 1, 1, 1, 3],
  );
});

t('only what is close is suggested', () => {
  assert.is(nearest('promt', ['prompt', 'bias', 'lora']), 'prompt');
  assert.is(nearest('Prompt', ['prompt']), 'prompt');
  assert.is(nearest('q_proj', ['wq', 'wk']), undefined);
  assert.is(nearest('t', ['d']), undefined);
});

t.run();
