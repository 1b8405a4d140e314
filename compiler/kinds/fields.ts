/** Field types that several kinds share, and how their values are read back. */
import {
  type FieldValue,
  type Init,
  logical,
  type Parameter,
  type Part,
  type Axis,
  type Site,
} from '../model/model.ts';
import { callOf, numberOf } from '../model/values.ts';
import type { Field, FieldType } from './kind.ts';

export const number = (min?: number, max?: number): FieldType => ({
  kind: 'number',
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});
export const whole = (min: number, max?: number): FieldType => ({
  kind: 'number',
  integer: true,
  min,
  ...(max === undefined ? {} : { max }),
});
/** A size or a length: a slip such as `dim = 1e12` is refused before anything is planned with it. */
export const count: FieldType = whole(1, 2 ** 20);
/** A number of tokens beside or before the words: with a context they still fit one grid of workgroups. */
export const lengthType: FieldType = whole(1, 2 ** 16);
/** A number of repetitions, such as layers; it is bounded because each costs the compiler work. */
export const times: FieldType = whole(1, 2 ** 12);
export const choice = (...choices: string[]): FieldType => ({ kind: 'choice', choices });
export const anyOf = (...of: FieldType[]): FieldType => ({ kind: 'any', of });
export const orNone = (type: FieldType): FieldType => anyOf(type, choice('none'));

/** A value as text for messages; calls and lists are not shown this way. */
export const textOf = (value: FieldValue | undefined): string =>
  value === null || value === undefined
    ? 'none'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);

/** `rate`, which every kind with parameters accepts. */
export const common: Readonly<Record<string, Field>> = {
  rate: {
    type: number(0),
    default: 1,
    doc: "Factor on the recipe's learning rate for this part's parameters.",
    onlyTraining: true,
    idle: 'its parameters stay as they start',
  },
};

const initType: FieldType = anyOf(number(), {
  kind: 'call',
  calls: {
    normal: {
      std: { type: number(0), default: 1, doc: 'Standard deviation.' },
      mean: { type: number(), default: 0, doc: 'Mean.' },
    },
    uniform: { bound: { type: number(0), doc: 'Numbers are drawn from -bound to bound.' } },
  },
});

/** A field saying how parameters start: a number for a constant, `normal(std, mean)` or `uniform(bound)`. */
export const initField = (init: FieldValue, what: string): Field => ({
  type: initType,
  default: init,
  doc: `How ${what} start: a number, \`normal(std, mean)\` or \`uniform(bound)\`.`,
  onlyTraining: true,
});

/** The value of an `initField`, as the Model has it. */
export function initOf(value: FieldValue | undefined): Init {
  if (typeof value === 'number') return { kind: 'constant', value };
  const { call, args } = callOf(value);
  if (call === 'uniform') return { kind: 'uniform', bound: numberOf(args['bound']) };
  return { kind: 'normal', mean: numberOf(args['mean']), std: numberOf(args['std']) };
}

export const constant = (value: number): Init => ({ kind: 'constant', value });

/** `normal(std: 1)` as a default. */
export const normal = (std: number, mean = 0): FieldValue => ({ call: 'normal', args: { std, mean } });

export const rateOf = (part: Part): number => numberOf(part.fields['rate'] ?? 1);

/** Where a part's parameter belongs: at a site, in a layer, or neither, such as a prompt's on the input. */
type Where = Site | { readonly layer: number } | null;

/**
 * A parameter of a part, called `PART.SITE.ROLE`, `PART.layers.LAYER.ROLE` or `PART.ROLE`.
 * @param shape in files, where it is another than the axes say
 */
export function parameterOf(
  part: Part,
  where: Where,
  role: string,
  axes: Parameter['axes'],
  init: Init,
  shape: readonly number[] = axes.map(logical),
): Parameter {
  const site = where !== null && 'name' in where ? where : null;
  const layer = where?.layer ?? null;
  const place = site !== null ? `${site.name}.` : layer === null ? '' : `layers.${layer}.`;
  const name = `${part.name}.${place}${role}`;
  // The official rule for weight decay: matrices decay, vectors do not.
  const decay = shape.length > 1;
  const placement = { site, layer, role };
  return { name, shape, axes, init, placement, owner: part.name, decay, rate: rateOf(part) };
}

/** The only parameter that a part has at a site: a vector, called `PART.SITE`. */
export const vectorAt = (part: Part, site: Site, role: string, along: Axis, init: Init): Parameter => ({
  ...parameterOf(part, site, role, [along], init),
  name: `${part.name}.${site.name}`,
});
