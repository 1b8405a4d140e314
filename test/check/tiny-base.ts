/** A base for the library's specs: odd sizes on purpose, fewer keys than queries, a head that is no multiple of four. */
import type { Base } from '../../compiler/model/model.ts';

export const tiny: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 3,
  dim: 24,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  ffn: 40,
  vocab: 50,
  context: 64,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};
