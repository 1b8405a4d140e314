/** Soft caps, four numbers at a time. */
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapItems } from '../frames.ts';
import { float, slot } from '../text.ts';

export const emitSoftCap: Emitter<'softCap'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const { cap } = node.attrs;
  const body = {
    name: 'softCap',
    slots: [slot('x', 'vec4f', node.inputs[0]), slot('y', 'vec4f', node.outputs[0])],
    uniforms: { cap: float(cap), inverse: float(1 / cap) },
    code: `
let v = x[i] * u.inverse;
y[i] = u.cap * vec4f(boundedTanh(v.x), boundedTanh(v.y), boundedTanh(v.z), boundedTanh(v.w));`,
  };
  return [mapItems(body, out.rows * quads(out), profile)];
};

/** (1 - t)(1 + t) and not 1 - t^2, which loses digits where t is near 1. */
export const emitSoftCapGrad: Emitter<'softCapGrad'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const [dy, y] = node.inputs;
  const body = {
    name: 'softCapGrad',
    slots: [slot('dy', 'vec4f', dy), slot('y', 'vec4f', y), slot('dx', 'vec4f', node.outputs[0])],
    uniforms: { inverse: float(1 / node.attrs.cap) },
    code: 'let t = y[i] * u.inverse;\ndx[i] = dy[i] * (1.0 - t) * (1.0 + t);',
  };
  return [mapItems(body, out.rows * quads(out), profile)];
};
