/** A checked sweep as plain data, and the trials it stands for. */
import type { Span } from '../../grammar/source.ts';

/** What a sweep can record of each trial. */
export const measures = ['loss', 'accuracy', 'parameters', 'flops', 'memory', 'time'] as const;
export type Measure = (typeof measures)[number];

/** One value that a param takes. */
export interface AxisValue {
  /** As `--set` takes it. */
  readonly text: string;
  /** Set when it is a number, or layers of the base, the empty set included; for plots. A plain number is both. */
  readonly number: number | null;
  readonly layers: readonly number[] | null;
}

export interface SweepAxis {
  readonly param: string;
  readonly values: readonly AxisValue[];
}

export interface Sweep {
  readonly name: string;
  readonly doc: string;
  readonly adapter: string;
  readonly recipe: string;
  /** In the order they are written. */
  readonly axes: readonly SweepAxis[];
  /** Combinations that fulfil every `where`: for each axis the index of its value. The first axis varies slowest. */
  readonly combinations: readonly (readonly number[])[];
  /** Empty: the recipe's own. */
  readonly seeds: readonly number[];
  readonly measure: readonly Measure[];
  readonly span: Span;
}

/** One run of a sweep. */
export interface Trial {
  /** Tells it from the others: `early = first 1, late = last 4, seed = 0`. */
  readonly key: string;
  /** Values of params as `--set` takes them. */
  readonly params: Readonly<Record<string, string>>;
  /** Null: the recipe's own. */
  readonly seed: number | null;
  /** Index into `Sweep.combinations`: trials that differ in their seed alone have the same. */
  readonly combination: number;
}

/** Every trial, seed by seed, so that a sweep that is stopped has whole rounds. */
export function trialsOf(sweep: Sweep): Trial[] {
  const seeds = sweep.seeds.length === 0 ? [null] : sweep.seeds;
  return seeds.flatMap((seed) =>
    sweep.combinations.map((_, combination): Trial => {
      const params = paramsOf(sweep, combination);
      return {
        key: printSettings({ ...params, ...(seed === null ? {} : { seed: String(seed) }) }),
        params,
        seed,
        combination,
      };
    }),
  );
}

/** Values of the params in one combination. */
export const paramsOf = ({ axes, combinations }: Sweep, combination: number): Record<string, string> =>
  Object.fromEntries(
    axes.map(({ param, values }, axis) => [
      param,
      values[combinations[combination]?.[axis] ?? 0]?.text ?? '',
    ]),
  );

/** `early = first 1, late = last 4`; `as written` when nothing varies. */
export const printSettings = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ') || 'as written';
