/**
 * Rotary position embedding. A thread stays in its column: four numbers and their partners, down the rows. `interleaved`
 * finds its partners inside the four; `half` finds them half a head on, which is whole groups of four when the half is a
 * multiple of four, and single numbers otherwise.
 */
import { ceil4 } from '../../model/model.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns } from '../frames.ts';
import { float, slot } from '../text.ts';

/** The table's row `angle`; u32 arithmetic wraps, so a shift below zero works too. */
const ANGLE = 'let angle = (positions[row] + u.shift) * u.stride;';

const INTERLEAVED = {
  setup: 'let column = c % u.stride;',
  code: `
${ANGLE}
let i = row * u.columns + c;
let v = x[i];
let turn = table[angle + column];
y[i] = vec4f(
  v.x * turn.x - v.y * turn.y * u.sign, v.x * turn.y * u.sign + v.y * turn.x,
  v.z * turn.z - v.w * turn.w * u.sign, v.z * turn.w * u.sign + v.w * turn.z);`,
};

const HALF_OF_FOURS = {
  setup: 'let head = c / u.half;\nlet column = c % u.half;',
  code: `
${ANGLE}
let i = row * u.columns * 2u + head * u.stride + column;
let a = x[i];
let b = x[i + u.half];
let t0 = table[angle + 2u * column];
let t1 = table[angle + 2u * column + 1u];
let cosine = vec4f(t0.x, t0.z, t1.x, t1.z);
let sine = vec4f(t0.y, t0.w, t1.y, t1.w) * u.sign;
y[i] = a * cosine - b * sine;
y[i + u.half] = a * sine + b * cosine;`,
};

/** A number at a time; the padding of each head is written zero. */
const HALF_OF_ONES = {
  setup: `
let column = c % u.stride;
let second = column >= u.half;
let padding = column >= 2u * u.half;
let pair = select(column, column - u.half, second);`,
  code: `
${ANGLE}
let i = row * u.columns + c;
var v = 0.0;
if (!padding) {
  let cosine = table[angle + 2u * pair];
  let sine = table[angle + 2u * pair + 1u] * u.sign;
  v = x[i] * cosine + x[select(i + u.half, i - u.half, second)] * select(-sine, sine, second);
}
y[i] = v;`,
};

/** A number at a time; those of a head that are not turned, and its padding, stay as they are. */
const partOf = (style: 'interleaved' | 'half') => ({
  setup: `
let column = c % u.stride;
let turned = column < 2u * u.half;
${
  style === 'half'
    ? 'let second = column >= u.half;\nlet pair = select(column, column - u.half, second);\nlet hop = u.half;'
    : 'let second = column % 2u == 1u;\nlet pair = column / 2u;\nlet hop = 1u;'
}`,
  code: `
let angle = (positions[row] + u.shift) * u.tableStride;
let i = row * u.columns + c;
var v = x[i];
if (turned) {
  let cosine = table[angle + 2u * pair];
  let sine = table[angle + 2u * pair + 1u] * u.sign;
  v = v * cosine + x[select(i + hop, i - hop, second)] * select(-sine, sine, second);
}
y[i] = v;`,
});

export const emitRope: Emitter<'rope'> = (node, graph, profile) => {
  const [x, positions, table] = node.inputs;
  const [y] = node.outputs;
  const out = tensorAt(graph, y);
  const { style, inverse, shift } = node.attrs;
  const turned = tensorAt(graph, table).axis.size;
  const half = turned / 2;
  const uniforms = { shift: shift >>> 0, sign: float(inverse ? -1 : 1) };
  const slots = (type: 'f32' | 'vec4f') => [
    slot('x', type, x),
    slot('positions', 'u32', positions),
    slot('table', type, table),
    slot('y', type, y),
  ];
  const stride = ceil4(out.axis.size);
  if (turned < out.axis.size) {
    const body = {
      name: `rope_${style}_part`,
      slots: slots('f32'),
      uniforms: { ...uniforms, stride, tableStride: ceil4(turned), half },
      ...partOf(style),
    };
    return [mapColumns(body, out.rows, quads(out) * 4, profile)];
  }
  if (style === 'interleaved') {
    const body = {
      name: 'rope_interleaved',
      slots: slots('vec4f'),
      uniforms: { ...uniforms, stride: stride / 4 },
      ...INTERLEAVED,
    };
    return [mapColumns(body, out.rows, quads(out), profile)];
  }
  if (half % 4 === 0) {
    const body = {
      name: 'rope_half4',
      slots: slots('vec4f'),
      uniforms: { ...uniforms, stride: stride / 4, half: half / 4 },
      ...HALF_OF_FOURS,
    };
    return [mapColumns(body, out.rows, quads(out) / 2, profile)];
  }
  const body = {
    name: 'rope_half1',
    slots: slots('f32'),
    uniforms: { ...uniforms, stride, half },
    ...HALF_OF_ONES,
  };
  return [mapColumns(body, out.rows, quads(out) * 4, profile)];
};
