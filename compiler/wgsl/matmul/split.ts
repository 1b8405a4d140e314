/**
 * Products of few rows for GPUs: decode steps. The work is in reading B once, so the lanes of a workgroup divide k
 * among themselves, and their sums are added in workgroup memory. Along k (`nt`) or along the columns, whichever way B
 * lies, neighbouring invocations read neighbouring vec4s.
 */
import type { Storage } from '../../model/model.ts';
import { batchStarts, declarations, type Shader, storeRows, suffix } from './problem.ts';
import {
  declareSums,
  indent,
  loadA,
  loadB,
  type Mode,
  multiply,
  range,
  REPETITION,
  startOfA,
  startOfB,
  valueOfA,
} from './pieces.ts';

export interface SplitVariant {
  readonly strategy: 'split';
  readonly rows: number;
}

const INVOCATIONS = 64;

/** Adds the sums of all slices of a column, half of them at a time; the first slice has the total in the end. */
function reduce(rows: number, slices: number, columns: number): string {
  const put = range(rows).map((r) => `partial[${r * INVOCATIONS}u + index] = s${r};`);
  return `${indent(put, 2)}
  for (var half = ${slices / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (slice < half) {
      for (var r = index; r < ${rows * INVOCATIONS}u; r += ${INVOCATIONS}u) {
        partial[r] += partial[r + half * ${columns}u];
      }
    }
  }`;
}

export function splitShader(mode: Mode, { rows }: SplitVariant, storage: Storage): Shader {
  const slices = mode === 'nt' ? 16 : 8;
  const columns = INVOCATIONS / slices;
  // In `nt` the slice of k runs fastest in memory, otherwise the column does; partial sums are ordered by slice.
  const [slice, column] =
    mode === 'nt'
      ? [`local % ${slices}u`, `local / ${slices}u`]
      : [`local / ${columns}u`, `local % ${columns}u`];
  const pick = [`var sum = partial[i * ${INVOCATIONS}u + index];`];
  const code = `${declarations(storage)}
var<workgroup> partial: array<vec4f, ${rows * INVOCATIONS}>;

@compute @workgroup_size(${INVOCATIONS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let slice = ${slice};
  let column = group.x * ${columns}u + ${column};
  let index = slice * ${columns}u + ${column};
  let row0 = group.y * ${rows}u;
${batchStarts(mode, 'group.z')}
${indent(declareSums(rows), 2)}
  for (var rep = 0u; rep < p.reps; rep++) {
${indent([...REPETITION, ...startOfA(mode, rows), ...startOfB(mode, 'column')], 4)}
    for (var block = slice; block < p.kv; block += ${slices}u) {
${indent([...loadA(mode, rows, 'block'), ...loadB(mode, 'block', storage), ...multiply(rows, valueOfA(mode))], 6)}
    }
  }
${reduce(rows, slices, columns)}
  if (slice == 0u) {
${storeRows(rows, pick, 'row0', 'column')}
  }
}
`;
  return {
    name: `matmul_${mode}_split_r${rows}${suffix(storage)}`,
    code,
    features: [],
    tile: [rows, 4 * columns],
  };
}
