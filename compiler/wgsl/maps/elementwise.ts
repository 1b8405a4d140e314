/** Maps of equal numbers to equal numbers: every thread takes some groups of four. */
import type { Graph, NodeOf } from '../../graph/graph.ts';
import type { Profile } from '../../package/package.ts';
import type { Emitter } from '../context.ts';
import { quads, tensorAt } from '../context.ts';
import { mapColumns, mapItems } from '../frames.ts';
import type { Launch } from '../kernel.ts';
import { optional, slot } from '../text.ts';

export const emitAdd: Emitter<'add'> = (node, graph, profile) => {
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  const out = tensorAt(graph, y);
  const slots = [slot('a', 'vec4f', a), slot('b', 'vec4f', b), slot('y', 'vec4f', y)];
  return [mapItems({ name: 'add', slots, code: 'y[i] = a[i] + b[i];' }, out.rows * quads(out), profile)];
};

export const emitMul: Emitter<'mul'> = (node, graph, profile) => {
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  const out = tensorAt(graph, y);
  const slots = [slot('a', 'vec4f', a), slot('b', 'vec4f', b), slot('y', 'vec4f', y)];
  return [mapItems({ name: 'mul', slots, code: 'y[i] = a[i] * b[i];' }, out.rows * quads(out), profile)];
};

/** Copies bits, whatever they stand for. */
export const emitCopy: Emitter<'copy'> = (node, graph, profile) => {
  const out = tensorAt(graph, node.outputs[0]);
  const slots = [slot('x', 'vec4u', node.inputs[0]), slot('y', 'vec4u', node.outputs[0])];
  return [mapItems({ name: 'copy', slots, code: 'y[i] = x[i];' }, out.rows * quads(out), profile)];
};

/** x + v or x * v, v a row. */
function combineRows(
  node: NodeOf<'addBias'> | NodeOf<'mulScale'>,
  sign: '+' | '*',
  graph: Graph,
  profile: Profile,
): Launch {
  const [x, v] = node.inputs;
  const [y] = node.outputs;
  const out = tensorAt(graph, y);
  const slots = [slot('x', 'vec4f', x), slot('v', 'vec4f', v), slot('y', 'vec4f', y)];
  const code = `let i = row * u.columns + c;\ny[i] = x[i] ${sign} vector;`;
  return mapColumns(
    { name: node.op, slots, setup: 'let vector = v[c];', code },
    out.rows,
    quads(out),
    profile,
  );
}

export const emitAddBias: Emitter<'addBias'> = (node, graph, profile) => [
  combineRows(node, '+', graph, profile),
];
export const emitMulScale: Emitter<'mulScale'> = (node, graph, profile) => [
  combineRows(node, '*', graph, profile),
];

export const emitSiluMul: Emitter<'siluMul'> = (node, graph, profile) => {
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  const out = tensorAt(graph, y);
  const slots = [slot('a', 'vec4f', a), slot('b', 'vec4f', b), slot('y', 'vec4f', y)];
  const code = 'let x = a[i];\ny[i] = x * sigmoid(x) * b[i];';
  return [mapItems({ name: 'siluMul', slots, code }, out.rows * quads(out), profile)];
};

/** d(silu(a) b): da = dy b s (1 + a (1 - s)), db = dy a s, with s = sigmoid(a). */
export const emitSiluMulGrad: Emitter<'siluMulGrad'> = (node, graph, profile) => {
  const [dy, a, b] = node.inputs;
  const [da, db] = node.outputs;
  const like = tensorAt(graph, a);
  const slots = [
    slot('dy', 'vec4f', dy),
    slot('a', 'vec4f', a),
    ...(da === null ? [] : [slot('b', 'vec4f', b)]),
    ...optional('da', 'vec4f', da),
    ...optional('db', 'vec4f', db),
  ];
  const code = [
    'let d = dy[i];\nlet x = a[i];\nlet s = sigmoid(x);',
    da === null ? '' : 'da[i] = d * b[i] * s * (1.0 + x * (1.0 - s));',
    db === null ? '' : 'db[i] = d * x * s;',
  ];
  const name = `siluMulGrad${da === null ? '' : '_da'}${db === null ? '' : '_db'}`;
  return [mapItems({ name, slots, code: code.filter(Boolean).join('\n') }, like.rows * quads(like), profile)];
};
