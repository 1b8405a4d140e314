/**
 * Softmax over the keys a query may see, alone or together with a prefix, and its gradient. The maximum and the sum of
 * exponentials come out of one pass: a thread that finds a larger number rescales what it has (online softmax, arXiv
 * 1805.02867), because on software devices a load costs more than an exponential.
 */
import { invariant } from '../../../grammar/invariant.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapRows, pickTeam } from '../frames.ts';
import { optional, slot } from '../text.ts';

/** Which of four columns are seen: those below `count`, and, with a window, not below `oldest`. */
const seenAt = (count: string, oldest: string | null) =>
  oldest === null ? `below(c, ${count})` : `below(c, ${count}) & !below(c, ${oldest})`;

/**
 * One pass over `count` numbers of a row of `array` that starts at `from`: updates `top` and `sum`.
 * @param oldest the first number that counts; null: all do
 */
export const scan = (array: string, from: string, count: string, oldest: string | null = null) => `
for (var c = ${oldest === null ? 'lane' : `${oldest} / 4u + lane`}; c < (${count} + 3u) / 4u; c += LANES) {
  let x = select(vec4f(-1e30), ${array}[${from} + c], ${seenAt(count, oldest)});
  let higher = max(top, largest(x));
  sum = sum * decayOne(top - higher) + total(decay(x - higher));
  top = higher;
}`;

/** After the passes: the row's maximum and the sum of its exponentials, from what the lanes found. */
export const JOIN = `
let peak = rowMax(top, l);
let whole = rowSum(sum * decayOne(top - peak), l);`;

const writeRow = (
  from: string,
  to: string,
  start: string,
  count: string,
  stride: string,
  oldest: string | null = null,
) => `
{
  let end = (${count} + 3u) / 4u;
  var c = lane;
  for (; c < end; c += LANES) {
    ${to}[${start} + c] = select(vec4f(), decay(${from}[${start} + c] - peak) * scale, ${seenAt(count, oldest)});
  }
  for (; c < select(0u, ${stride}, live); c += LANES) { ${to}[${start} + c] = vec4f(); }
}`;

export const emitSoftmax: Emitter<'softmax'> = (node, graph, profile) => {
  const { heads, queries, keys, prefix, window } = node.attrs;
  const [scores, positions, front] = node.inputs;
  const [p, q] = node.outputs;
  const input = tensorAt(graph, scores);
  const [causal, joint] = [typeof positions === 'number', typeof front === 'number'];
  const count = 'positions[r / u.perBatch * u.queries + r % u.queries] + 1u';
  const seen = causal ? `min(u.keys, ${window === undefined ? count : 'before'})` : 'u.keys';
  const writesPrefix = joint && typeof q === 'number';
  invariant(window === undefined || causal, 'a window without positions');
  const oldest = window === undefined ? null : 'oldest';
  const code = `
let live = row < u.rows;
let r = min(row, u.rows - 1u);
let start = r * u.stride;
${
  oldest === null
    ? ''
    : `let before = ${count};
let oldest = before - min(before, u.window);`
}
let seen = select(0u, ${seen}, live);
var top = -1e30;
var sum = 0.0;
${scan('scores', 'start', 'seen', oldest).trim()}
${joint ? `let frontStart = r * u.frontStride;\nlet frontSeen = select(0u, u.prefix, live);${scan('front', 'frontStart', 'frontSeen')}` : ''}
${JOIN.trim()}
let scale = 1.0 / whole;
${writeRow('scores', 'p', 'start', 'seen', 'u.stride', oldest).trim()}
${writesPrefix ? writeRow('front', 'q', 'frontStart', 'frontSeen', 'u.frontStride').trim() : ''}`;
  const slots = [
    slot('scores', 'vec4f', scores),
    ...optional('positions', 'u32', positions),
    ...optional('front', 'vec4f', front),
    slot('p', 'vec4f', p),
    ...(writesPrefix ? [slot('q', 'vec4f', q)] : []),
  ];
  const uniforms = {
    rows: input.rows,
    stride: quads(input),
    keys,
    prefix,
    frontStride: joint ? quads(tensorAt(graph, front)) : 0,
    queries,
    perBatch: heads * queries,
    ...(window === undefined ? {} : { window }),
  };
  const name = `softmax${causal ? '_causal' : ''}${oldest === null ? '' : '_window'}${joint ? '_joint' : ''}${joint && !writesPrefix ? '_words' : ''}`;
  return [
    mapRows(
      { name, slots, uniforms, code: compact(code) },
      input.rows,
      pickTeam(input.rows, quads(input), profile),
    ),
  ];
};

const dot = (d: string, p: string, start: string, count: string) => `
for (var c = lane; c < (${count} + 3u) / 4u; c += LANES) {
  part += select(vec4f(), ${d}[${start} + c] * ${p}[${start} + c], below(c, ${count}));
}`;

const writeGradient = (d: string, p: string, to: string, start: string, count: string, stride: string) => `
for (var c = lane; c < select(0u, ${stride}, live); c += LANES) {
  ${to}[${start} + c] = select(vec4f(), ${p}[${start} + c] * (${d}[${start} + c] - mean), below(c, ${count}));
}`;

export const emitSoftmaxGrad: Emitter<'softmaxGrad'> = (node, graph, profile) => {
  const { keys, prefix } = node.attrs;
  const [dp, p, dq, q] = node.inputs;
  const [ds, dsq] = node.outputs;
  const input = tensorAt(graph, p);
  const joint = typeof dq === 'number' && typeof q === 'number';
  const writesPrefix = joint && typeof dsq === 'number';
  const code = `
let live = row < u.rows;
let r = min(row, u.rows - 1u);
let start = r * u.stride;
let seen = select(0u, u.keys, live);
var part = vec4f();
${dot('dp', 'p', 'start', 'seen').trim()}
${joint ? `let frontStart = r * u.frontStride;\nlet frontSeen = select(0u, u.prefix, live);${dot('dq', 'q', 'frontStart', 'frontSeen')}` : ''}
let mean = rowSum(total(part), l);
${writeGradient('dp', 'p', 'ds', 'start', 'seen', 'u.stride').trim()}
${writesPrefix ? writeGradient('dq', 'q', 'dsq', 'frontStart', 'frontSeen', 'u.frontStride').trim() : ''}`;
  const slots = [
    slot('dp', 'vec4f', dp),
    slot('p', 'vec4f', p),
    ...(joint ? [slot('dq', 'vec4f', dq), slot('q', 'vec4f', q)] : []),
    slot('ds', 'vec4f', ds),
    ...(writesPrefix ? [slot('dsq', 'vec4f', dsq)] : []),
  ];
  const uniforms = {
    rows: input.rows,
    stride: quads(input),
    keys,
    prefix,
    frontStride: joint ? quads(tensorAt(graph, q)) : 0,
  };
  const name = `softmaxGrad${joint ? '_joint' : ''}${joint && !writesPrefix ? '_words' : ''}`;
  return [
    mapRows(
      { name, slots, uniforms, code: compact(code) },
      input.rows,
      pickTeam(input.rows, quads(input), profile),
    ),
  ];
};

/** Without the empty lines that absent options leave. */
const compact = (code: string) => code.replace(/\n\s*\n+/g, '\n');
