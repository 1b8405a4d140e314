/** Values of a package's constants, computed where the package is loaded so that the manifest stays small. */
import { invariant } from '../../grammar/invariant.ts';
import { ceil4 } from '../model/model.ts';
import type { Constant, Manifest } from './package.ts';

/** Numbers that share a learning-rate factor and a weight decay; parameters start at multiples of it. */
export const BLOCK = 64;

/** A label that takes no part in the loss. */
export const IGNORE = 0xffffffff;

/** Words of the `step` buffer (32-bit floats). From `cells` on: two words a cell, 1/(1-beta1^t) and 1/(1-beta2^t). */
export const STEP = { lossScale: 0, lr: 1, clip: 2, first: 3, cells: 4 } as const;

export function constantValues(constant: Constant, manifest: Manifest): Float32Array {
  return constant.kind === 'rope'
    ? Float32Array.from(ropeTable(constant.positions, constant))
    : blockTable(constant.cell, manifest).slice(
        (2 * constant.from) / BLOCK,
        (2 * constant.from) / BLOCK + constant.slice.size / 4,
      );
}

/** cos and sin of position * frequencies[j], times `factor`, at columns 2j and 2j+1; one padded row a position. */
export function ropeTable(
  positions: number,
  { frequencies, factor }: { readonly frequencies: readonly number[]; readonly factor: number },
): number[] {
  const stride = ceil4(2 * frequencies.length);
  const table = Array.from({ length: positions * stride }, () => 0);
  for (let t = 0; t < positions; t++)
    frequencies.forEach((frequency, j) => {
      const angle = t * frequency;
      table[t * stride + 2 * j] = factor * Math.cos(angle);
      table[t * stride + 2 * j + 1] = factor * Math.sin(angle);
    });
  return table;
}

/** Learning-rate factor and weight decay of every block of a cell. */
function blockTable(index: number, manifest: Manifest): Float32Array {
  const cell = manifest.cells[index];
  invariant(cell, `cell ${index} does not exist`);
  const table = new Float32Array((2 * cell.size) / (4 * BLOCK));
  for (const p of manifest.parameters) {
    if (p.cell !== index) continue;
    const first = (p.slice.offset - cell.offset) / (4 * BLOCK);
    const decay = p.decay ? (manifest.recipe?.optimizer.weightDecay ?? 0) : 0;
    for (let b = first; b < first + Math.ceil(p.slice.size / (4 * BLOCK)); b++)
      table.set([p.rate, decay], 2 * b);
  }
  return table;
}
