/**
 * Attributes of a model that change its results without changing a shape: a LoRA's alpha, a gate's function, the order
 * of parts at a site, a base's rotary angles, a task's template. Adapter files keep these attributes, so that an
 * adapter is not used with others than it was trained with.
 */
import { layerRuns, placesByLayers } from '../model/layers.ts';
import type { Base, FieldValue, Model, Part, Task } from '../model/model.ts';
import { isCall } from '../model/values.ts';
import type { Attributes, AttributeValues } from '../package/package.ts';
import { kindOfPart } from './index.ts';
import { argumentsOf, type Field } from './kind.ts';

/**
 * Fields of a base that do not change what its network computes: names, files, the context, the start of its matrices.
 */
const BESIDE_THE_NETWORK: readonly (keyof Base)[] = [
  'name',
  'weights',
  'tokenizer',
  'config',
  'context',
  'init',
];

/** Attributes of a task that change the prompt of a question; the others only matter in training. */
const OF_QUESTIONS = ['template', 'ask'];

/**
 * The attributes of a model: every field of the base and of each part's kind.
 * @param of `results`: without those that a trained adapter does not depend on, such as learning rates and starts;
 * `training`: with them
 */
export function attributesOf(model: Model, of: 'results' | 'training' = 'results'): Attributes {
  const all = of === 'training';
  const part = (it: Part) => [it.name, partAttributes(it, model, all)] as const;
  const task = (it: Task) => [it.name, taskAttributes(it, all)] as const;
  const base = Object.entries(model.base).filter(
    ([name]) => all || !(BESIDE_THE_NETWORK as readonly string[]).includes(name),
  );
  return {
    format: 1,
    base: Object.assign({}, ...base.map(([name, value]) => flattenPlain(name, value))),
    parts: Object.fromEntries(model.parts.map(part)),
    tasks: Object.fromEntries(model.tasks.map(task)),
  };
}

/** `rope: { theta: 10000 }` as `rope.theta: 10000`; a list stays one value. */
function flattenPlain(name: string, value: unknown): AttributeValues {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { [name]: value as AttributeValues[string] };
  return Object.assign({}, ...Object.entries(value).map(([key, of]) => flattenPlain(`${name}.${key}`, of)));
}

/** `kind of part`, `on`, `from` and `after` are no names a field can have. */
function partAttributes(part: Part, model: Model, all: boolean): AttributeValues {
  const before = partsBefore(part, model);
  return {
    'kind of part': part.kind,
    on: placesOf(part),
    ...(part.source === null ? {} : { from: part.source }),
    ...(before.length === 0 ? {} : { after: before }),
    ...flatten(part.fields, kindOfPart(part).fields, all),
  };
}

function taskAttributes({ fields, data, groups }: Task, all: boolean): AttributeValues {
  const kept = Object.entries(fields).filter(([name]) => all || OF_QUESTIONS.includes(name));
  return {
    ...(all ? { data, trains: groups.join(' ') } : {}),
    ...flatten(Object.fromEntries(kept), {}, all),
  };
}

/** The attributes of a line of the spec; `gate = tanh(per: head)` becomes `gate: "tanh"` and `gate.per: "head"`. */
function flatten(
  values: Readonly<Record<string, FieldValue>>,
  fields: Readonly<Record<string, Field>>,
  all: boolean,
  path = '',
): AttributeValues {
  const made: Record<string, AttributeValues[string]> = {};
  const whole = { ...defaultsOf(fields), ...values };
  for (const [name, value] of Object.entries(whole)) {
    const field = fields[name];
    if (!all && field && isOnlyTraining(field, whole)) continue;
    if (isCall(value)) {
      made[path + name] = value.call;
      const inner = field && argumentsOf(field.type, value.call);
      Object.assign(made, flatten(value.args, inner ?? {}, all, `${path}${name}.`));
    } else made[path + name] = value as AttributeValues[string];
  }
  return made;
}

/** The default of every attribute that has one; a default that is a call may lack some of its arguments. */
const defaultsOf = (fields: Readonly<Record<string, Field>>): Readonly<Record<string, FieldValue>> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      field.default === undefined ? [] : [[name, field.default]],
    ),
  );

const isOnlyTraining = ({ onlyTraining }: Field, beside: Readonly<Record<string, FieldValue>>): boolean =>
  typeof onlyTraining === 'function' ? onlyTraining(beside) : onlyTraining === true;

/** The parts that apply before this one, at a site that both are on or on the input. */
function partsBefore(part: Part, { parts }: Model): string[] {
  const sites = new Set(part.sites.map(({ name }) => name));
  return parts
    .slice(0, parts.indexOf(part))
    .filter((other) => (part.input && other.input) || other.sites.some(({ name }) => sites.has(name)))
    .map(({ name }) => name);
}

/** The places of a part as text: `layers 2..7`, `layers 0..3 attention.wq attention.wv; output`, `input`. */
function placesOf({ sites, layers, input }: Part): string {
  const where = (its: readonly number[]): string[] =>
    its.length === 0 ? [] : [`layers ${layerRuns(its).join(',')}`];
  const groups = sites.length === 0 ? [{ layers, places: [] }] : placesByLayers(sites);
  const texts = groups.map((group) => [...where(group.layers), ...group.places].join(' '));
  return [...(input ? ['input'] : []), ...texts.filter((text) => text !== '')].join('; ');
}
