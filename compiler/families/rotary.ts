/**
 * Rotary positions as frequencies: whatever a base's `rope` is made of, a table needs only an angle for each pair of a
 * head's numbers and a factor on cos and sin. Some scalings follow the length of a sequence (`dynamic`, `longrope`): their table is
 * that of the length that a program has room for.
 */
import type { Base } from '../model/model.ts';
import type { RopeScaling } from '../model/rope.ts';

/** A rotary table before positions are chosen: pair j turns by position * frequencies[j], cos and sin times `factor`. */
export interface Rotary {
  readonly frequencies: readonly number[];
  readonly factor: number;
}

/** Another name for each table that a scaling makes for sequences of `length` tokens. */
export function tableName({ scaling }: Base['rope'], length: number): string {
  if (scaling?.kind === 'longrope') return length > scaling.original ? 'rope.long' : 'rope';
  return scaling?.kind === 'dynamic' && length > scaling.original ? `rope.${length}` : 'rope';
}

/**
 * The frequencies of a base, one for each pair of a head's numbers that is turned.
 * @param length tokens of the sequences, which some scalings follow
 */
export function rotaryOf({ headDim, rope }: Pick<Base, 'headDim' | 'rope'>, length = 0): Rotary {
  const size = rope.size ?? headDim;
  const frequencies = plainFrequencies(size, rope.theta);
  const { scaling } = rope;
  switch (scaling?.kind) {
    case undefined:
      return { frequencies, factor: 1 };
    case 'factors':
      return { frequencies: frequencies.map((f, j) => f / (scaling.by[j] ?? 1)), factor: 1 };
    case 'dynamic': {
      const { factor, original } = scaling;
      const stretch = (factor * Math.max(length, original)) / original - (factor - 1);
      return { frequencies: plainFrequencies(size, rope.theta * stretch ** (size / (size - 2))), factor: 1 };
    }
    case 'longrope': {
      const { factor, original, long, short, attention } = scaling;
      const by = length > original ? long : short;
      const grown = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
      return { frequencies: frequencies.map((f, j) => f / (by[j] ?? 1)), factor: attention ?? grown };
    }
    case 'linear':
      return { frequencies: frequencies.map((f) => f / scaling.factor), factor: 1 };
    case 'llama3':
      return { frequencies: frequencies.map((f) => llama3(f, scaling)), factor: 1 };
    case 'yarn':
      return yarn(frequencies, size, rope.theta, scaling);
  }
}

/** Those of the layers with a window, where they turn by a base of their own: not scaled. */
export const windowRotaryOf = (headDim: number, theta: number): Rotary => ({
  frequencies: plainFrequencies(headDim, theta),
  factor: 1,
});

/** theta^(-2j/size), RoFormer (arXiv 2104.09864), section 3.2.2. */
export const plainFrequencies = (size: number, theta: number): number[] =>
  Array.from({ length: size / 2 }, (_, j) => theta ** ((-2 * j) / size));

type Of<K extends RopeScaling['kind']> = Extract<RopeScaling, { readonly kind: K }>;

/** Llama 3.1: long waves are stretched by the factor, short ones stay, between them a blend of both. */
function llama3(frequency: number, { factor, low, high, original }: Of<'llama3'>): number {
  const turns = (original * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/** YaRN (arXiv 2309.00071), section 3.2, with the rounding of transformers' `modeling_rope_utils.py`. */
function yarn(frequencies: readonly number[], size: number, theta: number, scaling: Of<'yarn'>): Rotary {
  const { factor, original, fast, slow, attention, truncate } = scaling;
  const pairWith = (turns: number) =>
    (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const round = truncate
    ? { down: Math.floor, up: Math.ceil }
    : { down: (x: number) => x, up: (x: number) => x };
  const from = Math.max(round.down(pairWith(fast)), 0);
  const end = Math.min(round.up(pairWith(slow)), size - 1);
  const to = from === end ? end + 0.001 : end;
  return {
    frequencies: frequencies.map((f, j) => {
      const stretched = Math.min(1, Math.max(0, (j - from) / (to - from)));
      return (f / factor) * stretched + f * (1 - stretched);
    }),
    factor: attention ?? (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1),
  };
}

/** The lists of a scaling that have a number for each pair. */
export const factorsOf = (scaling: RopeScaling | undefined): readonly (readonly number[])[] =>
  scaling?.kind === 'factors'
    ? [scaling.by]
    : scaling?.kind === 'longrope'
      ? [scaling.long, scaling.short]
      : [];

type Values = Readonly<Record<string, unknown>>;

/** What yarn's numbers are where nothing is said of them. */
export const YARN = { fast: 32, slow: 1, attention: null, truncate: true } as const;

/** Arguments of scalings that need not be written, with the values that they then have. */
const UNSAID: Readonly<Record<string, Values>> = { longrope: { attention: null }, yarn: YARN };

const printArgument = (value: unknown): string =>
  Array.isArray(value) ? `[${value.join(', ')}]` : String(value);

/** A base's `rope` as the language writes it: `half(theta: 500000, scaling: linear(factor: 2))`. */
export function printRope({ style, theta, size, windowTheta, scaling }: Base['rope']): string {
  const plain = Object.entries({ theta, size, window_theta: windowTheta })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
    .join(', ');
  if (scaling === undefined) return `${style}(${plain})`;
  const { kind, ...values } = scaling;
  const said = Object.entries(values).filter(([name, value]) => value !== UNSAID[kind]?.[name]);
  const args = said.map(([name, value]) => `${name}: ${printArgument(value)}`);
  return `${style}(${plain}, scaling: ${kind}(${args.join(', ')}))`;
}
