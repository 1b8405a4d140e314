/** Rows several times over, and the sums that are the gradient of that. */
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns } from '../frames.ts';
import { slot } from '../text.ts';

export const emitRepeat: Emitter<'repeat'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const body = {
    name: 'repeat',
    slots: [slot('x', 'vec4f', node.inputs[0]), slot('y', 'vec4f', node.outputs[0])],
    uniforms: { times: node.attrs.times },
    code: 'y[row * u.columns + c] = x[row / u.times * u.columns + c];',
  };
  return [mapColumns(body, out.rows, quads(out), profile)];
};

export const emitRepeatGrad: Emitter<'repeatGrad'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const code = `
var sum = vec4f();
for (var i = 0u; i < u.times; i++) { sum += dy[(row * u.times + i) * u.columns + c]; }
dx[row * u.columns + c] = sum;`;
  const body = {
    name: 'repeatGrad',
    slots: [slot('dy', 'vec4f', node.inputs[0]), slot('dx', 'vec4f', node.outputs[0])],
    uniforms: { times: node.attrs.times },
    code,
  };
  return [mapColumns(body, out.rows, quads(out), profile)];
};
