/** The optimizer: the gradient norm that guards a step, AdamW, and the accumulation of micro-batches. */
import { BLOCK, PARTIALS, STEP } from '../../graph/graph.ts';
import type { Launch } from '../kernel.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapItems, mapRows, pickTeam } from '../frames.ts';
import { float, slot } from '../text.ts';

/** Partials one launch takes: with the step and the norm that makes eight bindings. */
const PARTIALS_A_LAUNCH = 6;

/**
 * With more partials than bindings, launches follow each other and hand their sum on in the fourth number of the norm.
 * The flag is taken from the bits: a comparison of NaN with itself is folded away by some drivers.
 */
export const emitGradNorm: Emitter<'gradNorm'> = (node, _graph, profile) => {
  const partials = node.inputs.slice(0, -1).filter((id) => id !== null);
  const step = node.inputs.at(-1);
  const chunks: number[][] = [];
  for (let i = 0; i < partials.length; i += PARTIALS_A_LAUNCH) chunks.push(partials.slice(i, i + PARTIALS_A_LAUNCH));
  return chunks.map((chunk, index) => gradNorm(chunk, step, node.outputs[0], index === 0, index === chunks.length - 1));

  function gradNorm(chunk: number[], stepId: number | null | undefined, out: number | null | undefined, first: boolean, last: boolean): Launch {
    const code = `
var part = vec4f();
let end = select(0u, ${PARTIALS / 4}u, row == 0u);
for (var c = lane; c < end; c += LANES) { part += ${chunk.map((_, i) => `p${i}[c]`).join(' + ')}; }
let sum = rowSum(total(part), l);
if (row == 0u && lane == 0u) {
  var squares = sum;
  if (u.first == 0u) { squares += norm[0].w; }
  if (u.last == 0u) {
    norm[0] = vec4f(0.0, 0.0, 0.0, squares);
  } else {
    let length = sqrt(squares);
    let bound = step[${STEP.clip}];
    var clip = 1.0;
    if (bound > 0.0) { clip = min(1.0, bound / (length + 1e-6)); }
    norm[0] = vec4f(length, clip, select(0.0, 1.0, isFinite(length)), 0.0);
  }
}`;
    const slots = [...chunk.map((id, i) => slot(`p${i}`, 'vec4f', id)), slot('step', 'f32', stepId), slot('norm', 'vec4f', out)];
    const uniforms = { first: first ? 1 : 0, last: last ? 1 : 0 };
    return mapRows({ name: `gradNorm_p${chunk.length}`, slots, uniforms, code }, 1, pickTeam(1, PARTIALS / 4, profile));
  }
};

/**
 * AdamW (arXiv 1711.05101, algorithm 2), decay decoupled and scaled by the learning rate as in torch. No sum in it: the
 * same inputs give the same bits on the same device.
 */
export const emitAdamw: Emitter<'adamw'> = (node, graph, profile) => {
  const [p, g, m, v, blocks, norm, step] = node.inputs;
  const { cell, beta1, beta2, eps } = node.attrs;
  const input = tensorAt(graph, p);
  const code = `
let health = norm[0];
if (health.z == 1.0) {
  let block = blocks[i / ${BLOCK / 4}u];
  let lr = step[${STEP.lr}] * block.x;
  let d = g[i] * health.y;
  let m1 = u.beta1 * m[i] + u.rest1 * d;
  let v1 = u.beta2 * v[i] + u.rest2 * d * d;
  m[i] = m1;
  v[i] = v1;
  p[i] = p[i] * (1.0 - lr * block.y) - lr * step[u.bias] * m1 / (sqrt(v1 * step[u.bias + 1u]) + u.eps);
}`;
  const slots = [
    slot('p', 'vec4f', p),
    slot('g', 'vec4f', g),
    slot('m', 'vec4f', m),
    slot('v', 'vec4f', v),
    slot('blocks', 'vec2f', blocks),
    slot('norm', 'vec4f', norm),
    slot('step', 'f32', step),
  ];
  const uniforms = {
    bias: STEP.cells + 2 * cell,
    beta1: float(beta1),
    rest1: float(1 - beta1),
    beta2: float(beta2),
    rest2: float(1 - beta2),
    eps: float(eps),
  };
  return [mapItems({ name: 'adamw', slots, uniforms, code }, input.rows * quads(input), profile)];
};

export const emitAccumulate: Emitter<'accumulate'> = (node, graph, profile) => {
  const [g, sum, step] = node.inputs;
  const input = tensorAt(graph, g);
  const slots = [slot('g', 'vec4f', g), slot('sum', 'vec4f', sum), slot('step', 'f32', step)];
  // Not sum * 0 on the first: what lies there may be NaN.
  const code = `if (step[${STEP.first}] == 1.0) { sum[i] = g[i]; } else { sum[i] = g[i] + sum[i]; }`;
  return [mapItems({ name: 'accumulate', slots, code }, input.rows * quads(input), profile)];
};
