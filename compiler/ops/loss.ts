/** Next-token cross-entropy with ignored labels, made together with its gradient; and sums. */
import { logical } from '../model/model.ts';
import { IGNORE, STEP } from '../graph/graph.ts';
import { at, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const crossEntropy: Op<'crossEntropy'> = {
  slots: [3, 2],
  optional: [1],
  reference(node, inputs, outputs) {
    const { vocab } = node.attrs;
    const [logits, labels, step] = [need(inputs, 0), need(inputs, 1).values, need(inputs, 2).values];
    const [loss, d] = [need(outputs, 0).values, outputs[1]?.values];
    const [n, scale] = [width(logits), at(step, STEP.lossScale)];
    for (let r = 0; r < logits.tensor.rows; r++) {
      const row = logits.values.subarray(r * n, r * n + vocab);
      const label = at(labels, r);
      if (label === IGNORE) {
        d?.fill(0, r * n, (r + 1) * n);
        loss[r] = 0;
        continue;
      }
      const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const total = row.reduce((sum, x) => sum + Math.exp(x - max), 0);
      loss[r] = scale * (max + Math.log(total) - at(row, label));
      if (d)
        row.forEach((x, c) => (d[r * n + c] = scale * (Math.exp(x - max) / total - (c === label ? 1 : 0))));
    }
  },
};

export const sum: Op<'sum'> = {
  slots: [1, 1],
  reference(_node, inputs, outputs) {
    const x = need(inputs, 0);
    need(outputs, 0).values[0] = x.values.subarray(0, logical(x.tensor.axis)).reduce((a, b) => a + b, 0);
  },
};
