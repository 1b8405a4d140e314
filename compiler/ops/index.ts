/** The table of operations. */
import type { OpName } from '../graph/graph.ts';
import { activate, activateGrad } from './activate.ts';
import {
  add,
  addBias,
  columnSum,
  copy,
  mul,
  mulScale,
  scaleGrad,
  siluMul,
  siluMulGrad,
} from './elementwise.ts';
import { cacheWrite, embed, embedGrad, prepend, prependGrad } from './embed.ts';
import { gateAdd, gateGrad, gateMul } from './gate.ts';
import { inverseNorms } from './inverse-norms.ts';
import { layernorm, layernormGrad, unitRows } from './layernorm.ts';
import { crossEntropy, sum } from './loss.ts';
import { matmul } from './matmul.ts';
import type { Op } from './op.ts';
import { accumulate, adamw, gradNorm, sumSquares } from './optimizer.ts';
import { rmsnorm, rmsnormGrad } from './rmsnorm.ts';
import { rope } from './rope.ts';
import { addTable, repeat, repeatGrad, segment, segmentGrad } from './segment.ts';
import { softCap, softCapGrad } from './soft-cap.ts';
import { softmax, softmaxGrad } from './softmax.ts';

export const ops: { readonly [K in OpName]: Op<K> } = {
  matmul,
  addBias,
  mulScale,
  add,
  columnSum,
  scaleGrad,
  mul,
  softCap,
  softCapGrad,
  siluMul,
  siluMulGrad,
  rmsnorm,
  rmsnormGrad,
  layernorm,
  layernormGrad,
  unitRows,
  inverseNorms,
  activate,
  activateGrad,
  rope,
  softmax,
  softmaxGrad,
  gateAdd,
  gateMul,
  gateGrad,
  embed,
  embedGrad,
  prepend,
  prependGrad,
  addTable,
  segment,
  segmentGrad,
  repeat,
  repeatGrad,
  cacheWrite,
  copy,
  crossEntropy,
  sum,
  sumSquares,
  gradNorm,
  adamw,
  accumulate,
};
