/** What all families of matrix products share: the uniform block, the bindings, and the epilogue. */
import { invariant } from '../../../grammar/invariant.ts';
import type { Matmul, NodeOf, View } from '../../graph/graph.ts';
import { ceil4 } from '../../model/model.ts';
import { floatBits } from '../kernel.ts';

/** WGSL of one variant, before it is bound to a node. */
export interface Shader {
  readonly name: string;
  readonly code: string;
  readonly features: readonly string[];
  /** Rows and columns of C that one workgroup computes. */
  readonly tile: readonly [number, number];
}

/** Which text a shader ends with: `full` binds bias, scale, residual or u, and the saved copy, and uniform flags choose. */
export type Epilogue = 'plain' | 'full';

/** Operands in binding order; `extra` is the residual or u, of which a node has one at most. */
const BINDINGS = { plain: ['a', 'b', 'c'], full: ['a', 'b', 'c', 'bias', 'scale', 'extra', 'saved'] } as const;

export const FLAG = { bias: 1, scale: 2, residual: 4, silu: 8, saveBiased: 16, saveScaled: 32 } as const;

/** The uniform block, in order. Strides and offsets are in vec4s; `mv`, `nv`, `kv` are sizes in vec4s, rounded up. */
const FIELDS = [
  'm', 'n', 'k', 'mv', 'nv', 'kv', 'inner', 'share', 'reps', 'flags',
  'aOffset', 'aRow', 'aOuter', 'aInner',
  'bOffset', 'bRow', 'bOuter', 'bInner',
  'cOffset', 'cRow', 'cOuter', 'cInner',
] as const; // prettier-ignore

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

/** The flags of a node's epilogue; 0 = a plain product. */
export function flagsOf(node: NodeOf<'matmul'>): number {
  const [, , bias, scale, residual, u] = node.inputs;
  const on = (slot: number | null | undefined, flag: number) => (slot === null || slot === undefined ? 0 : flag);
  const { save } = node.attrs;
  const saved = save === 'none' ? 0 : save === 'biased' ? FLAG.saveBiased : FLAG.saveScaled;
  invariant(!(on(residual, 1) && on(u, 1)), 'a product with both a residual and a gate');
  return on(bias, FLAG.bias) | on(scale, FLAG.scale) | on(residual, FLAG.residual) | on(u, FLAG.silu) | saved;
}

/** Tensor ids in the order of the bindings. */
export function operandsOf(node: NodeOf<'matmul'>, epilogue: Epilogue): (number | null)[] {
  const [a = null, b = null, bias = null, scale = null, residual = null, u = null] = node.inputs;
  const [c = null, saved = null] = node.outputs;
  return epilogue === 'plain' ? [a, b, c] : [a, b, c, bias, scale, residual ?? u, saved];
}

/** Declarations of the uniform block and of the storage bindings. */
export function declarations(epilogue: Epilogue): string {
  const members = FIELDS.map((f) => `${f}: u32`).join(', ');
  const storage = BINDINGS[epilogue].map(
    (name, i) => `@group(0) @binding(${i + 1}) var<storage, read_write> ${name}: array<vec4f>;`,
  );
  return [
    `struct Product { ${members}, alpha: f32 }`,
    '@group(0) @binding(0) var<uniform> p: Product;',
    ...storage,
  ].join('\n');
}

export const bindingCount = (epilogue: Epilogue): number => BINDINGS[epilogue].length;

/** Where this batch starts in A, B and C; `batch` is an expression. B of `tn` goes along with A. */
export function batchStarts(mode: Matmul['mode'], batch: string): string {
  const b = mode === 'tn' ? 'within * p.reps' : 'within / p.share';
  return `
  let outer = ${batch} / p.inner;
  let within = ${batch} % p.inner;
  let aStart = p.aOffset + outer * p.aOuter + within${mode === 'tn' ? ' * p.reps' : ''} * p.aInner;
  let bStart = p.bOffset + outer * p.bOuter + ${b === 'within / p.share' ? '(within / p.share)' : b} * p.bInner;
  let cStart = p.cOffset + outer * p.cOuter + within * p.cInner;`;
}

declare const process: any;
export function storeRows(epilogue: Epilogue, sums: readonly string[], row0: string, column: string): string {
  const R = sums.length;
  const how = process.env.EPI ?? 'array';
  const full = epilogue === 'full';
  const setup = how === 'array' ? `  var sums = array<vec4f, ${R}>(${sums.join(', ')});` : how === 'shift' ? '' : '';
  const take = how === 'array' ? `let sum = sums[i] * p.alpha;` : how === 'shift' ? `let sum = s0 * p.alpha;` :
     `var sum = s0; ${sums.slice(1).map((x, j) => `sum = select(sum, ${x}, i == ${j + 1}u);`).join(' ')} sum *= p.alpha;`;
  const next = how === 'shift' ? sums.slice(1).map((x, j) => `${sums[j]} = ${x};`).join(' ') : '';
  return `${setup}
  if (${column} < p.nv && ${row0} < p.m) {
    let at = cStart + ${row0} * p.cRow + ${column};
${full ? `    var added = vec4f();
    var factor = vec4f(1.0);
    if ((p.flags & ${FLAG.bias}u) != 0u) { added = bias[${column}]; }
    if ((p.flags & ${FLAG.scale}u) != 0u) { factor = scale[${column}]; }
    let keep = select(vec4f(1.0), factor, (p.flags & ${FLAG.saveScaled}u) != 0u);` : ''}
    for (var i = 0u; i < min(${R}u, p.m - ${row0}); i++) {
      ${take}
      let to = at + i * p.cRow;
${full ? `      var value = sum + added;
      if ((p.flags & ${FLAG.saveBiased | FLAG.saveScaled}u) != 0u) { saved[to] = value * keep; }
      value *= factor;
      if ((p.flags & ${FLAG.residual | FLAG.silu}u) != 0u) {
        let x = extra[to];
        value = select(value + x, value * x / (1.0 + exp(-x)), (p.flags & ${FLAG.silu}u) != 0u);
      }
      c[to] = value;` : '      c[to] = sum;'}
      ${next}
    }
  }`;
}
