/** A projector: from an encoder's tokens to the width of the base. */
import { axis, logical, type Axis, type Parameter, type Part } from '../model/model.ts';
import { choice, common, constant, count, decays, numberOf, orNone, rateOf } from './fields.ts';
import { visionOf } from './encoder.ts';
import type { Kind } from './kind.ts';

export const project: Kind = {
  name: 'project',
  doc: "Maps an encoder's tokens to prompt tokens of the base's width.",
  formula: 'visual = P x + b for `linear`; visual = P2 gelu(P1 x + b1) + b2 for `mlp`',
  source: 'LLaMA-Adapter V2, arXiv 2304.15010, section 4.3; LLaVA-1.5, arXiv 2310.03744, for `mlp`',
  selects: 'nothing',
  reads: { kinds: ['encoder'], required: true },
  inherits: (source) => {
    const vision = visionOf(source.fields['model']);
    return {
      width: vision?.width ?? null,
      tokens: source.fields['take'] === 'class' ? 1 : (vision?.tokens ?? null),
    };
  },
  fields: {
    kind: {
      type: choice('linear', 'mlp'),
      default: 'linear',
      doc: 'One linear layer, or two with a GELU between.',
    },
    length: {
      type: count(),
      default: 10,
      doc: "Tokens it makes. An encoder's tokens are averaged into as many neighbourhoods; one class token is spread by a wider layer.",
    },
    hidden: {
      type: orNone(count()),
      default: null,
      doc: "Width between the two layers of `mlp`; none: the base's.",
    },
    width: {
      type: orNone(count()),
      default: null,
      doc: 'Numbers in each token that comes in. The encoder says it.',
    },
    tokens: { type: orNone(count()), default: null, doc: 'Tokens that come in. The encoder says it.' },
    ...common,
  },
  parameters: (part, base) => {
    const inputs = axis(numberOf(part.fields['width']));
    // One class token becomes all prompt tokens at once, each padded as a token is.
    const outputs = axis(base.dim, part.fields['tokens'] === 1 ? numberOf(part.fields['length']) : 1);
    if (part.fields['kind'] !== 'mlp') return linear(part, part.name, inputs, outputs);
    const hidden = axis(numberOf(part.fields['hidden'] ?? base.dim));
    return [
      ...linear(part, `${part.name}.1`, inputs, hidden),
      ...linear(part, `${part.name}.2`, hidden, outputs),
    ];
  },
  hooks: {},
};

/** A linear layer with a bias, started as such layers usually are. */
function linear(part: Part, name: string, inputs: Axis, outputs: Axis): Parameter[] {
  const bound = 1 / Math.sqrt(logical(inputs));
  const rest = { owner: part.name, rate: rateOf(part) };
  const weight = {
    name: `${name}.weight`,
    shape: [logical(outputs), logical(inputs)],
    axes: [outputs, inputs],
  };
  const vector = { name: `${name}.bias`, shape: [logical(outputs)], axes: [outputs] };
  return [
    { ...weight, init: { kind: 'uniform', bound }, decay: decays(weight.name, weight.shape), ...rest },
    { ...vector, init: constant(0), decay: decays(vector.name, vector.shape), ...rest },
  ];
}
