/**
 * Rotary position embedding (RoFormer, section 3.4.2). Pairs are (2j, 2j+1) in Meta's checkpoints (`interleaved`)
 * and (j, j + size/2) in Hugging Face's (`half`), where size is that of the rotated part: the first numbers of a head,
 * as many as the table is wide. The table holds cos and sin of pair j at columns 2j and 2j+1, made in float64 on the
 * host, because sin on some software devices is off by 2e-4.
 */
import { invariant } from '../../grammar/invariant.ts';
import { ceil4 } from '../model/model.ts';
import { at, need, width } from './layout.ts';
import type { Op } from './op.ts';

export const rope: Op<'rope'> = {
  slots: [3, 1],
  gradient(g, node, [dy], needs) {
    const [positions, table] = [g.tensors[node.inputs[1] ?? -1], g.tensors[node.inputs[2] ?? -1]];
    invariant(positions && table, 'rope without operands');
    return [
      dy && needs[0] ? g.rope(dy, positions, table, { ...node.attrs, inverse: !node.attrs.inverse }) : null,
      null,
      null,
    ];
  },
  reference(node, inputs, outputs) {
    const [x, positions, table, y] = [
      need(inputs, 0),
      need(inputs, 1).values,
      need(inputs, 2),
      need(outputs, 0).values,
    ];
    const { style, inverse, shift } = node.attrs;
    const { groups, size } = x.tensor.axis;
    const [n, stride, half] = [width(x), ceil4(size), table.tensor.axis.size / 2];
    y.set(x.values);
    for (let r = 0; r < x.tensor.rows; r++)
      for (let h = 0; h < groups; h++)
        for (let j = 0; j < half; j++) {
          const angle = (at(positions, r) + shift) * width(table) + 2 * j;
          const [cos, sin] = [at(table.values, angle), at(table.values, angle + 1) * (inverse ? -1 : 1)];
          const first = r * n + h * stride + (style === 'half' ? j : 2 * j);
          const second = style === 'half' ? first + half : first + 1;
          const [a, b] = [at(x.values, first), at(x.values, second)];
          y[first] = a * cos - b * sin;
          y[second] = a * sin + b * cos;
        }
  },
};
