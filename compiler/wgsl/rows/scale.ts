/** The gradients of a bias and a scale, and of what they were applied to, from one look at the gradient they receive. */
import { invariant } from '../../../grammar/invariant.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapRows } from '../frames.ts';
import { optional, slot } from '../text.ts';
import { columnTeam } from './sums.ts';

/** As in `columnSum`, a team's `row` is a column of four numbers, and its lanes share the rows. */
export const emitScaleGrad: Emitter<'scaleGrad'> = (node, graph, profile) => {
  const [dy, z, s] = node.inputs;
  const [dz, dScale, dBias] = node.outputs;
  const input = tensorAt(graph, dy);
  const [through, scale, bias] = [dz, dScale, dBias].map((id) => typeof id === 'number');
  invariant(through || scale || bias, 'a scaleGrad without outputs');
  const code = [
    'let live = row < u.columns;',
    'let column = min(row, u.columns - 1u);',
    through || bias ? 'let factor = s[column];' : '',
    scale ? 'var scales = vec4f();' : '',
    bias ? 'var biases = vec4f();' : '',
    'for (var r = lane; r < select(0u, u.rows, live); r += LANES) {',
    '  let i = r * u.columns + column;',
    '  let d = dy[i];',
    through ? '  dz[i] = d * factor;' : '',
    scale ? '  scales += d * z[i];' : '',
    bias ? '  biases += d;' : '',
    '}',
    scale ? 'let scaleSum = rowSum4(scales, l);' : '',
    bias ? 'let biasSum = rowSum4(biases, l);' : '',
    scale ? 'if (lane == 0u && live) { dScale[column] = scaleSum; }' : '',
    bias ? 'if (lane == 0u && live) { dBias[column] = factor * biasSum; }' : '',
  ];
  const slots = [
    slot('dy', 'vec4f', dy),
    ...(scale ? [slot('z', 'vec4f', z)] : []),
    ...(through || bias ? [slot('s', 'vec4f', s)] : []),
    ...optional('dz', 'vec4f', dz),
    ...optional('dScale', 'vec4f', dScale),
    ...optional('dBias', 'vec4f', dBias),
  ];
  const columns = quads(input);
  const name = `scaleGrad${through ? '_dz' : ''}${scale ? '_scale' : ''}${bias ? '_bias' : ''}`;
  const body = {
    name,
    slots,
    uniforms: { rows: input.rows, columns },
    code: code.filter(Boolean).join('\n'),
  };
  return [mapRows(body, columns, columnTeam(columns, input.rows, profile))];
};
