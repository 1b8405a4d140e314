/** Which variant computes which product. */
import type { Matmul } from '../../graph/graph.ts';
import type { Profile } from '../../package/package.ts';
import type { Mode } from './pieces.ts';
import type { RegisterVariant } from './register.ts';
import type { SplitVariant } from './split.ts';
import type { SubgroupVariant } from './subgroup.ts';
import type { TileVariant } from './tile.ts';

export type Variant = SubgroupVariant | TileVariant | SplitVariant | RegisterVariant;

/**
 * Rows a subgroup or a split workgroup may take. Each size is a kernel more to compile, which costs a software device
 * half a second; sizes in between were measured and are not worth it (4 rows: 5 % faster than 8 on 4 rows; 32 rows: no
 * faster than 16).
 */
const rowsOf = (mode: Mode, most: 8 | 16): number[] =>
  [1, 8, 16].filter((r) => r <= most && (mode !== 'tn' || r > 1));

/** Subgroups of less than a vec4 of lanes have nothing to share. */
const worthBroadcasting = (subgroup: number | null): subgroup is number => subgroup !== null && subgroup >= 4;

/** All variants a device of this profile may be given for this kind of product. */
export function variantsOf(mode: Mode, { device, subgroup }: Profile): Variant[] {
  if (device === 'gpu')
    return [
      ...[64, 32].map((size): Variant => ({ strategy: 'tile', size })),
      ...rowsOf(mode, 8).map((rows): Variant => ({ strategy: 'split', rows })),
    ];
  if (!worthBroadcasting(subgroup)) return [{ strategy: 'register' }];
  return rowsOf(mode, 16).map((rows): Variant => ({ strategy: 'subgroup', lanes: subgroup, rows }));
}

/** The variant for one product: the fewest rows that waste little of C, and large tiles where there is enough work. */
export function chooseVariant(p: Matmul, { device, subgroup }: Profile): Variant {
  const few = p.m === 1 && p.mode !== 'tn' ? 1 : 8;
  if (device === 'gpu') {
    if (p.m <= 8) return { strategy: 'split', rows: few };
    // A large tile reads less, but a GPU wants some hundreds of workgroups and no tile that is half empty.
    const tiles = Math.ceil(p.m / 64) * Math.ceil(p.n / 64) * p.outer * p.inner;
    return { strategy: 'tile', size: p.m > 32 && p.n > 32 && tiles >= 128 ? 64 : 32 };
  }
  if (!worthBroadcasting(subgroup)) return { strategy: 'register' };
  return { strategy: 'subgroup', lanes: subgroup, rows: p.m <= 8 ? few : 16 };
}
