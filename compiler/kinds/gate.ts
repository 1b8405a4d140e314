/** The gate of a prompt: which function its number passes, where that number starts, and whether it is trained. */
import type { Part } from '../model/model.ts';
import { callOf, numberOf } from '../model/values.ts';
import { choice, number } from './fields.ts';
import type { Field } from './kind.ts';

/** Arguments of `gate = tanh(...)` and of `gate = raw(...)`. */
export const gateFields: Readonly<Record<string, Field>> = {
  init: {
    type: number(),
    default: 0,
    doc: 'Where the gate starts; for `per: const`, where it stays.',
    onlyTraining: ({ per }) => per !== 'const',
  },
  per: {
    type: choice('head', 'layer', 'const'),
    default: 'head',
    doc: 'One gate for each head, one for a layer, or a number that is not trained.',
  },
  factor: {
    type: { kind: 'boolean' },
    default: false,
    doc: 'A second trained number for each layer, 1 at first, that multiplies the gate (`new_gate` of the released V2.1).',
  },
};

export interface Gate {
  /** What a prompt's attention is multiplied by: tanh(g), or the number g itself. */
  readonly function: 'tanh' | 'raw';
  readonly init: number;
  readonly per: 'head' | 'layer' | 'const';
  /** Whether a second trained number multiplies the gate. */
  readonly factor: boolean;
}

/** The gate that a prompt's `gate` attribute asks for; null for `gate = none`. */
export function gateOf(part: Part): Gate | null {
  const value = part.fields['gate'] ?? null;
  if (value === null) return null;
  const { call, args } = callOf(value);
  const per = args['per'] === 'layer' || args['per'] === 'const' ? args['per'] : 'head';
  return {
    function: call === 'raw' ? 'raw' : 'tanh',
    init: numberOf(args['init']),
    per,
    factor: args['factor'] === true,
  };
}

/** The number that multiplies a prompt's attention when no gate is trained: f(init), or 1 without a gate. */
export function constantFactor(gate: Gate | null): number {
  if (gate === null) return 1;
  return gate.function === 'tanh' ? Math.tanh(gate.init) : gate.init;
}
