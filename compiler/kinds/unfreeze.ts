/** Makes parameters of the base trainable. */
import { choice, common } from './fields.ts';
import type { Part, Site } from '../model/model.ts';
import type { Kind } from './kind.ts';

/** The base's parameters of one place that a part unfreezes. */
function unfrozenAt(part: Part, { parameter, bias }: Site): string[] {
  const biases = bias === undefined ? [] : [bias];
  switch (part.fields['of']) {
    case 'weights':
      return [parameter];
    case 'biases':
      return biases;
    default:
      return [parameter, ...biases];
  }
}

export const unfreeze: Kind = {
  name: 'unfreeze',
  doc: 'Makes the selected parameters of the base trainable; it adds none of its own.',
  formula: 'the base as it is',
  source: 'LLaMA-Adapter V2, arXiv 2304.15010, section 4.1 (norms)',
  selects: 'parameters',
  fields: {
    of: {
      type: choice('all', 'weights', 'biases'),
      default: 'all',
      later: true,
      doc: "Which of a place's parameters: its weight and the base's own bias there, or one of the two.",
    },
    ...common,
  },
  parameters: () => [],
  // A tied output head is the embedding's table, so two sites may own one parameter.
  unfreezes: (part) => [...new Set(part.sites.flatMap((site) => unfrozenAt(part, site)))],
  // The parameters belong to the base already.
  merge: { can: true, changes: 'nothing' },
  hooks: {},
};
