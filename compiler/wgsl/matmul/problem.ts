/** What all strategies for matrix products share: the uniform block, the bindings, and the epilogue. */
import { invariant } from '../../../grammar/invariant.ts';
import type { Matmul, NodeOf, Tensor, View } from '../../graph/graph.ts';
import { ceil4, padded, type Storage } from '../../model/model.ts';
import { formats, rowNumbers } from '../../storage/index.ts';
import { floatBits } from '../kernel.ts';

/** WGSL of one variant, before it is bound to a node. */
export interface Shader {
  readonly name: string;
  readonly code: string;
  readonly features: readonly string[];
  /** Rows and columns of C that one workgroup computes. */
  readonly tile: readonly [number, number];
}

/**
 * Operands in binding order; `extra` is the residual or u, of which a node has one at most. Every kernel binds all of
 * them and uniform flags choose: a second kernel for plain products was not faster, and it costs a compilation.
 */
const BINDINGS = ['a', 'b', 'c', 'bias', 'scale', 'extra', 'saved'] as const;

const FLAG = { bias: 1, scale: 2, residual: 4, silu: 8, saveBiased: 16, saveScaled: 32 } as const;

/** The uniform block, in order. Strides and offsets are in vec4s (of a stored B: in quads of its padded rows); `mv`, `nv`, `kv` are sizes in vec4s, rounded up. */
// prettier-ignore
const FIELDS = [
  'm', 'n', 'k', 'mv', 'nv', 'kv', 'inner', 'share', 'reps', 'flags',
  'aOffset', 'aRow', 'aOuter', 'aInner',
  'bOffset', 'bRow', 'bOuter', 'bInner',
  'cOffset', 'cRow', 'cOuter', 'cInner',
] as const;

type Field = (typeof FIELDS)[number];

const quarter = (n: number): number => {
  invariant(n % 4 === 0, `a stride or offset of ${n} numbers is no multiple of four`);
  return n / 4;
};

/** The words of the uniform block; `alpha` comes last. */
export function uniformWords(p: Matmul, flags: number): number[] {
  const lines = (name: 'a' | 'b' | 'c', v: View) => ({
    [`${name}Offset`]: quarter(v.offset),
    [`${name}Row`]: quarter(v.row),
    [`${name}Outer`]: quarter(v.outer),
    [`${name}Inner`]: quarter(v.inner),
  });
  const { m, n, k, inner, share, reps } = p;
  const words = {
    ...{ m, n, k, inner, share, reps, flags },
    ...{ mv: ceil4(m) / 4, nv: ceil4(n) / 4, kv: ceil4(k) / 4 },
    ...lines('a', p.a),
    ...lines('b', p.b),
    ...lines('c', p.c),
  } as Record<Field, number>;
  return [...FIELDS.map((f) => words[f]), floatBits(p.alpha)];
}

/**
 * The product with B's rows as long as they are in memory.
 * @throws when B is stored and not read by whole rows from its start, as one matrix
 */
export function withStoredRows(p: Matmul, { storage = 'f32', axis, name }: Tensor): Matmul {
  if (storage === 'f32') return p;
  const { b } = p;
  invariant(
    b.row === padded(axis) && b.offset === 0 && b.outer === 0 && b.inner === 0,
    `${name}, stored as ${storage}, is not read as one matrix`,
  );
  return { ...p, b: { ...b, row: rowNumbers(formats[storage], b.row) } };
}

/** The flags of a node's epilogue; 0 = a plain product. */
export function flagsOf(node: NodeOf<'matmul'>): number {
  const [, , bias, scale, residual, u] = node.inputs;
  const on = (slot: number | null | undefined, flag: number) =>
    slot === null || slot === undefined ? 0 : flag;
  const { save } = node.attrs;
  const saved = save === 'none' ? 0 : save === 'biased' ? FLAG.saveBiased : FLAG.saveScaled;
  invariant(!(on(residual, 1) && on(u, 1)), 'a product with both a residual and a gate');
  return on(bias, FLAG.bias) | on(scale, FLAG.scale) | on(residual, FLAG.residual) | on(u, FLAG.silu) | saved;
}

