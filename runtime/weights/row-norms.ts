/** Where DoRA's lengths start: the Euclidean norm of each row of a weight, summed in float64. */
export function rowNorms(weight: Float32Array, rows: number): Float32Array {
  const columns = weight.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += weight[row * columns + c]! ** 2;
    return Math.sqrt(squares);
  });
}
