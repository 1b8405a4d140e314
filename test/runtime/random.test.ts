import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRandom, initParameter, permutation } from '../../runtime/random.ts';

const t = suite('random');

/** xoshiro128** 1.1 in big integers, from the reference C code. */
function reference(state: bigint[], count: number): number[] {
  const mask = 0xffffffffn;
  const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  const s = [...state];
  return Array.from({ length: count }, () => {
    const result = (rotl((s[1]! * 5n) & mask, 7n) * 9n) & mask;
    const shifted = (s[1]! << 9n) & mask;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotl(s[3]!, 11n);
    return Number(result);
  });
}

/** The state before the first draw, found by seeding as the module does. */
function seedOf(text: string): bigint[] {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return Array.from({ length: 4 }, () => {
    hash = (hash + 0x9e3779b9) | 0;
    let z = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return BigInt((z ^ (z >>> 15)) >>> 0);
  });
}

t('is xoshiro128**', () => {
  const random = createRandom(3, 'x');
  assert.equal(
    Array.from({ length: 100 }, () => random.uint32()),
    reference(seedOf('3\u0000x'), 100),
  );
});

t('is the same for the same seed and different for others', () => {
  const draw = (...seeds: (number | string)[]): string => {
    const random = createRandom(...seeds);
    return Array.from({ length: 5 }, () => random.uint32()).join();
  };
  assert.is(draw(1, 'a'), draw(1, 'a'));
  assert.is(new Set([draw(1, 'a'), draw(2, 'a'), draw(1, 'b'), draw(1), draw('1a'), draw(11, 'a')]).size, 6);
});

const moments = (values: Iterable<number>): { mean: number; std: number } => {
  const list = [...values];
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return { mean, std: Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length) };
};

t('uniform and normal have their moments', () => {
  const random = createRandom('moments');
  const uniform = Array.from({ length: 20000 }, () => random.uniform());
  assert.ok(uniform.every((x) => x >= 0 && x < 1));
  const u = moments(uniform);
  assert.ok(Math.abs(u.mean - 0.5) < 0.01 && Math.abs(u.std - Math.sqrt(1 / 12)) < 0.01);
  const normal = Array.from({ length: 20000 }, () => random.normal());
  const n = moments(normal);
  assert.ok(Math.abs(n.mean) < 0.03 && Math.abs(n.std - 1) < 0.03);
  const tail = normal.filter((x) => Math.abs(x) > 1.96).length / normal.length;
  assert.ok(Math.abs(tail - 0.05) < 0.01);
});

t('integers are even and a permutation holds each once', () => {
  const random = createRandom(5);
  const counts = Array.from({ length: 7 }, () => 0);
  for (let i = 0; i < 14000; i++) counts[random.integer(7)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 200, String(count));
  const order = permutation(50, createRandom(1));
  assert.equal(
    [...order].sort((a, b) => a - b),
    [...Array(50).keys()],
  );
  assert.is.not(order.join(), [...Array(50).keys()].join());
  assert.is(permutation(0, random).length, 0);
  // Each element comes first about as often as any other.
  const first = Array.from({ length: 4 }, () => 0);
  for (let i = 0; i < 4000; i++) first[permutation(4, random)[0]!]!++;
  for (const count of first) assert.ok(Math.abs(count - 1000) < 150, String(count));
});

t('a parameter starts from its seed and name alone', () => {
  const parameter = { name: 'words.layers.2.prompt', shape: [20, 50] };
  const init = { kind: 'normal', mean: 2, std: 0.5 } as const;
  const values = initParameter(init, parameter, 7);
  assert.equal(initParameter(init, parameter, 7), values);
  assert.is.not(initParameter(init, parameter, 8)[0], values[0]);
  assert.is.not(initParameter(init, { ...parameter, name: 'words.layers.3.prompt' }, 7)[0], values[0]);
  const { mean, std } = moments(values);
  assert.ok(Math.abs(mean - 2) < 0.1 && Math.abs(std - 0.5) < 0.05);
});

t('constant and uniform inits', () => {
  const parameter = { name: 'x', shape: [1, 4, 1, 1] };
  assert.equal([...initParameter({ kind: 'constant', value: 3 }, parameter, 1)], [3, 3, 3, 3]);
  const values = initParameter({ kind: 'uniform', bound: 0.1 }, { name: 'x', shape: [1000] }, 1);
  assert.ok(
    values.every((x) => Math.abs(x) <= 0.1) && values.some((x) => x < -0.09) && values.some((x) => x > 0.09),
  );
  assert.throws(() => initParameter({ kind: 'weights' }, parameter, 1), /starts from the base's file/);
});

t.run();
