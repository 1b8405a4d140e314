/** IA3: learned factors on keys, values and the feed-forward network's hidden layer. */
import type { Axis, Site } from '../model/model.ts';
import { scaleColumns, scaleRows } from './affine.ts';
import { common, constant, vectorAt } from './fields.ts';
import type { Kind } from './kind.ts';

/** IA3 scales the hidden layer, which is what enters `w2`; everywhere else it scales what leaves the linear. */
const rescalesInput = (site: Site): boolean => site.role === 'down';

const rescaledAxis = (site: Site): Axis => (rescalesInput(site) ? site.input : site.output);

export const rescale: Kind = {
  name: 'rescale',
  doc: 'Multiplies keys, values and the hidden layer of the feed-forward network by trainable vectors.',
  formula: 'k = l_k * (Wk x), v = l_v * (Wv x), y = W2 (l_ff * hidden)',
  source: '(IA)3, arXiv 2205.05638, section 3.3',
  selects: 'linears',
  fields: { ...common },
  parameters: (part) =>
    part.sites.map((site) => vectorAt(part, site, 'scale', rescaledAxis(site), constant(1))),
  merge: {
    can: true,
    changes: 'weight',
    before: (it, part, site, values) => {
      if (rescalesInput(site)) scaleColumns(it, values(`${part.name}.${site.name}`));
    },
    after: (it, part, site, values) => {
      if (!rescalesInput(site)) scaleRows(it, values(`${part.name}.${site.name}`));
    },
  },
  hooks: {
    before: (g, part, site, x) =>
      rescalesInput(site) ? g.mulScale(x, g.parameter(`${part.name}.${site.name}`)) : x,
    after: (g, part, site, _x, y) =>
      rescalesInput(site) ? y : g.mulScale(y, g.parameter(`${part.name}.${site.name}`)),
  },
};
