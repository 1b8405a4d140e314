/** From nodes to kernels: the table of emitters. */
import type { OpName } from '../graph/graph.ts';
import type { Emitter } from './context.ts';
import { emitEmbed, emitEmbedGrad } from './gather/embed.ts';
import { emitCacheWrite, emitPrepend, emitPrependGrad } from './gather/prepend.ts';
import { emitRepeat, emitRepeatGrad } from './gather/repeat.ts';
import { emitAddTable, emitSegment, emitSegmentGrad } from './gather/segment.ts';
import type { Emit } from './kernel.ts';
import { emitActivate, emitActivateGrad } from './maps/activate.ts';
import {
  emitAdd,
  emitAddBias,
  emitCopy,
  emitMul,
  emitMulScale,
  emitSiluMul,
  emitSiluMulGrad,
} from './maps/elementwise.ts';
import { emitGateAdd, emitGateGrad, emitGateMul } from './maps/gate.ts';
import { emitRope } from './maps/rope.ts';
import { emitSoftCap, emitSoftCapGrad } from './maps/soft-cap.ts';
import { emitMatmul } from './matmul/index.ts';
import { emitAccumulate, emitAdamw, emitGradNorm } from './optimizer/adamw.ts';
import { emitCrossEntropy } from './rows/cross-entropy.ts';
import { emitInverseNorms } from './rows/inverse-norms.ts';
import { emitLayernorm, emitLayernormGrad, emitUnitRows } from './rows/layernorm.ts';
import { emitRmsnorm, emitRmsnormGrad } from './rows/rmsnorm.ts';
import { emitScaleGrad } from './rows/scale.ts';
import { emitSoftmax, emitSoftmaxGrad } from './rows/softmax.ts';
import { emitColumnSum, emitSum, emitSumSquares } from './rows/sums.ts';

const emitters: { readonly [K in OpName]: Emitter<K> } = {
  matmul: emitMatmul,
  addBias: emitAddBias,
  mulScale: emitMulScale,
  add: emitAdd,
  columnSum: emitColumnSum,
  scaleGrad: emitScaleGrad,
  mul: emitMul,
  softCap: emitSoftCap,
  softCapGrad: emitSoftCapGrad,
  siluMul: emitSiluMul,
  siluMulGrad: emitSiluMulGrad,
  rmsnorm: emitRmsnorm,
  rmsnormGrad: emitRmsnormGrad,
  layernorm: emitLayernorm,
  layernormGrad: emitLayernormGrad,
  unitRows: emitUnitRows,
  inverseNorms: emitInverseNorms,
  activate: emitActivate,
  activateGrad: emitActivateGrad,
  rope: emitRope,
  softmax: emitSoftmax,
  softmaxGrad: emitSoftmaxGrad,
  gateAdd: emitGateAdd,
  gateMul: emitGateMul,
  gateGrad: emitGateGrad,
  embed: emitEmbed,
  embedGrad: emitEmbedGrad,
  prepend: emitPrepend,
  prependGrad: emitPrependGrad,
  addTable: emitAddTable,
  segment: emitSegment,
  segmentGrad: emitSegmentGrad,
  repeat: emitRepeat,
  repeatGrad: emitRepeatGrad,
  cacheWrite: emitCacheWrite,
  copy: emitCopy,
  crossEntropy: emitCrossEntropy,
  sum: emitSum,
  sumSquares: emitSumSquares,
  gradNorm: emitGradNorm,
  adamw: emitAdamw,
  accumulate: emitAccumulate,
};

export const emit: Emit = (node, graph, profile) => {
  const emitter = emitters[node.op] as Emitter<OpName>;
  return emitter(node, graph, profile);
};
