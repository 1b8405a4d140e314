/**
 * LayerNorm, its gradient, and rows brought to length one. The padding of x, w and dy is zero, so plain sums run over
 * whole groups of four; what has the mean taken off is not zero there and is masked, on axes that have padding at all.
 */
import type { Tensor } from '../../graph/graph.ts';
import { ceil4, logical, padded } from '../../model/model.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapRows, pickTeam } from '../frames.ts';
import { float, optional, slot } from '../text.ts';

/** How to write a group of four with zeros in its padding, and the uniforms that takes. */
function maskOf(tensor: Tensor) {
  const { size } = tensor.axis;
  const needed = size % 4 !== 0;
  return {
    mask: (value: string) => (needed ? `select(vec4f(), ${value}, below(c % u.group, u.size))` : value),
    uniforms: needed ? { size, group: ceil4(size) / 4 } : {},
    suffix: needed ? '_masked' : '',
  };
}

const HEAD = `
let live = row < u.rows;
let r = min(row, u.rows - 1u);
let start = r * u.stride;
let end = select(0u, u.stride, live);
`;

/** The variance is of what is left when the mean is taken off: mean(x^2) - mean^2 would lose every digit of f32. */
export const emitLayernorm: Emitter<'layernorm'> = (node, graph, profile) => {
  const [x, w, b] = node.inputs;
  const [y, xhat, inverse] = node.outputs;
  const input = tensorAt(graph, x);
  const { mask, uniforms, suffix } = maskOf(input);
  const [keeps, saves] = [typeof xhat === 'number', typeof inverse === 'number'];
  // The padding of `inverse` is rows past the end, which come out zero.
  const save = 'if (lane == 0u && row < u.inverses) { inverses[row] = select(0.0, inverse, live); }';
  const code = `${HEAD}
var part = vec4f();
for (var c = lane; c < end; c += LANES) { part += x[start + c]; }
let mean = rowSum(total(part), l) * u.perNumber;
part = vec4f();
for (var c = lane; c < end; c += LANES) {
  let v = ${mask('x[start + c] - mean')};
  part += v * v;
}
let inverse = inverseSqrt(rowSum(total(part), l) * u.perNumber + u.eps);
${saves ? save : ''}
for (var c = lane; c < end; c += LANES) {
  let v = ${mask('(x[start + c] - mean) * inverse')};
${keeps ? '  xhat[start + c] = v;' : ''}
  y[start + c] = v * w[c] + b[c];
}`;
  const slots = [
    slot('x', 'vec4f', x),
    slot('w', 'vec4f', w),
    slot('b', 'vec4f', b),
    slot('y', 'vec4f', y),
    ...optional('xhat', 'vec4f', xhat),
    ...optional('inverses', 'f32', inverse),
  ];
  const rows = saves ? padded(tensorAt(graph, inverse).axis) : input.rows;
  const body = {
    name: `layernorm${keeps ? '_xhat' : ''}${saves ? '_inverse' : ''}${suffix}`,
    slots,
    uniforms: {
      rows: input.rows,
      stride: quads(input),
      inverses: rows,
      perNumber: float(1 / logical(input.axis)),
      eps: float(node.attrs.eps),
      ...uniforms,
    },
    code: code.replace(/\n{2,}/g, '\n'),
  };
  return [mapRows(body, rows, pickTeam(rows, quads(input), profile))];
};

/** dx = inverse (w dy - mean(w dy) - xhat mean(w dy xhat)) + residual. */
export const emitLayernormGrad: Emitter<'layernormGrad'> = (node, graph, profile) => {
  const [dy, w, xhat, inverse, residual] = node.inputs;
  const input = tensorAt(graph, xhat);
  const { mask, uniforms, suffix } = maskOf(input);
  const adds = typeof residual === 'number';
  const code = `${HEAD}
var part = vec4f();
var dots = vec4f();
for (var c = lane; c < end; c += LANES) {
  let v = w[c] * dy[start + c];
  part += v;
  dots += v * xhat[start + c];
}
let shift = rowSum(total(part), l) * u.perNumber;
let pull = rowSum(total(dots), l) * u.perNumber;
let inverse = inverses[r];
for (var c = lane; c < end; c += LANES) {
  let v = ${mask('inverse * (w[c] * dy[start + c] - shift - xhat[start + c] * pull)')};
  dx[start + c] = v${adds ? ' + residual[start + c]' : ''};
}`;
  const slots = [
    slot('dy', 'vec4f', dy),
    slot('w', 'vec4f', w),
    slot('xhat', 'vec4f', xhat),
    slot('inverses', 'f32', inverse),
    ...optional('residual', 'vec4f', residual),
    slot('dx', 'vec4f', node.outputs[0]),
  ];
  const body = {
    name: `layernormGrad${adds ? '_residual' : ''}${suffix}`,
    slots,
    uniforms: {
      rows: input.rows,
      stride: quads(input),
      perNumber: float(1 / logical(input.axis)),
      ...uniforms,
    },
    code,
  };
  return [mapRows(body, input.rows, pickTeam(input.rows, quads(input), profile))];
};

/** A select and not a max, so that a row with NaN in it has NaN for its norm. */
export const emitUnitRows: Emitter<'unitRows'> = (node, graph, profile) => {
  const input = tensorAt(graph, node.inputs[0]);
  const code = `${HEAD}
var part = vec4f();
for (var c = lane; c < end; c += LANES) {
  let v = x[start + c];
  part += v * v;
}
let norm = sqrt(rowSum(total(part), l));
let factor = 1.0 / (select(norm, u.eps, norm < u.eps) * u.divisor);
for (var c = lane; c < end; c += LANES) { y[start + c] = x[start + c] * factor; }`;
  const body = {
    name: 'unitRows',
    slots: [slot('x', 'vec4f', node.inputs[0]), slot('y', 'vec4f', node.outputs[0])],
    uniforms: {
      rows: input.rows,
      stride: quads(input),
      eps: float(node.attrs.eps),
      divisor: float(node.attrs.divisor),
    },
    code,
  };
  return [mapRows(body, input.rows, pickTeam(input.rows, quads(input), profile))];
};
