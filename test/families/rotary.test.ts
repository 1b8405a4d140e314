/** Frequencies of every scaling against the formulas written out for single pairs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printRope, rotaryOf, tableName } from '../../compiler/families/rotary.ts';
import { declaredBase } from './parts.ts';
import type { Base } from '../../compiler/model/model.ts';

const t = suite('rotary');
const of = (rope: Partial<Base['rope']>, headDim = 8) =>
  rotaryOf({ headDim, rope: { style: 'half', theta: 10000, ...rope } });
const near = (actual: readonly number[], expected: readonly number[]): void => {
  assert.is(actual.length, expected.length);
  actual.forEach((x, i) =>
    assert.ok(Math.abs(x / (expected[i] ?? NaN) - 1) < 1e-12, `${i}: ${x}, ${expected[i]}`),
  );
};

t('plain and linear', () => {
  near(of({}).frequencies, [1, 0.1, 0.01, 0.001]);
  near(of({ scaling: { kind: 'linear', factor: 4 } }).frequencies, [0.25, 0.025, 0.0025, 0.00025]);
  assert.is(of({ scaling: { kind: 'linear', factor: 4 } }).factor, 1);
});

t('dynamic and longrope follow the length', () => {
  const dynamic: Base['rope'] = {
    style: 'half',
    theta: 100,
    scaling: { kind: 'dynamic', factor: 2, original: 8 },
  };
  const at = (rope: Base['rope'], length: number) => rotaryOf({ headDim: 4, rope }, length);
  near(at(dynamic, 8).frequencies, [1, 0.1]);
  // theta (2 * 16 / 8 - 1) ^ (4 / 2) = 900.
  near(at(dynamic, 16).frequencies, [1, 1 / 30]);
  assert.equal(
    [8, 9].map((length) => tableName(dynamic, length)),
    ['rope', 'rope.9'],
  );
  const lists = { long: [2, 4], short: [1, 2] };
  const scaling = { kind: 'longrope', factor: 4, original: 8, ...lists, attention: null } as const;
  const long: Base['rope'] = { style: 'half', theta: 100, scaling };
  near(at(long, 8).frequencies, [1, 0.05]);
  near(at(long, 9).frequencies, [0.5, 0.025]);
  assert.ok(Math.abs(at(long, 8).factor - Math.sqrt(1 + Math.log(4) / Math.log(8))) < 1e-15);
  assert.equal(
    [8, 9, 10].map((length) => tableName(long, length)),
    ['rope', 'rope.long', 'rope.long'],
  );
  const text = printRope(long);
  assert.is(text, 'half(theta: 100, scaling: longrope(factor: 4, original: 8, long: [2, 4], short: [1, 2]))');
  assert.equal(
    declaredBase(`layers = 1  dim = 8  heads = 2  ffn = 8  vocab = 9  rope = ${text}`)?.rope,
    long,
  );
});

t('factors: each frequency by its own', () => {
  const scaling = { kind: 'factors', by: [1, 2, 4, 8] } as const;
  near(of({ scaling }).frequencies, [1, 0.05, 0.0025, 0.000125]);
  assert.is(
    printRope({ style: 'half', theta: 5, scaling }),
    'half(theta: 5, scaling: factors(by: [1, 2, 4, 8]))',
  );
  const rope = (by: string) =>
    declaredBase(
      `layers = 1  dim = 8  heads = 2  ffn = 8  vocab = 9  rope = half(scaling: factors(by: ${by}))`,
    )?.rope;
  assert.equal(rope('[1, 2.5]')?.scaling, { kind: 'factors', by: [1, 2.5] });
  assert.is(rope('[1, 2, 3]'), undefined);
});

t('llama3: short waves stay, long ones are divided, between them a blend', () => {
  // 100 tokens: waves of 6.28, 62.8, 628 and 6283; kept below 100/4, divided above 100/1.
  const { frequencies, factor } = of({
    scaling: { kind: 'llama3', factor: 8, low: 1, high: 4, original: 100 },
  });
  const blend = (100 / (2 * Math.PI * 10) - 1) / 3;
  near(frequencies, [1, (1 - blend) * (0.1 / 8) + blend * 0.1, 0.01 / 8, 0.001 / 8]);
  assert.is(factor, 1);
});

t('yarn: a ramp over the pairs, and a factor on cos and sin', () => {
  const scaling = {
    kind: 'yarn',
    factor: 4,
    original: 4096,
    fast: 32,
    slow: 1,
    attention: null,
    truncate: true,
  } as const;
  // 8 ln(4096 / (2 pi 32)) / (2 ln 10000) = 1.309 and 8 ln(4096 / 2 pi) / (2 ln 10000) = 2.814: from pair 1 to pair 3.
  const { frequencies, factor } = of({ scaling });
  near(frequencies, [1, 0.1, 0.5 * 0.01 + 0.5 * 0.0025, 0.00025]);
  assert.ok(Math.abs(factor - (0.1 * Math.log(4) + 1)) < 1e-15);
  assert.is(of({ scaling: { ...scaling, attention: 1.25 } }).factor, 1.25);
  const [, , third] = of({ scaling: { ...scaling, truncate: false } }).frequencies;
  const [from, to] = [32, 1].map(
    (turns) => (8 * Math.log(4096 / (turns * 2 * Math.PI))) / (2 * Math.log(10000)),
  );
  const ramp = (2 - from!) / (to! - from!);
  near([third!], [0.0025 * ramp + 0.01 * (1 - ramp)]);
});

t('as the language writes it', () => {
  assert.is(printRope({ style: 'half', theta: 500 }), 'half(theta: 500)');
  const scaling = {
    kind: 'yarn',
    factor: 4,
    original: 12,
    fast: 32,
    slow: 2,
    attention: null,
    truncate: true,
  } as const;
  assert.is(
    printRope({ style: 'half', theta: 5, scaling }),
    'half(theta: 5, scaling: yarn(factor: 4, original: 12, slow: 2))',
  );
});

t.run();
