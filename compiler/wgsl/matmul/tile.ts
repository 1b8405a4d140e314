/**
 * Products by tiles in workgroup memory, for GPUs: a workgroup computes a square tile of C, an invocation 4 rows by 4
 * columns of it. Each step puts 16 values of k of the tile's rows of A and columns of B into workgroup memory, with
 * neighbouring invocations loading neighbouring vec4s. Nothing depends on the size of a subgroup.
 */
import type { Storage } from '../../model/model.ts';
import { batchStarts, declarations, type Shader, storeRows, suffix } from './problem.ts';
import {
  component,
  declareSums,
  indent,
  type Mode,
  multiply,
  pickSum,
  range,
  readB4,
  REPETITION,
  transpose,
} from './pieces.ts';

export interface TileVariant {
  readonly strategy: 'tile';
  /** Rows and columns of the tile: 64 with 256 invocations, or 32 with 64. */
  readonly size: number;
}

/** Values of k in a step, in vec4s. */
const DEPTH = 4;
/** Vec4s from one row to the next where rows hold DEPTH vec4s along k: odd, so that rows fall into different banks. */
const PITCH = DEPTH + 1;

/** How one operand lies in workgroup memory. */
interface Staging {
  readonly words: number;
  /** Statements that load and put down vec4 number `i` of the step's tile; `i` is an expression. */
  readonly fill: (i: string) => string[];
}

/** The vec4 at an address of an operand. */
type Read = (at: string) => string;

/**
 * An operand whose memory runs along k: a row of DEPTH vec4s for each row of the tile. Row 4 x + j goes to place
 * j size/4 + x: invocations that read one row each, four apart, then read neighbours.
 */
function alongK(size: number, name: 'a' | 'b', first: string, limit: string, read: Read): Staging {
  return {
    words: size * PITCH,
    fill: (i) => [
      `let row = ${i} / ${DEPTH}u;`,
      `let kv = block + ${i} % ${DEPTH}u;`,
      `let at = ${name}Base + min(${first} + row, ${limit} - 1u) * p.${name}Row + min(kv, p.kv - 1u);`,
      `${name}Tile[(row % 4u * ${size / 4}u + row / 4u) * ${PITCH}u + ${i} % ${DEPTH}u] = select(vec4f(), ${read('at')}, kv < p.kv);`,
    ],
  };
}

/** An operand whose memory runs along the tile: a row of size / 4 vec4s for each value of k. */
function acrossK(size: number, name: 'a' | 'b', first: string, limit: string, read: Read): Staging {
  const width = size / 4;
  return {
    words: 4 * DEPTH * width,
    fill: (i) => [
      `let k = block * 4u + ${i} / ${width}u;`,
      `let at = ${name}Base + min(k, p.k - 1u) * p.${name}Row + min(${first} / 4u + ${i} % ${width}u, ${limit} - 1u);`,
      `${name}Tile[${i}] = select(vec4f(), ${read('at')}, k < p.k);`,
    ],
  };
}

/** Reads `w0..w3` of block `d` of the step back from workgroup memory. */
function readB(mode: Mode, size: number): string[] {
  const width = size / 4;
  if (mode !== 'nt') return range(4).map((q) => `let w${q} = bTile[(d * 4u + ${q}u) * ${width}u + local.x];`);
  return [
    ...range(4).map((j) => `let b${j} = bTile[(${j * width}u + local.x) * ${PITCH}u + d];`),
    ...transpose('b', 'w'),
  ];
}

/** Reads A of block `d`: by rows a vec4 along k for each row, by columns a vec4 of rows for each k. */
function readA(mode: Mode, size: number): string[] {
  const width = size / 4;
  return mode === 'tn'
    ? range(4).map((q) => `let a${q} = aTile[(d * 4u + ${q}u) * ${width}u + local.y];`)
    : range(4).map((r) => `let a${r} = aTile[(${r * width}u + local.y) * ${PITCH}u + d];`);
}

export function tileShader(mode: Mode, { size }: TileVariant, storage: Storage): Shader {
  const width = size / 4;
  const invocations = width * width;
  const fromA: Read = (at) => `a[${at}]`;
  const fromB: Read = (at) => readB4(storage, at);
  const aStaging =
    mode === 'tn' ? acrossK(size, 'a', 'rows0', 'p.mv', fromA) : alongK(size, 'a', 'rows0', 'p.m', fromA);
  const bStaging =
    mode === 'nt'
      ? alongK(size, 'b', 'columns0', 'p.n', fromB)
      : acrossK(size, 'b', 'columns0', 'p.nv', fromB);
  // Each invocation moves the same number of vec4s, so no branch stands before the barrier.
  const stage = range((size * DEPTH) / invocations).flatMap((i) => {
    const item = i === 0 ? 'index' : `(index + ${i * invocations}u)`;
    return ['{', ...aStaging.fill(item), '}', '{', ...bStaging.fill(item), '}'];
  });
  const value = (r: number, k: number) => (mode === 'tn' ? `a${k}.${component(r)}` : `a${r}.${component(k)}`);
  const code = `${declarations(storage)}
var<workgroup> aTile: array<vec4f, ${aStaging.words}>;
var<workgroup> bTile: array<vec4f, ${bStaging.words}>;

@compute @workgroup_size(${width}, ${width})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let rows0 = group.y * ${size}u;
  let columns0 = group.x * ${size}u;
${batchStarts(mode, 'group.z')}
${indent(declareSums(4), 2)}
  for (var rep = 0u; rep < p.reps; rep++) {
${indent(REPETITION, 4)}
    for (var block = 0u; block < p.kv; block += ${DEPTH}u) {
${indent(stage, 6)}
      workgroupBarrier();
      for (var d = 0u; d < ${DEPTH}u; d++) {
${indent([...readA(mode, size), ...readB(mode, size), ...multiply(4, value)], 8)}
      }
      workgroupBarrier();
    }
  }
  let row0 = rows0 + local.y * 4u;
  let column = group.x * ${width}u + local.x;
${storeRows(4, pickSum(4), 'row0', 'column')}
}
`;
  return { name: `matmul_${mode}_tile${size}${suffix(storage)}`, code, features: [], tile: [size, size] };
}
