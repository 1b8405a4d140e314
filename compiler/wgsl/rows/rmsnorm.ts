/** RMSNorm and its gradient. The padding of x is zero, so sums run over whole groups of four. */
import { logical, padded } from '../../model/model.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapRows, pickTeam } from '../frames.ts';
import { float, optional, slot } from '../text.ts';

export const emitRmsnorm: Emitter<'rmsnorm'> = (node, graph, profile) => {
  const [x, w] = node.inputs;
  const [y, inverse] = node.outputs;
  const input = tensorAt(graph, x);
  const saves = typeof inverse === 'number';
  // The padding of `inverse` is a row past the end, which comes out zero.
  const save = 'if (lane == 0u && row < u.inverses) { inverses[row] = select(0.0, inverse, live); }';
  const code = `
let live = row < u.rows;
let start = min(row, u.rows - 1u) * u.stride;
let end = select(0u, u.stride, live);
var part = vec4f();
for (var c = lane; c < end; c += LANES) {
  let v = x[start + c];
  part += v * v;
}
let inverse = inverseSqrt(rowSum(total(part), l) * u.perNumber + u.eps);
${saves ? save : ''}
for (var c = lane; c < end; c += LANES) { y[start + c] = x[start + c] * inverse * w[c]; }`;
  const slots = [
    slot('x', 'vec4f', x),
    slot('w', 'vec4f', w),
    slot('y', 'vec4f', y),
    ...optional('inverses', 'f32', inverse),
  ];
  const rows = saves ? padded(tensorAt(graph, inverse).axis) : input.rows;
  const uniforms = {
    rows: input.rows,
    stride: quads(input),
    inverses: rows,
    perNumber: float(1 / logical(input.axis)),
    eps: float(node.attrs.eps),
  };
  const name = `rmsnorm${saves ? '_inverse' : ''}`;
  return [mapRows({ name, slots, uniforms, code }, rows, pickTeam(rows, quads(input), profile))];
};

/** dx = inverse (w dy - x inverse^2 mean(w dy x)) + residual. */
export const emitRmsnormGrad: Emitter<'rmsnormGrad'> = (node, graph, profile) => {
  const [dy, x, w, inverse, residual] = node.inputs;
  const input = tensorAt(graph, x);
  const adds = typeof residual === 'number';
  const code = `
let live = row < u.rows;
let r = min(row, u.rows - 1u);
let start = r * u.stride;
let end = select(0u, u.stride, live);
var part = vec4f();
for (var c = lane; c < end; c += LANES) { part += w[c] * dy[start + c] * x[start + c]; }
let inverse = inverses[r];
let pull = rowSum(total(part), l) * u.perNumber * inverse * inverse;
for (var c = lane; c < end; c += LANES) {
  dx[start + c] = inverse * (w[c] * dy[start + c] - x[start + c] * pull)${adds ? ' + residual[start + c]' : ''};
}`;
  const slots = [
    slot('dy', 'vec4f', dy),
    slot('x', 'vec4f', x),
    slot('w', 'vec4f', w),
    slot('inverses', 'f32', inverse),
    ...optional('residual', 'vec4f', residual),
    slot('dx', 'vec4f', node.outputs[0]),
  ];
  const uniforms = { rows: input.rows, stride: quads(input), perNumber: float(1 / logical(input.axis)) };
  const name = `rmsnormGrad${adds ? '_residual' : ''}`;
  return [mapRows({ name, slots, uniforms, code }, input.rows, pickTeam(input.rows, quads(input), profile))];
};