/** Tensor ids in the order of the bindings. */
export function operandsOf(node: NodeOf<'matmul'>): (number | null)[] {
  const [a = null, b = null, bias = null, scale = null, residual = null, u = null] = node.inputs;
  const [c = null, saved = null] = node.outputs;
  return [a, b, c, bias, scale, residual ?? u, saved];
}

/** Declarations of the uniform block and of the storage bindings; `load4` reads a B that is not stored as f32. */
export function declarations(storage: Storage): string {
  const { binding, load4 } = formats[storage];
  const members = FIELDS.map((f) => `${f}: u32`).join(', ');
  const bindings = BINDINGS.map(
    (name, i) =>
      `@group(0) @binding(${i + 1}) var<storage, read_write> ${name}: array<${name === 'b' ? binding : 'vec4f'}>;`,
  );
  return [
    `struct Product { ${members}, alpha: f32 }`,
    '@group(0) @binding(0) var<uniform> p: Product;',
    ...bindings,
    ...(storage === 'f32' ? [] : [load4('b')]),
  ].join('\n');
}

/** What tells a kernel that reads a stored B from the one for f32, in its name. */
export const suffix = (storage: Storage): string => (storage === 'f32' ? '' : `_${storage}`);

export const BINDING_COUNT = BINDINGS.length;

/** Where this batch starts in A, B and C; `batch` is an expression. B of `tn` goes along with A. */
export function batchStarts(mode: Matmul['mode'], batch: string): string {
  const [a, b] = mode === 'tn' ? ['within * p.reps', 'within * p.reps'] : ['within', '(within / p.share)'];
  return `
  let outer = ${batch} / p.inner;
  let within = ${batch} % p.inner;
  let aStart = p.aOffset + outer * p.aOuter + ${a} * p.aInner;
  let bStart = p.bOffset + outer * p.bOuter + ${b} * p.bInner;
  let cStart = p.cOffset + outer * p.cOuter + within * p.cInner;`;
}

/**
 * Stores a column of `rows` vec4s, picked by the statements `pick` as `sum` for a row `i`: it goes to row `row0 + i`,
 * vec4 column `column` of C. It is a loop, and rolled on purpose: unrolled over 16 rows its loads and stores take a
 * software device four seconds to compile, and as a loop its bound guards the rows too.
 */
export function storeRows(rows: number, pick: readonly string[], row0: string, column: string): string {
  return `  if (${column} < p.nv && ${row0} < p.m) {
    let start = cStart + ${row0} * p.cRow + ${column};
${loadVectors(column)}
    for (var i = 0u; i < min(${rows}u, p.m - ${row0}); i++) {
      let at = start + i * p.cRow;
${pick.map((line) => `      ${line}`).join('\n')}
      sum *= p.alpha;
${FINISH}
      c[at] = sum;
    }
  }`;
}

/** Bias and scale of a vec4 column, neutral where the node has none: adding 0 and multiplying by 1 change nothing. */
const loadVectors = (column: string): string => `
    var added = vec4f();
    var factor = vec4f(1.0);
    if ((p.flags & ${FLAG.bias}u) != 0u) { added = bias[${column}]; }
    if ((p.flags & ${FLAG.scale}u) != 0u) { factor = scale[${column}]; }
    let keep = select(vec4f(1.0), factor, (p.flags & ${FLAG.saveScaled}u) != 0u);`;

/** The epilogue of one vec4 `sum` that belongs at `at`. */
const FINISH = `
      sum += added;
      if ((p.flags & ${FLAG.saveBiased | FLAG.saveScaled}u) != 0u) { saved[at] = sum * keep; }
      sum *= factor;
      if ((p.flags & ${FLAG.residual | FLAG.silu}u) != 0u) {
        let x = extra[at];
        sum = select(sum + x, sum * x / (1.0 + exp(-x)), (p.flags & ${FLAG.silu}u) != 0u);
      }`;
