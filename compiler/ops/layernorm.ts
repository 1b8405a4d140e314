/** LayerNorm: y = w * (x - mean) / sqrt(variance + eps) + b over the logical width; and rows brought to length one. */
import { invariant } from '../../grammar/invariant.ts';
import { logical } from '../model/model.ts';
import { at, eachColumn, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const layernorm: Op<'layernorm'> = {
  slots: [3, 3],
  optional: [1, 2],
  /** The backward pass needs the normalised rows only, so x itself is not kept. */
  gradient(g, node, [dy], needs) {
    if (!dy) return [null, null, null];
    const [x, w] = [g.tensors[node.inputs[0] ?? -1], g.tensors[node.inputs[1] ?? -1]];
    const [xhat, inverse] = [g.tensors[node.outputs[1] ?? -1], g.tensors[node.outputs[2] ?? -1]];
    invariant(x && w && xhat && inverse, 'layernorm without operands');
    const dx = needs[0] ? g.tensor(`${g.label}:dx`, x.rows, x.axis) : null;
    if (dx) g.node('layernormGrad', [dy, w, xhat, inverse, null], [dx], {});
    return [dx, needs[1] ? g.columnSum(dy, xhat) : null, needs[2] ? g.columnSum(dy) : null];
  },
  reference(node, inputs, outputs) {
    const [x, w, b] = [need(inputs, 0), need(inputs, 1).values, need(inputs, 2).values];
    const [y, n, { axis: ax, rows }] = [need(outputs, 0).values, width(x), x.tensor];
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      eachColumn(ax, (c) => (sum += at(x.values, r * n + c)));
      const mean = sum / logical(ax);
      let squares = 0;
      eachColumn(ax, (c) => (squares += (at(x.values, r * n + c) - mean) ** 2));
      const inverse = 1 / Math.sqrt(squares / logical(ax) + node.attrs.eps);
      if (outputs[2]) outputs[2].values[r] = inverse;
      eachColumn(ax, (c) => {
        const xhat = (at(x.values, r * n + c) - mean) * inverse;
        if (outputs[1]) outputs[1].values[r * n + c] = xhat;
        y[r * n + c] = at(w, c) * xhat + at(b, c);
      });
    }
  },
};

/** dx = inverse * (w dy - mean(w dy) - xhat mean(w dy xhat)). */
export const layernormGrad: Op<'layernormGrad'> = {
  slots: [5, 1],
  reference(_node, inputs, outputs) {
    const [dy, w, xhat] = [need(inputs, 0).values, need(inputs, 1).values, need(inputs, 2)];
    const [inverse, residual, dx] = [need(inputs, 3).values, inputs[4], need(outputs, 0).values];
    const [n, ax] = [width(xhat), xhat.tensor.axis];
    for (let r = 0; r < xhat.tensor.rows; r++) {
      let [sum, dot] = [0, 0];
      eachColumn(ax, (c) => {
        sum += at(w, c) * at(dy, r * n + c);
        dot += at(w, c) * at(dy, r * n + c) * at(xhat.values, r * n + c);
      });
      const [shift, pull] = [sum / logical(ax), dot / logical(ax)];
      eachColumn(ax, (c) => {
        const value = at(w, c) * at(dy, r * n + c) - shift - at(xhat.values, r * n + c) * pull;
        dx[r * n + c] = at(inverse, r) * value + (residual ? at(residual.values, r * n + c) : 0);
      });
    }
  },
};

/** No gradient: its input is features from outside of the model. */
export const unitRows: Op<'unitRows'> = {
  slots: [1, 1],
  reference(node, inputs, outputs) {
    const [x, y] = [need(inputs, 0), need(outputs, 0).values];
    const n = width(x);
    for (let r = 0; r < x.tensor.rows; r++) {
      let squares = 0;
      eachColumn(x.tensor.axis, (c) => (squares += at(x.values, r * n + c) ** 2));
      const norm = Math.max(Math.sqrt(squares), node.attrs.eps);
      eachColumn(x.tensor.axis, (c) => (y[r * n + c] = at(x.values, r * n + c) / norm / node.attrs.divisor));
    }
  },
};
