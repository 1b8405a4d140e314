/** Which variant computes which product. */
import { invariant } from '../../../grammar/invariant.ts';
import type { Matmul } from '../../graph/graph.ts';
import type { Profile } from '../../package/package.ts';
import type { SubgroupVariant } from './subgroup.ts';

export type Variant = SubgroupVariant;

function chooseSubgroup(p: Matmul, lanes: number): SubgroupVariant {
  const rows = p.m > 8 ? 16 : p.m > 4 ? 8 : p.m > 1 || p.mode === 'tn' ? 4 : 1;
  return { family: 'subgroup', lanes, rows, groups: 1 };
}

export function chooseVariant(p: Matmul, profile: Profile): Variant {
  invariant(profile.subgroup !== null, 'not yet');
  return chooseSubgroup(p, profile.subgroup);
}
