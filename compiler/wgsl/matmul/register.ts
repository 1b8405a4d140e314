/**
 * Products by register tiles alone: an invocation computes 4 rows by 4 columns and loads what it needs. The fallback
 * for software devices without subgroups, where shared memory is dearer than loading everything again.
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
  pickSum,
  REPETITION,
  startOfA,
  startOfB,
  valueOfA,
} from './pieces.ts';

export interface RegisterVariant {
  readonly strategy: 'register';
}

/** Invocations of a workgroup along the columns and along the rows. */
const ACROSS = 8;
const DOWN = 4;

export function registerShader(mode: Mode, storage: Storage): Shader {
  const code = `${declarations(storage)}

@compute @workgroup_size(${ACROSS}, ${DOWN})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = group.x * ${ACROSS}u + local.x;
  let row0 = (group.y * ${DOWN}u + local.y) * 4u;
${batchStarts(mode, 'group.z')}
${indent(declareSums(4), 2)}
  for (var rep = 0u; rep < p.reps; rep++) {
${indent([...REPETITION, ...startOfA(mode, 4), ...startOfB(mode, 'column')], 4)}
    for (var block = 0u; block < p.kv; block++) {
${indent([...loadA(mode, 4, 'block'), ...loadB(mode, 'block', storage), ...multiply(4, valueOfA(mode))], 6)}
    }
  }
${storeRows(4, pickSum(4), 'row0', 'column')}
}
`;
  return {
    name: `matmul_${mode}_register4x4${suffix(storage)}`,
    code,
    features: [],
    tile: [4 * DOWN, 4 * ACROSS],
  };
}
