/**
 * Products by subgroup broadcast, for software devices, where a load costs as much as ten multiplications and a
 * broadcast within a subgroup nothing.
 *
 * One subgroup of S lanes computes R rows by 4 S columns; a lane owns four neighbouring columns of all R rows. A is
 * loaded once for the subgroup, spread over its lanes, and broadcast value by value; nothing is shared between
 * subgroups, so there is no barrier.
 *
 * A step of the loop covers four values of k wherever the lanes allow: with eight at a time the accumulators live
 * across two runs of loads, and that was 1.6 times slower.
 */
import { invariant } from '../../../grammar/invariant.ts';
import type { Storage } from '../../model/model.ts';
import {
  component,
  declareSums,
  indent,
  loadB,
  type Mode,
  multiply,
  pickSum,
  range,
  REPETITION,
  startOfB,
} from './pieces.ts';
import { batchStarts, declarations, type Shader, storeRows, suffix } from './problem.ts';

export interface SubgroupVariant {
  readonly strategy: 'subgroup';
  /** Lanes of a subgroup. */
  readonly lanes: number;
  /** Rows of C that a subgroup computes. */
  readonly rows: number;
}

/** How a step of the loop over k is spread over lanes: what to load, and who holds A[row, k] then. */
interface Step {
  /** Values of k a step covers; a multiple of four. */
  readonly depth: number;
  /** Statements before the loop: addresses that do not change. */
  readonly before: readonly string[];
  /** Statements that load A. */
  readonly load: readonly string[];
  /** The expression A[row, k], with k within the step. */
  readonly value: (row: number, k: number) => string;
}

/** A by rows (`nt`, `nn`): a lane holds four values of k of a row. Few rows leave lanes over for more k. */
function stepByRows({ lanes, rows }: SubgroupVariant): Step {
  const loads = Math.max(1, rows / lanes);
  // More than two blocks of k at once would load B too often in one step: compile time grows faster than the code.
  const across = Math.min(2, Math.max(1, lanes / rows));
  const row = (j: number) => (across > 1 ? `lane % ${rows}u` : `lane + ${j * lanes}u`);
  return {
    depth: 4 * across,
    before: range(loads).map((j) => `let aRow${j} = aBase + min(row0 + ${row(j)}, p.m - 1u) * p.aRow;`),
    load: range(loads).flatMap((j) =>
      across > 1
        ? [
            `let kv = step * ${across}u + lane / ${rows}u % ${across}u;`,
            `let a${j} = select(vec4f(), a[aRow${j} + min(kv, p.kv - 1u)], kv < p.kv);`,
          ]
        : [`let a${j} = a[aRow${j} + step];`],
    ),
    value: (r, k) => {
      const lane = across > 1 ? Math.floor(k / 4) * rows + r : r % lanes;
      return `subgroupBroadcast(a${across > 1 ? 0 : Math.floor(r / lanes)}.${component(k)}, ${lane}u)`;
    },
  };
}

/**
 * A by columns (`tn`): a lane holds four rows at one value of k. Four neighbouring lanes cover four values of k, the
 * next four lanes the next four rows; where rows run out, more k.
 */
function stepByColumns({ lanes, rows }: SubgroupVariant): Step {
  const abreast = Math.min(rows, lanes) / 4;
  const across = Math.min(2, lanes / 4 / abreast);
  const loads = range(rows / 4 / abreast);
  const quad = `lane / 4u % ${abreast}u`;
  return {
    depth: 4 * across,
    before: loads.map(
      (j) => `let aColumn${j} = aBase + min(row0 / 4u + ${j * abreast}u + ${quad}, p.mv - 1u);`,
    ),
    load: [
      `let k = step * ${4 * across}u + lane % 4u + lane / ${4 * abreast}u % ${across}u * 4u;`,
      'let kRow = min(k, p.k - 1u) * p.aRow;',
      ...loads.map((j) => `let a${j} = select(vec4f(), a[aColumn${j} + kRow], k < p.k);`),
    ],
    value: (r, k) => {
      const block = Math.floor(r / 4);
      const lane = (k % 4) + (block % abreast) * 4 + Math.floor(k / 4) * 4 * abreast;
      return `subgroupBroadcast(a${Math.floor(block / abreast)}.${component(r)}, ${lane}u)`;
    },
  };
}

/** The body of the loop: a step is cut into blocks of four values of k. */
function body(mode: Mode, { rows }: SubgroupVariant, step: Step, storage: Storage): string[] {
  const across = step.depth / 4;
  const blocks = range(across).flatMap((i) => [
    '{',
    ...loadB(mode, across === 1 ? 'step' : `(step * ${across}u + ${i}u)`, storage),
    ...multiply(rows, (r, q) => step.value(r, 4 * i + q)),
    '}',
  ]);
  return [...step.load, ...blocks];
}

export function subgroupShader(mode: Mode, variant: SubgroupVariant, storage: Storage): Shader {
  const { lanes, rows } = variant;
  invariant(mode !== 'tn' || rows % 4 === 0, 'tn by subgroups wants whole vec4s of rows');
  const step = mode === 'tn' ? stepByColumns(variant) : stepByRows(variant);
  const code = `enable subgroups;
${declarations(storage)}

@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x * ${lanes}u + lane;
  let row0 = group.y * ${rows}u;
${batchStarts(mode, 'group.z')}
${indent(declareSums(rows), 2)}
  for (var rep = 0u; rep < p.reps; rep++) {
${indent([...REPETITION, ...step.before, ...startOfB(mode, 'column')], 4)}
    for (var step = 0u; step < (p.k + ${step.depth - 1}u) / ${step.depth}u; step++) {
${indent(body(mode, variant, step, storage), 6)}
    }
  }
${storeRows(rows, pickSum(rows), 'row0', 'column')}
}
`;
  return {
    name: `matmul_${mode}_subgroup${lanes}_r${rows}${suffix(storage)}`,
    code,
    features: ['subgroups'],
    tile: [rows, 4 * lanes],
  };
}
