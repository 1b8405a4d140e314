/** 1 / the norm of each row of w + scale * b a: what DoRA divides by. */
import { padded } from '../model/model.ts';
import { at, eachColumn, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const inverseNorms: Op<'inverseNorms'> = {
  slots: [3, 1],
  gradient: () => [null, null, null],
  reference(node, inputs, outputs) {
    const [w, b, a, y] = [need(inputs, 0), need(inputs, 1), need(inputs, 2), need(outputs, 0).values];
    const [columns, wide] = [width(w), padded(b.tensor.axis)];
    for (let row = 0; row < w.tensor.rows; row++) {
      let squares = 0;
      eachColumn(w.tensor.axis, (c) => {
        let update = 0;
        for (let k = 0; k < wide; k++) update += at(b.values, row * wide + k) * at(a.values, k * columns + c);
        squares += (at(w.values, row * columns + c) + node.attrs.scale * update) ** 2;
      });
      y[row] = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    }
  },
};
