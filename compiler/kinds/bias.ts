/** A vector added to what leaves a site. */
import { addVector } from './affine.ts';
import { common, initField, initOf, vectorAt } from './fields.ts';
import type { Kind } from './kind.ts';

export const bias: Kind = {
  name: 'bias',
  doc: 'Adds a trainable vector to what leaves each selected linear or norm.',
  formula: 'y = W x + b',
  source: 'LLaMA-Adapter V2, arXiv 2304.15010, section 4.1, equation 1; BitFit, arXiv 2106.10199',
  selects: 'sites',
  fields: { init: initField(0, 'the vectors'), ...common },
  parameters: (part) =>
    part.sites.map((site) => vectorAt(part, site, 'bias', site.output, initOf(part.fields['init']))),
  merge: {
    can: true,
    changes: 'bias',
    after: (it, part, site, values) => addVector(it, values(`${part.name}.${site.name}`)),
  },
  hooks: { after: (g, part, site, _x, y) => g.addBias(y, g.parameter(`${part.name}.${site.name}`)) },
};
