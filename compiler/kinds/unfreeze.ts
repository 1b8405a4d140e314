/** Makes parameters of the base trainable. */
import { common } from './fields.ts';
import type { Kind } from './kind.ts';

export const unfreeze: Kind = {
  name: 'unfreeze',
  doc: 'Makes the selected parameters of the base trainable; it adds none of its own.',
  formula: 'the base as it is',
  source: 'LLaMA-Adapter V2, arXiv 2304.15010, section 4.1 (norms)',
  selects: 'parameters',
  fields: { ...common },
  parameters: () => [],
  // A tied output head is the embedding's table, so two sites may own one parameter.
  unfreezes: (part) => [
    ...new Set(
      part.sites.flatMap(({ parameter, bias }) => (bias === undefined ? [parameter] : [parameter, bias])),
    ),
  ],
  // What it trains is the base's already.
  merge: { can: true, changes: 'nothing' },
  hooks: {},
};
