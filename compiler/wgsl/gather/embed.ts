/** Rows picked from a table, and the sum of their gradients back into it. */
import type { Emitter } from '../context.ts';
import { padded } from '../../model/model.ts';
import { formats, rowNumbers } from '../../storage/index.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns } from '../frames.ts';
import { slot } from '../text.ts';

export const emitEmbed: Emitter<'embed'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const [table, ids] = node.inputs;
  const { storage = 'f32', axis } = tensorAt(graph, table);
  const format = formats[storage];
  const slots = [
    slot('table', format.binding, table),
    slot('ids', 'u32', ids),
    slot('y', 'vec4f', node.outputs[0]),
  ];
  if (storage === 'f32') {
    const code = 'y[row * u.columns + c] = table[ids[row] * u.columns + c];';
    return [mapColumns({ name: 'embed', slots, code }, out.rows, quads(out), profile)];
  }
  const stored = {
    name: `embed_${storage}`,
    slots,
    uniforms: { stored: rowNumbers(format, padded(axis)) / 4 },
    functions: format.load4('table'),
    code: 'y[row * u.columns + c] = load4(ids[row] * u.stored + c);',
  };
  return [mapColumns(stored, out.rows, quads(out), profile)];
};

/** The rows that used an entry stand together in `order`: no atomics, and always the same order of additions. */
export const emitEmbedGrad: Emitter<'embedGrad'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const [dy, order, starts] = node.inputs;
  const slots = [
    slot('dy', 'vec4f', dy),
    slot('order', 'u32', order),
    slot('starts', 'u32', starts),
    slot('d', 'vec4f', node.outputs[0]),
  ];
  const code = `
var sum = vec4f();
let end = starts[row + 1u];
for (var j = starts[row]; j < end; j++) { sum += dy[order[j] * u.columns + c]; }
d[row * u.columns + c] = sum;`;
  return [mapColumns({ name: 'embedGrad', slots, code }, out.rows, quads(out), profile)];
};
