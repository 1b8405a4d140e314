/** Cross-entropy with ignored labels, and its gradient, in one kernel. */
import { IGNORE, STEP } from '../../graph/graph.ts';
import { padded } from '../../model/model.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapRows, pickTeam } from '../frames.ts';
import { optional, slot } from '../text.ts';
import { JOIN, scan } from './softmax.ts';

/** softmax - onehot, scaled; an ignored row is all zero. */
const GRADIENT = `
let scale = lossScale / whole;
for (var c = lane; c < select(0u, u.stride, live); c += LANES) {
  var d = vec4f();
  if (c < (seen + 3u) / 4u) {
    let hot = vec4u(0u, 1u, 2u, 3u) + 4u * c == vec4u(label);
    d = decay(logits[start + c] - peak) * scale - select(vec4f(), vec4f(lossScale), hot);
    d = select(vec4f(), d, below(c, seen));
  }
  dLogits[start + c] = d;
}`;

export const emitCrossEntropy: Emitter<'crossEntropy'> = (node, graph, profile) => {
  const [logits, labels, step] = node.inputs;
  const [rowLoss, dLogits] = node.outputs;
  const input = tensorAt(graph, logits);
  const code = `
let live = row < u.rows;
let r = min(row, u.rows - 1u);
let start = r * u.stride;
let label = labels[r];
let counts = live && label != ${IGNORE}u;
let seen = select(0u, u.vocab, counts);
let lossScale = step[${STEP.lossScale}];
var top = -1e30;
var sum = 0.0;
${scan('logits', 'start', 'seen').trim()}
${JOIN.trim()}
if (lane == 0u && row < u.losses) {
  var loss = 0.0;
  if (counts) { loss = lossScale * (peak + log(whole) - logits[start + label / 4u][label % 4u]); }
  rowLoss[row] = loss;
}
${typeof dLogits === 'number' ? GRADIENT.trim() : ''}`;
  const slots = [
    slot('logits', 'vec4f', logits),
    slot('labels', 'u32', labels),
    slot('step', 'f32', step),
    slot('rowLoss', 'f32', rowLoss),
    ...optional('dLogits', 'vec4f', dLogits),
  ];
  // The padding of `rowLoss` is rows past the end, which come out zero.
  const losses = padded(tensorAt(graph, rowLoss).axis);
  const uniforms = { rows: input.rows, stride: quads(input), vocab: node.attrs.vocab, losses };
  const name = `crossEntropy${typeof dLogits === 'number' ? '_gradient' : ''}`;
  return [mapRows({ name, slots, uniforms, code }, losses, pickTeam(losses, quads(input), profile))];
};
