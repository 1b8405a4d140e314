/** AdamW (arXiv 1711.05101) over contiguous runs of parameters, and the gradient norm that guards it. */
import { BLOCK, STEP } from '../graph/graph.ts';
import { at, need } from './layout.ts';
import type { Op } from './op.ts';

/** Partial i takes every PARTIALS-th number in the reference; kernels may split the sum otherwise. */
export const sumSquares: Op<'sumSquares'> = {
  slots: [1, 1],
  reference(_node, inputs, outputs) {
    const [x, out] = [need(inputs, 0).values, need(outputs, 0).values];
    for (let i = 0; i < x.length; i++) out[i % out.length] = at(out, i % out.length) + at(x, i) ** 2;
  },
};

export const gradNorm: Op<'gradNorm'> = {
  slots: [null, 1],
  reference(_node, inputs, outputs) {
    const step = need(inputs, inputs.length - 1).values;
    const out = need(outputs, 0).values;
    let squares = 0;
    for (const partial of inputs.slice(0, -1))
      squares += partial ? partial.values.reduce((a, b) => a + b, 0) : 0;
    const [norm, clip] = [Math.sqrt(squares), at(step, STEP.clip)];
    // torch.nn.utils.clip_grad_norm_: clip / (norm + 1e-6), at most 1; a clip of 0 stands for none.
    out.set([norm, clip > 0 ? Math.min(1, clip / (norm + 1e-6)) : 1, Number.isFinite(norm) ? 1 : 0, 0]);
  },
};

export const adamw: Op<'adamw'> = {
  slots: [7, 3],
  reference(node, inputs, outputs) {
    const { cell, beta1, beta2, eps } = node.attrs;
    const [p0, g, m0, v0, blocks, norm, step] = [0, 1, 2, 3, 4, 5, 6].map(
      (slot) => need(inputs, slot).values,
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    const [p, m, v] = [need(outputs, 0).values, need(outputs, 1).values, need(outputs, 2).values];
    const [c1, c2] = [at(step, STEP.cells + 2 * cell), at(step, STEP.cells + 2 * cell + 1)];
    const active = at(norm, 2) === 1;
    for (let i = 0; i < p.length; i++) {
      const [rate, decay] = [
        at(blocks, 2 * Math.floor(i / BLOCK)),
        at(blocks, 2 * Math.floor(i / BLOCK) + 1),
      ];
      const [lr, gi] = [at(step, STEP.lr) * rate, at(g, i) * at(norm, 1)];
      m[i] = active ? beta1 * at(m0, i) + (1 - beta1) * gi : at(m0, i);
      v[i] = active ? beta2 * at(v0, i) + (1 - beta2) * gi * gi : at(v0, i);
      const moved = at(p0, i) * (1 - lr * decay) - (lr * at(m, i) * c1) / (Math.sqrt(at(v, i) * c2) + eps);
      p[i] = active ? moved : at(p0, i);
    }
  },
};

export const accumulate: Op<'accumulate'> = {
  slots: [3, 1],
  reference(_node, inputs, outputs) {
    const [g, step, out] = [need(inputs, 0).values, need(inputs, 2).values, need(outputs, 0).values];
    const former = need(inputs, 1).values;
    for (let i = 0; i < out.length; i++) out[i] = at(g, i) + (at(step, STEP.first) === 1 ? 0 : at(former, i));
  },
};
