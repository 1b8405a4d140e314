/** Folds parts into a linear or a norm, y = W x + b: float64 arrays that are changed in place. */

/** A site while parts are folded into it. A norm has no products: its weight is a matrix of one column. */
export interface Affine {
  /** Row-major [output, input]. */
  readonly weight: Float64Array;
  /** [output]. */
  readonly bias: Float64Array;
}

const columnsOf = ({ weight, bias }: Affine): number => weight.length / bias.length;

/** diag(s) (W x + b): s [output]. */
export function scaleRows(it: Affine, s: Float32Array): void {
  const columns = columnsOf(it);
  for (let i = 0; i < it.weight.length; i++) it.weight[i]! *= s[Math.floor(i / columns)]!;
  for (let i = 0; i < it.bias.length; i++) it.bias[i]! *= s[i]!;
}

/** W (diag(s) x) + b: s [input]. */
export function scaleColumns(it: Affine, s: Float32Array): void {
  const columns = columnsOf(it);
  for (let i = 0; i < it.weight.length; i++) it.weight[i]! *= s[i % columns]!;
}

/** W x + (b + v): v [output]. */
export function addVector(it: Affine, v: Float32Array): void {
  for (let i = 0; i < it.bias.length; i++) it.bias[i]! += v[i]!;
}

/** (W + factor B A) x + b: B [output, rank], A [rank, input]. */
export function addProduct(it: Affine, b: Float32Array, a: Float32Array, factor: number): void {
  const columns = columnsOf(it);
  const rank = a.length / columns;
  for (let row = 0; row < it.bias.length; row++)
    for (let r = 0; r < rank; r++) {
      const share = factor * b[row * rank + r]!;
      for (let i = 0; i < columns; i++) it.weight[row * columns + i]! += share * a[r * columns + i]!;
    }
}

/** The Euclidean norm of each row of W. */
export function rowNorms(it: Affine): Float64Array {
  const columns = columnsOf(it);
  const squares = new Float64Array(it.bias.length);
  for (let i = 0; i < it.weight.length; i++) squares[Math.floor(i / columns)]! += it.weight[i]! ** 2;
  return squares.map(Math.sqrt);
}

/** W (x + v) + b, by way of the bias: b + W v, v [input]. */
export function addToInput(it: Affine, v: Float64Array): void {
  const columns = columnsOf(it);
  for (let i = 0; i < it.weight.length; i++)
    it.bias[Math.floor(i / columns)]! += it.weight[i]! * v[i % columns]!;
}
