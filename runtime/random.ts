/**
 * Seeded random numbers: the same seed gives the same run, on every machine.
 *
 * The generator is xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
 * arXiv 1805.01407; reference code prng.di.unimi.it), seeded by splitmix32 over an FNV-1a hash of the seed's text.
 */
import type { Init, Parameter } from '../compiler/model/model.ts';

export interface Random {
  /** A whole number in 0 .. 2^32 - 1. */
  uint32(): number;
  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** A whole number in 0 .. below - 1, without bias; `below` is at most 2^32. */
  integer(below: number): number;
}

/** A generator for these seeds; generators of different seeds are independent for all that matters here. */
export function createRandom(...seeds: readonly (number | string)[]): Random {
  let [a, b, c, d] = seedState(seeds.join('\u0000'));
  const uint32 = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  const uniform = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  let spare: number | null = null;
  return {
    uint32,
    uniform,
    normal() {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      // Box and Muller 1958; 1 - u is never 0.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    integer(below) {
      // Numbers of the last, incomplete run of `below` are drawn again.
      const limit = 2 ** 32 - (2 ** 32 % below);
      let value = uint32();
      while (value >= limit) value = uint32();
      return value % below;
    },
  };
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

function seedState(text: string): [number, number, number, number] {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  const next = (): number => {
    hash = (hash + 0x9e3779b9) | 0;
    let z = hash;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  return [next(), next(), next(), next()];
}

/** The numbers 0 .. count - 1 in random order (Fisher and Yates). */
export function permutation(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Where a parameter starts: a function of (seed, its name) alone, so that adding a part to a spec does not change the
 * start of the others.
 * @returns values in file order, `shape`'s product many
 */
export function initParameter(
  init: Init,
  parameter: Pick<Parameter, 'name' | 'shape'>,
  seed: number,
): Float32Array {
  const values = new Float32Array(parameter.shape.reduce((product, size) => product * size, 1));
  const random = createRandom(seed, parameter.name);
  switch (init.kind) {
    case 'constant':
      return values.fill(init.value);
    case 'normal':
      for (let i = 0; i < values.length; i++) values[i] = init.mean + init.std * random.normal();
      return values;
    case 'uniform':
      for (let i = 0; i < values.length; i++) values[i] = init.bound * (2 * random.uniform() - 1);
      return values;
    case 'norms':
      throw new Error(`internal error: \`${parameter.name}\` starts from the numbers of \`${init.of}\``);
    case 'weights':
      throw new Error(`internal error: \`${parameter.name}\` starts from the base's file, not from a seed`);
  }
}
