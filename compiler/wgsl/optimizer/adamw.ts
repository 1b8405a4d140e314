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
const addPartials = (count: number) => `
var part = vec4f();
let end = select(0u, ${PARTIALS / 4}u, row == 0u);
for (var c = lane; c < end; c += LANES) { part += ${Array.from({ length: count }, (_, i) => `p${i}[c]`).join(' + ')}; }
let sum = rowSum(total(part), l);
if (row == 0u && lane == 0u) {
  var squares = sum;
  if (u.first == 0u) { squares += norm[0].w; }
  var result = vec4f(0.0, 0.0, 0.0, squares);
  if (u.last == 1u) {
    let length = sqrt(squares);
    let bound = step[${STEP.clip}];
    let clip = select(1.0, min(1.0, bound / (length + 1e-6)), bound > 0.0);
    result = vec4f(length, clip, select(0.0, 1.0, isFinite(length)), 0.0);
  }
  norm[0] = result;
}`;

export const emitGradNorm: Emitter<'gradNorm'> = (node, _graph, profile) => {
  const partials = node.inputs.slice(0, -1).filter((id) => id !== null);
  const launches: Launch[] = [];
  for (let from = 0; from < partials.length; from += PARTIALS_A_LAUNCH) {
    const chunk = partials.slice(from, from + PARTIALS_A_LAUNCH);
    const slots = [
      ...chunk.map((id, i) => slot(`p${i}`, 'vec4f', id)),
      slot('step', 'f32', node.inputs.at(-1)),
      slot('norm', 'vec4f', node.outputs[0]),
    ];
    const last = from + PARTIALS_A_LAUNCH >= partials.length;
    const uniforms = { first: from === 0 ? 1 : 0, last: last ? 1 : 0 };
    const body = { name: `gradNorm_p${chunk.length}`, slots, uniforms, code: addPartials(chunk.length) };
    launches.push(mapRows(body, 1, pickTeam(1, PARTIALS / 4, profile)));
  }
  return launches;
};

/**
 * AdamW (arXiv 1711.05101, algorithm 2), decay decoupled and scaled by the learning rate as in torch. No sum in it: the
 * same inputs give the same bits on the same device. A thread on a software device takes a whole block, so that what
 * its numbers share is loaded once; on a GPU neighbouring threads take neighbouring numbers.
 */
export const emitAdamw: Emitter<'adamw'> = (node, graph, profile) => {
  const [p, g, m, v, blocks, norm, step] = node.inputs;
  const { cell, beta1, beta2, eps } = node.attrs;
  const input = tensorAt(graph, p);
  const quadsABlock = BLOCK / 4;
  const share = profile.device === 'software' ? quadsABlock : 1;
  const setup = `
let health = norm[0];
let lr = step[${STEP.lr}];
let bias1 = step[u.bias];
let bias2 = step[u.bias + 1u];`;
  const code = `
if (health.z != 1.0) { break; }
let block = blocks[i * ${share}u / ${quadsABlock}u];
let rate = lr * block.x;
for (var j = i * ${share}u; j < (i + 1u) * ${share}u; j++) {
  let d = g[j] * health.y;
  let m1 = u.beta1 * m[j] + u.rest1 * d;
  let v1 = u.beta2 * v[j] + u.rest2 * d * d;
  m[j] = m1;
  v[j] = v1;
  p[j] = p[j] * (1.0 - rate * block.y) - rate * bias1 * m1 / (sqrt(v1 * bias2) + u.eps);
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
  return [
    mapItems(
      { name: `adamw_${share}`, slots, uniforms, setup, code },
      (input.rows * quads(input)) / share,
      profile,
    ),
  ];
};

export const emitAccumulate: Emitter<'accumulate'> = (node, graph, profile) => {
  const [g, sum, step] = node.inputs;
  const input = tensorAt(graph, g);
  const slots = [slot('g', 'vec4f', g), slot('sum', 'vec4f', sum), slot('step', 'f32', step)];
  // Not sum * 0 on the first: what lies there may be NaN.
  const setup = `let fresh = step[${STEP.first}] == 1.0;`;
  const code = 'sum[i] = g[i] + select(sum[i], vec4f(), fresh);';
  return [mapItems({ name: 'accumulate', slots, setup, code }, input.rows * quads(input), profile)];
};
