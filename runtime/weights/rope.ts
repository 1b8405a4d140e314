/**
 * The two orders of a head's rows under rotary embeddings, and the way between them.
 *
 * Meta's code turns neighbours (2j, 2j+1); Hugging Face's turns (j, j + size/2). Same model, rows of wq and wk in
 * another order: HF's row c*size/2 + j is Meta's row 2j + c. Whatever lives on the output of wq or wk moves along:
 * their weights, biases, output scales and LoRA's B; nothing else does (transformers, convert_llama_weights_to_hf.py).
 */
import type { Base } from '../../compiler/model/model.ts';

export type RopeStyle = Base['rope']['style'];

/**
 * Reorders the rows of every head.
 * @param values row-major [heads x headDim, width]; a bias or scale has width 1
 * @param headDim rows of one head; the number of heads follows, so grouped-query keys need nothing else
 * @param turned the first rows of each head, which are rotated and change places; the others stay
 * @returns a new array; the same one when the styles agree
 */
export function reorderRope(
  values: Float32Array,
  headDim: number,
  width: number,
  from: RopeStyle,
  to: RopeStyle,
  turned = headDim,
): Float32Array {
  if (from === to) return values;
  if (values.length % (headDim * width) !== 0 || turned % 2 !== 0) {
    throw new Error(`internal error: ${values.length} values are no rows of ${width} in heads of ${headDim}`);
  }
  const out = new Float32Array(values.length);
  const half = turned / 2;
  for (let row = 0; row * width < values.length; row++) {
    const r = row % headDim;
    const moved =
      r >= turned
        ? row
        : row - r + (to === 'half' ? (r % 2) * half + (r >> 1) : 2 * (r % half) + Math.floor(r / half));
    out.set(values.subarray(row * width, (row + 1) * width), moved * width);
  }
  return out;
}
