/** Rotary positions as frequencies: what a base's `rope` comes to, whatever it is made of. */
import type { Base } from '../model/model.ts';

/** A rotary table before positions are chosen: pair j turns by position * frequencies[j], cos and sin times `factor`. */
export interface Rotary {
  readonly frequencies: readonly number[];
  readonly factor: number;
}

/** The frequencies of a base, one for each pair of a head's numbers. */
export const rotaryOf = ({ headDim, rope }: Pick<Base, 'headDim' | 'rope'>): Rotary => ({
  frequencies: plainFrequencies(headDim, rope.theta),
  factor: 1,
});

/** theta^(-2j/size), RoFormer (arXiv 2104.09864), section 3.2.2. */
export const plainFrequencies = (size: number, theta: number): number[] =>
  Array.from({ length: size / 2 }, (_, j) => theta ** ((-2 * j) / size));
