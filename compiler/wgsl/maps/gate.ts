/** The gate of zero-initialised attention: its factor is a column's, so each thread works it out once. */
import type { Gate } from '../../graph/graph.ts';
import { ceil4, padded } from '../../model/model.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns, mapRows, pickTeam } from '../frames.ts';
import { float, optional, slot } from '../text.ts';

/** `factor` for a column of four numbers, from the gate or from the constant. */
const factorOf = (gate: number | null | undefined, attrs: Gate) => {
  const value =
    gate === null || gate === undefined
      ? 'u.constant'
      : attrs.function === 'tanh'
        ? 'boundedTanh(gate[c / u.size])'
        : 'gate[c / u.size]';
  return { setup: `let factor = ${value};`, suffix: value === 'u.constant' ? 'constant' : attrs.function };
};

/** Uniforms of the factor: columns from which on the next gate holds (all of them for one gate a layer). */
const uniformsOf = (attrs: Gate, size: number, columns: number) => ({
  size: attrs.per === 'head' ? ceil4(size) / 4 : columns,
  constant: float(attrs.constant),
});

export const emitGateAdd: Emitter<'gateAdd'> = (node, graph, profile) => {
  const [x, y, gate] = node.inputs;
  const out = tensorAt(graph, node.outputs[0]);
  const { setup, suffix } = factorOf(gate, node.attrs);
  const slots = [
    slot('x', 'vec4f', x),
    slot('y', 'vec4f', y),
    ...optional('gate', 'f32', gate),
    slot('z', 'vec4f', node.outputs[0]),
  ];
  const code = 'let i = row * u.columns + c;\nz[i] = x[i] + factor * y[i];';
  const uniforms = uniformsOf(node.attrs, out.axis.size, quads(out));
  return [
    mapColumns({ name: `gateAdd_${suffix}`, slots, uniforms, setup, code }, out.rows, quads(out), profile),
  ];
};

export const emitGateMul: Emitter<'gateMul'> = (node, graph, profile) => {
  const [dz, gate] = node.inputs;
  const out = tensorAt(graph, node.outputs[0]);
  const { setup, suffix } = factorOf(gate, node.attrs);
  const slots = [
    slot('dz', 'vec4f', dz),
    ...optional('gate', 'f32', gate),
    slot('dy', 'vec4f', node.outputs[0]),
  ];
  const code = 'let i = row * u.columns + c;\ndy[i] = factor * dz[i];';
  const uniforms = uniformsOf(node.attrs, out.axis.size, quads(out));
  return [
    mapColumns({ name: `gateMul_${suffix}`, slots, uniforms, setup, code }, out.rows, quads(out), profile),
  ];
};

/** A row here is one gate: the sum of its columns times the slope of its function. Rows past the last gate are padding. */
export const emitGateGrad: Emitter<'gateGrad'> = (node, graph, profile) => {
  const [sums, gate] = node.inputs;
  const input = tensorAt(graph, sums);
  const gates = node.attrs.per === 'head' ? input.axis.groups : 1;
  const size = quads(input) / gates;
  const slots = [slot('sums', 'vec4f', sums), slot('gate', 'f32', gate), slot('d', 'f32', node.outputs[0])];
  const slope =
    node.attrs.function === 'tanh'
      ? 'let t = boundedTanh(gate[row]);\nlet slope = (1.0 - t) * (1.0 + t);'
      : 'let slope = 1.0;';
  const code = `
var part = vec4f();
let end = select(0u, u.size, row < u.gates);
for (var c = lane; c < end; c += LANES) { part += sums[row * u.size + c]; }
let sum = rowSum(total(part), l);
if (lane == 0u && row < u.rows) {
  if (row < u.gates) {
${slope.replace(/^/gm, '    ')}
    d[row] = slope * sum;
  } else {
    d[row] = 0.0;
  }
}`;
  const rows = padded(tensorAt(graph, node.outputs[0]).axis);
  const name = `gateGrad_${node.attrs.function}`;
  return [
    mapRows({ name, slots, uniforms: { rows, gates, size }, code }, rows, pickTeam(rows, size, profile)),
  ];
};
