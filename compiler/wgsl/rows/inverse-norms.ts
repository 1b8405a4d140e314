/** 1 / the norm of each row of w + scale * b a. The sum of both is made a group of four at a time and never written. */
import { padded } from '../../model/model.ts';
import { formats, rowNumbers } from '../../storage/index.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapRows, pickTeam } from '../frames.ts';
import { float, slot } from '../text.ts';

/**
 * A comparison with 0 and not a max, so that a row with NaN in it has NaN for its norm.
 * @param weight reads quad `c` of row `r` of w
 */
const codeOf = (weight: string): string => `
let live = row < u.rows;
let r = min(row, u.rows - 1u);
var part = vec4f();
for (var c = lane; c < select(0u, u.stride, live); c += LANES) {
  var update = vec4f();
  for (var k = 0u; k < u.rank; k++) { update += b[r * u.rank + k] * a[k * u.stride + c]; }
  let v = ${weight} + u.scale * update;
  part += v * v;
}
let squares = rowSum(total(part), l);
if (lane == 0u && live) { y[row] = select(inverseSqrt(squares), 0.0, squares == 0.0); }`;

export const emitInverseNorms: Emitter<'inverseNorms'> = (node, graph, profile) => {
  const [w, b, a] = node.inputs;
  const [weight, thin] = [tensorAt(graph, w), tensorAt(graph, b)];
  const { storage = 'f32', axis } = weight;
  const format = formats[storage];
  const own = storage === 'f32';
  const body = {
    name: `inverseNorms${own ? '' : `_${storage}`}`,
    slots: [
      slot('w', format.binding, w),
      slot('b', 'f32', b),
      slot('a', 'vec4f', a),
      slot('y', 'f32', node.outputs[0]),
    ],
    uniforms: {
      rows: weight.rows,
      stride: quads(weight),
      ...(own ? {} : { stored: rowNumbers(format, padded(axis)) / 4 }),
      rank: padded(thin.axis),
      scale: float(node.attrs.scale),
    },
    ...(own ? {} : { functions: format.load4('w') }),
    code: codeOf(own ? 'w[r * u.stride + c]' : 'load4(r * u.stored + c)'),
  };
  return [mapRows(body, weight.rows, pickTeam(weight.rows, quads(weight), profile))];
};
