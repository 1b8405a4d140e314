/** A vector multiplied with what enters or leaves a site. */
import type { Axis, Part, Site } from '../model/model.ts';
import { scaleColumns, scaleRows } from './affine.ts';
import { choice, common, initField, initOf, vectorAt } from './fields.ts';
import type { Kind } from './kind.ts';

/** The side of a site that a scale multiplies. */
const scaledAxis = (part: Part, site: Site): Axis =>
  part.fields['side'] === 'input' ? site.input : site.output;

export const scale: Kind = {
  name: 'scale',
  doc: 'Multiplies what leaves (or enters) each selected linear or norm by a trainable vector.',
  formula: 'y = s * (W x), or y = W (s * x) with side = input',
  source:
    'LLaMA-Adapter V2, arXiv 2304.15010, section 4.1, equation 2; `llama_adapter_v2_chat65b/llama/model.py` for the input side',
  selects: 'sites',
  fields: {
    side: {
      type: choice('output', 'input'),
      default: 'output',
      doc: 'Whether the product is taken after the site (the paper) or before it (the released 65B chat model; linears only).',
    },
    init: initField(1, 'the vectors'),
    ...common,
  },
  parameters: (part) =>
    part.sites.map((site) =>
      vectorAt(part, site, 'scale', scaledAxis(part, site), initOf(part.fields['init'])),
    ),
  merge: {
    can: true,
    changes: 'weight',
    before: (it, part, site, values) => {
      if (part.fields['side'] === 'input') scaleColumns(it, values(`${part.name}.${site.name}`));
    },
    after: (it, part, site, values) => {
      if (part.fields['side'] !== 'input') scaleRows(it, values(`${part.name}.${site.name}`));
    },
  },
  describe: ({ fields }) => (fields['side'] === 'input' ? 'on what enters' : 'on what leaves'),
  hooks: {
    before: (g, part, site, x) =>
      part.fields['side'] === 'input' ? g.mulScale(x, g.parameter(`${part.name}.${site.name}`)) : x,
    after: (g, part, site, _x, y) =>
      part.fields['side'] === 'input' ? y : g.mulScale(y, g.parameter(`${part.name}.${site.name}`)),
  },
};
