/** Prefix tuning: raw keys and values in front of every layer's own. */
import { axis, type Base, type Parameter, type Part } from '../model/model.ts';
import { numberOf } from '../model/values.ts';
import { common, initField, initOf, lengthType, normal, parameterOf } from './fields.ts';
import type { Kind } from './kind.ts';

export const prefix: Kind = {
  name: 'prefix',
  doc: 'Puts trainable keys and values before those of the words, in one softmax with them.',
  formula:
    'softmax(q [kP; k]^T / sqrt(h)) [vP; v], kP not rotated, positions of the words shifted by the length',
  source: 'Prefix-Tuning, arXiv 2101.00190, section 4.2; keys and values as PEFT passes them',
  selects: 'layers',
  inOneLayer: 'an error',
  fields: {
    length: { type: lengthType, default: 10, doc: 'Keys and values in each layer.' },
    init: initField(normal(1), 'the keys and values'),
    ...common,
  },
  parameters: (part, base) =>
    part.layers.flatMap((layer) => ['key', 'value'].map((what) => table(part, base, layer, what))),
  merge: {
    can: false,
    reason: 'its keys and values stand in front of the words, and no weight of a base does that',
  },
  describe: () => 'one softmax with the words',
  hooks: {
    attention: (g, part, layer) => ({
      key: g.vectors(`${part.name}.layers.${layer}.key`),
      value: g.vectors(`${part.name}.layers.${layer}.value`),
      length: numberOf(part.fields['length']),
      batched: false,
      softmax: 'joint',
      gate: null,
      factor: null,
    }),
    shift: (part) => numberOf(part.fields['length']),
  },
};

function table(part: Part, base: Base, layer: number, what: string): Parameter {
  const axes = [axis(numberOf(part.fields['length'])), axis(base.headDim, base.kvHeads)] as const;
  return parameterOf(part, { layer }, what, axes, initOf(part.fields['init']));
}
