/** Houlsby's adapters: a small network behind a linear, with a way around it. */
import { axis, type Parameter, type Part, type Site } from '../model/model.ts';
import { numberOf } from '../model/values.ts';
import { choice, common, constant, count, initField, initOf, normal, parameterOf } from './fields.ts';
import type { Kind } from './kind.ts';

export const bottleneck: Kind = {
  name: 'bottleneck',
  doc: 'Sends what leaves each selected linear through a narrow trainable network and adds the result. Houlsby puts one behind the last linear of attention and one behind that of the feed-forward network, before their outputs join the stream.',
  formula: 'y = h + U f(D h + c) + e, h = W x',
  source:
    'Houlsby et al., arXiv 1902.00751, section 2.1 and figure 2; weights of deviation 0.01 as in its experiments, where they are cut off at two deviations',
  selects: 'linears',
  fields: {
    size: { type: count, default: 64, doc: 'Width of the narrow layer.' },
    function: { type: choice('gelu', 'relu', 'silu'), default: 'gelu', doc: 'What f is.' },
    init: {
      ...initField(normal(0.01), 'the two matrices'),
      idle: 'each matrix waits for the other, and only the last bias learns',
    },
    ...common,
  },
  parameters: (part) => part.sites.flatMap((site) => network(part, site)),
  merge: {
    can: false,
    reason: 'there is a function between its two matrices, and no weight of a base does that',
  },
  hooks: {
    after: (g, part, site, _x, y) => {
      const at = `${part.name}.${site.name}`;
      const of = (name: string) => g.parameter(`${at}.${name}`);
      const narrow = axis(numberOf(part.fields['size']));
      const hidden = g.addBias(g.linear(y, of('down.weight'), narrow), of('down.bias'));
      const bent = g.activate(hidden, { function: functionOf(part) });
      return g.add(g.addBias(g.linear(bent, of('up.weight'), site.output), of('up.bias')), y);
    },
  },
};

function functionOf({ fields }: Part): 'gelu' | 'relu' | 'silu' {
  const name = fields['function'];
  return name === 'relu' || name === 'silu' ? name : 'gelu';
}

/** D [size, output] and U [output, size] with their biases c and e, which start at zero. */
function network(part: Part, site: Site): Parameter[] {
  const narrow = axis(numberOf(part.fields['size']));
  const start = initOf(part.fields['init']);
  return [
    parameterOf(part, site, 'down.weight', [narrow, site.output], start),
    parameterOf(part, site, 'down.bias', [narrow], constant(0)),
    parameterOf(part, site, 'up.weight', [site.output, narrow], start),
    parameterOf(part, site, 'up.bias', [site.output], constant(0)),
  ];
}
