/** Vectors put in front of every sequence, their gradients, and rows written to the key-value cache. */
import type { Launch } from '../kernel.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns } from '../frames.ts';
import { slot } from '../text.ts';

export const emitPrepend: Emitter<'prepend'> = (node, graph, profile) => {
  const { length, tokens } = node.attrs;
  const out = tensorAt(graph, node.outputs[0]);
  const [prefix, words] = node.inputs;
  const slots = [
    slot('prefix', 'vec4f', prefix),
    slot('words', 'vec4f', words),
    slot('y', 'vec4f', node.outputs[0]),
  ];
  const code = `
let sequence = row / u.whole;
let place = row % u.whole;
var v = vec4f();
if (place < u.length) {
  v = prefix[place * u.columns + c];
} else {
  v = words[(row - (sequence + 1u) * u.length) * u.columns + c];
}
y[row * u.columns + c] = v;`;
  const uniforms = { length, whole: length + tokens };
  return [mapColumns({ name: 'prepend', slots, uniforms, code }, out.rows, quads(out), profile)];
};

export const emitPrependGrad: Emitter<'prependGrad'> = (node, graph, profile) => {
  const { batch, length, tokens } = node.attrs;
  const [d] = node.inputs;
  const [prefix, words] = node.outputs;
  const columns = quads(tensorAt(graph, d));
  const uniforms = { length, whole: length + tokens, batch, tokens };
  const launches: Launch[] = [];
  if (typeof prefix === 'number') {
    const slots = [slot('d', 'vec4f', d), slot('prefix', 'vec4f', prefix)];
    const code = `
var sum = vec4f();
for (var b = 0u; b < u.batch; b++) { sum += d[(b * u.whole + row) * u.columns + c]; }
prefix[row * u.columns + c] = sum;`;
    launches.push(
      mapColumns({ name: 'prependGrad_prefix', slots, uniforms, code }, length, columns, profile),
    );
  }
  if (typeof words === 'number') {
    const slots = [slot('d', 'vec4f', d), slot('words', 'vec4f', words)];
    const code = 'words[row * u.columns + c] = d[(row + (row / u.tokens + 1u) * u.length) * u.columns + c];';
    launches.push(
      mapColumns({ name: 'prependGrad_words', slots, uniforms, code }, batch * tokens, columns, profile),
    );
  }
  return launches;
};

export const emitCacheWrite: Emitter<'cacheWrite'> = (node, graph, profile) => {
  const { batch, tokens, context } = node.attrs;
  const [x, positions] = node.inputs;
  const slots = [
    slot('x', 'vec4f', x),
    slot('positions', 'u32', positions),
    slot('cache', 'vec4f', node.outputs[0]),
  ];
  const code = `
let to = row / u.tokens * u.context + positions[row];
cache[to * u.columns + c] = x[row * u.columns + c];`;
  const uniforms = { tokens, context };
  return [
    mapColumns(
      { name: 'cacheWrite', slots, uniforms, code },
      batch * tokens,
      quads(tensorAt(graph, x)),
      profile,
    ),
  ];
};
