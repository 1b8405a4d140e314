/** Sums of whole tensors: down the columns, or along one row. */
import { PARTIALS } from '../../graph/graph.ts';
import { logical } from '../../model/model.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { type Team, mapRows, pickTeam } from '../frames.ts';
import type { Profile } from '../../package/package.ts';
import { optional, slot } from '../text.ts';

/** Columns of four numbers, for each lane of a subgroup, that keep the cores of a software device busy. */
const BUSY = 8;

/**
 * Here a team's `row` is a column of four numbers, and its lanes share the rows. A column to a thread needs no
 * reduction; only where columns are too few for that, a software device gives each of them a subgroup.
 */
export function columnTeam(columns: number, rows: number, profile: Profile): Team {
  const { device, subgroup } = profile;
  if (device === 'gpu') return { kind: 'workgroup', lanes: 64, rows: 4, across: true };
  if (subgroup === null || columns >= BUSY * subgroup)
    return { kind: 'thread', lanes: 1, rows: 8, across: false };
  return pickTeam(columns, rows, profile);
}

export const emitColumnSum: Emitter<'columnSum'> = (node, graph, profile) => {
  const [a, b, rowScale] = node.inputs;
  const input = tensorAt(graph, a);
  const [times, scaled] = [typeof b === 'number', typeof rowScale === 'number'];
  const code = `
let live = row < u.columns;
let column = min(row, u.columns - 1u);
var part = vec4f();
for (var r = lane; r < select(0u, u.rows, live); r += LANES) {
  let i = r * u.columns + column;
  part += a[i]${times ? ' * b[i]' : ''}${scaled ? ' * rowScale[r]' : ''};
}
let sum = rowSum4(part, l);
if (lane == 0u && live) { y[column] = sum; }`;
  const slots = [
    slot('a', 'vec4f', a),
    ...optional('b', 'vec4f', b),
    ...optional('rowScale', 'f32', rowScale),
    slot('y', 'vec4f', node.outputs[0]),
  ];
  const columns = quads(input);
  const name = `columnSum${times ? '_times' : ''}${scaled ? '_scaled' : ''}`;
  const body = { name, slots, uniforms: { rows: input.rows, columns }, code };
  return [mapRows(body, columns, columnTeam(columns, input.rows, profile))];
};

export const emitSum: Emitter<'sum'> = (node, graph, profile) => {
  const input = tensorAt(graph, node.inputs[0]);
  const code = `
var part = vec4f();
let end = select(0u, (u.count + 3u) / 4u, row == 0u);
for (var c = lane; c < end; c += LANES) { part += select(vec4f(), x[c], below(c, u.count)); }
let sum = rowSum(total(part), l);
if (row == 0u && lane == 0u) { y[0] = vec4f(sum, 0.0, 0.0, 0.0); }`;
  const slots = [slot('x', 'vec4f', node.inputs[0]), slot('y', 'vec4f', node.outputs[0])];
  return [
    mapRows(
      { name: 'sum', slots, uniforms: { count: logical(input.axis) }, code },
      1,
      pickTeam(1, quads(input), profile),
    ),
  ];
};

/** Partial i takes every PARTIALS-th stretch of LANES groups of four. */
export const emitSumSquares: Emitter<'sumSquares'> = (node, graph, profile) => {
  const input = tensorAt(graph, node.inputs[0]);
  const code = `
var part = vec4f();
for (var c = row * LANES + lane; c < u.count; c += ${PARTIALS}u * LANES) {
  let v = x[c];
  part += v * v;
}
let sum = rowSum(total(part), l);
if (lane == 0u) { y[row] = sum; }`;
  const slots = [slot('x', 'vec4f', node.inputs[0]), slot('y', 'f32', node.outputs[0])];
  const team = pickTeam(PARTIALS, Math.ceil(quads(input) / PARTIALS), profile);
  return [
    mapRows(
      { name: 'sumSquares', slots, uniforms: { count: input.rows * quads(input) }, code },
      PARTIALS,
      team,
    ),
  ];
};
