/** RMSNorm: y = w * x / sqrt(mean(x^2) + eps), the mean over the logical width. */
import { invariant } from '../../grammar/invariant.ts';
import { logical } from '../model/model.ts';
import { at, eachColumn, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const rmsnorm: Op<'rmsnorm'> = {
  slots: [2, 2],
  optional: [1],
  gradient(g, node, [dy], needs) {
    if (!dy) return [null, null];
    const [x, w, inverse] = [
      g.tensors[node.inputs[0] ?? -1],
      g.tensors[node.inputs[1] ?? -1],
      g.tensors[node.outputs[1] ?? -1],
    ];
    invariant(x && w && inverse, 'rmsnorm without operands');
    const dx = needs[0] ? g.tensor(`${g.label}:dx`, x.rows, x.axis) : null;
    if (dx) g.node('rmsnormGrad', [dy, x, w, inverse, null], [dx], {});
    return [dx, needs[1] ? g.columnSum(dy, x, inverse) : null];
  },
  reference(node, inputs, outputs) {
    const [x, w, y] = [need(inputs, 0), need(inputs, 1).values, need(outputs, 0).values];
    const [n, { axis: ax, rows }] = [width(x), x.tensor];
    for (let r = 0; r < rows; r++) {
      let squares = 0;
      eachColumn(ax, (c) => (squares += at(x.values, r * n + c) ** 2));
      const inverse = 1 / Math.sqrt(squares / logical(ax) + node.attrs.eps);
      if (outputs[1]) outputs[1].values[r] = inverse;
      for (let c = 0; c < n; c++) y[r * n + c] = at(x.values, r * n + c) * inverse * at(w, c);
    }
  },
};

/** dx = inverse * (w dy - x inverse^2 mean(w dy x)). */
export const rmsnormGrad: Op<'rmsnormGrad'> = {
  slots: [5, 1],
  reference(_node, inputs, outputs) {
    const [dy, x, w, inverse] = [
      need(inputs, 0).values,
      need(inputs, 1),
      need(inputs, 2).values,
      need(inputs, 3).values,
    ];
    const [n, dx] = [width(x), need(outputs, 0).values];
    for (let r = 0; r < x.tensor.rows; r++) {
      let dot = 0;
      eachColumn(x.tensor.axis, (c) => (dot += at(w, c) * at(dy, r * n + c) * at(x.values, r * n + c)));
      const [i, mean] = [at(inverse, r), dot / logical(x.tensor.axis)];
      for (let c = 0; c < n; c++) {
        const value = i * (at(w, c) * at(dy, r * n + c) - at(x.values, r * n + c) * i * i * mean);
        dx[r * n + c] = value + (inputs[4] ? at(inputs[4].values, r * n + c) : 0);
      }
    }
  },
};
