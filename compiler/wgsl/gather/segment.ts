/** A table added to every sequence, and stretches cut out of every sequence and put back among zeros. */
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns } from '../frames.ts';
import { slot } from '../text.ts';

export const emitAddTable: Emitter<'addTable'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const [x, table] = node.inputs;
  const body = {
    name: 'addTable',
    slots: [slot('x', 'vec4f', x), slot('table', 'vec4f', table), slot('y', 'vec4f', node.outputs[0])],
    uniforms: { period: node.attrs.rows },
    code: 'let i = row * u.columns + c;\ny[i] = x[i] + table[row % u.period * u.columns + c];',
  };
  return [mapColumns(body, out.rows, quads(out), profile)];
};

export const emitSegment: Emitter<'segment'> = (node, graph, profile) => {
  const { tokens, from, length } = node.attrs;
  const out = tensorAt(graph, node.outputs[0]);
  const body = {
    name: 'segment',
    slots: [slot('x', 'vec4f', node.inputs[0]), slot('y', 'vec4f', node.outputs[0])],
    // Row `row` of what is cut out follows `from` rows in its own sequence, and `skip` more for every one before.
    uniforms: { length, begin: from, skip: tokens - length },
    code: 'y[row * u.columns + c] = x[(row + u.begin + row / u.length * u.skip) * u.columns + c];',
  };
  return [mapColumns(body, out.rows, quads(out), profile)];
};

export const emitSegmentGrad: Emitter<'segmentGrad'> = (node, graph, profile) => {
  const { tokens, from, length } = node.attrs;
  const out = tensorAt(graph, node.outputs[0]);
  const code = `
let place = row % u.tokens;
var v = vec4f();
if (place >= u.begin && place < u.begin + u.length) {
  v = dy[(row / u.tokens * u.length + place - u.begin) * u.columns + c];
}
dx[row * u.columns + c] = v;`;
  const body = {
    name: 'segmentGrad',
    slots: [slot('dy', 'vec4f', node.inputs[0]), slot('dx', 'vec4f', node.outputs[0])],
    uniforms: { length, begin: from, tokens },
    code,
  };
  return [mapColumns(body, out.rows, quads(out), profile)];
};
