/** Which variant computes which product. */
import { invariant } from '../../../grammar/invariant.ts';
import type { Matmul } from '../../graph/graph.ts';
import type { Profile } from '../../package/package.ts';
import type { SubgroupVariant } from './subgroup.ts';

export type Variant = SubgroupVariant;

function subgroupVariants(mode: Matmul['mode'], lanes: number): SubgroupVariant[] {
  const rows = mode === 'tn' ? [4, 8, 16] : [1, 4, 8, 16];
  return rows.map((r) => ({ family: 'subgroup', lanes, rows: r }));
}

/** All variants a device of this profile may be given for this kind of product. */
export function variantsOf(mode: Matmul['mode'], profile: Profile): Variant[] {
  if (profile.subgroup === null) return [];
  return subgroupVariants(mode, profile.subgroup);
}

function chooseSubgroup(p: Matmul, lanes: number): SubgroupVariant {
  const rows = p.m > 8 ? 16 : p.m > 4 ? 8 : p.m > 1 || p.mode === 'tn' ? 4 : 1;
  return { family: 'subgroup', lanes, rows };
}

export function chooseVariant(p: Matmul, profile: Profile): Variant {
  invariant(profile.subgroup !== null, 'not yet');
  return chooseSubgroup(p, profile.subgroup);
}
