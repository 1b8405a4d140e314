/** The error function of the references. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { erf } from '../../compiler/ops/activate.ts';

const t = suite('activations');

t('erf agrees with tabulated values', () => {
  // Abramowitz and Stegun, table 7.1.
  const table = [
    [0, 0],
    [0.02, 0.0225645747],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [1.5, 0.9661051465],
    [2, 0.995322265],
  ] as const;
  for (const [x, wanted] of table) {
    assert.ok(Math.abs(erf(x) - wanted) <= 5.1e-11, `erf(${x}) is ${erf(x)}`);
    assert.is(erf(-x) + erf(x), 0);
  }
  assert.is(erf(40), 1);
  assert.is(erf(-40), -1);
});

t.run();
