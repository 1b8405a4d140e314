/**
 * WGSL that several strategies are made of. A strategy keeps its accumulators in `s0`, `s1`, ...: vec4s of four
 * neighbouring columns, one for each row; and it multiplies blocks of four values of k.
 */
import type { Matmul } from '../../graph/graph.ts';
import type { Storage } from '../../model/model.ts';

export type Mode = Matmul['mode'];

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
/** The component that holds number `i` of a run of vec4s. */
export const component = (i: number): string => COMPONENTS[i % 4] ?? 'x';

export const indent = (lines: readonly string[], spaces: number): string =>
  lines.map((line) => ' '.repeat(spaces) + line).join('\n');

/** Picks accumulator `i`, by `select`, since an array with a computed index would not stay in registers. */
export const pickSum = (rows: number): string[] => [
  'var sum = s0;',
  ...range(rows - 1).map((r) => `sum = select(sum, s${r + 1}, i == ${r + 1}u);`),
];

export const declareSums = (rows: number): string[] => range(rows).map((r) => `var s${r} = vec4f();`);

/** Addresses in B that do not change in the loop; `column` is a vec4 column, perhaps past the end. */
export function startOfB(mode: Mode, column: string): string[] {
  if (mode !== 'nt') return [`let bAt = bBase + min(${column}, p.nv - 1u);`];
  return range(4).map((j) => `let bRow${j} = bBase + min(${column} * 4u + ${j}u, p.n - 1u) * p.bRow;`);
}

/** Quad `at` of B: four neighbouring numbers of a row, whatever B is stored as. */
export const readB4 = (storage: Storage, at: string): string =>
  storage === 'f32' ? `b[${at}]` : `load4(${at})`;

/**
 * Loads B at four values of k: `w0` to `w3`, each four columns. `block` is k / 4, perhaps past the end: A is zero
 * there, so any row of B will do. (An infinity in B's last row may then come out as NaN.) For `nt` it is four loads
 * along k and a transposition, which is free where lanes are vectors.
 */
export function loadB(mode: Mode, block: string, storage: Storage): string[] {
  if (mode !== 'nt')
    return range(4).map(
      (q) => `let w${q} = ${readB4(storage, `bAt + min(${block} * 4u + ${q}u, p.k - 1u) * p.bRow`)};`,
    );
  return [
    `let kb = min(${block}, p.kv - 1u);`,
    ...range(4).map((j) => `let b${j} = ${readB4(storage, `bRow${j} + kb`)};`),
    ...transpose('b', 'w'),
  ];
}

/** `w0..w3` as the columns of the matrix with rows `b0..b3`. */
export const transpose = (from: string, to: string): string[] =>
  range(4).map(
    (q) =>
      `let ${to}${q} = vec4f(${range(4)
        .map((j) => `${from}${j}.${component(q)}`)
        .join(', ')});`,
  );

/** Addresses in A that do not change in the loop, for an invocation that owns `rows` rows from `row0` on. */
export function startOfA(mode: Mode, rows: number): string[] {
  if (mode !== 'tn')
    return range(rows).map((r) => `let aRow${r} = aBase + min(row0 + ${r}u, p.m - 1u) * p.aRow;`);
  return range(rows / 4).map((j) => `let aColumn${j} = aBase + min(row0 / 4u + ${j}u, p.mv - 1u);`);
}

/** Loads A at four values of k, all rows; `block` is k / 4 and lies inside. Past k, A is zero. */
export function loadA(mode: Mode, rows: number, block: string): string[] {
  if (mode !== 'tn') return range(rows).map((r) => `let a${r} = a[aRow${r} + ${block}];`);
  return range(4).flatMap((q) => [
    `let k${q} = ${block} * 4u + ${q}u;`,
    ...range(rows / 4).map(
      (j) => `let a${j}_${q} = select(vec4f(), a[aColumn${j} + min(k${q}, p.k - 1u) * p.aRow], k${q} < p.k);`,
    ),
  ]);
}

/** A[row, k] as `loadA` leaves it, with k within the block. */
export const valueOfA = (mode: Mode): ((row: number, k: number) => string) =>
  mode === 'tn' ? (r, k) => `a${Math.floor(r / 4)}_${k}.${component(r)}` : (r, k) => `a${r}.${component(k)}`;

/** Adds four values of k to all rows, a row at a time: only its accumulator need be in registers then. */
export const multiply = (rows: number, value: (row: number, k: number) => string): string[] =>
  range(rows).flatMap((r) => range(4).map((q) => `s${r} += ${value(r, q)} * w${q};`));

/** Where a repetition's A and B start. */
export const REPETITION = ['let aBase = aStart + rep * p.aInner;', 'let bBase = bStart + rep * p.bInner;'];
