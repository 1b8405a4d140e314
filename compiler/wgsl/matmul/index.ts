/** Kernels for `matmul`: chooses a variant by device and shape, and cuts what is too large for one grid. */
import { invariant } from '../../../grammar/invariant.ts';
import type { Graph, Matmul, NodeOf } from '../../graph/graph.ts';
import type { Storage } from '../../model/model.ts';
import { tensorAt } from '../context.ts';
import type { Emit, Kernel, Launch } from '../kernel.ts';
import { chooseVariant, type Variant } from './choose.ts';
import { BINDING_COUNT, flagsOf, operandsOf, type Shader, uniformWords, withStoredRows } from './problem.ts';
import { registerShader } from './register.ts';
import { splitShader } from './split.ts';
import { subgroupShader } from './subgroup.ts';
import { tileShader } from './tile.ts';

/** Workgroups that fit one dimension of a grid on every device. */
const MOST_WORKGROUPS = 65535;

/** Shaders made so far. A deep model asks thousands of times for a dozen of them, and their text is long. */
const made = new Map<string, Shader>();

function shaderOf(mode: Matmul['mode'], variant: Variant, storage: Storage): Shader {
  const key = JSON.stringify([mode, variant, storage]);
  const shader = made.get(key) ?? makeShader(mode, variant, storage);
  made.set(key, shader);
  return shader;
}

function makeShader(mode: Matmul['mode'], variant: Variant, storage: Storage): Shader {
  switch (variant.strategy) {
    case 'subgroup':
      return subgroupShader(mode, variant, storage);
    case 'tile':
      return tileShader(mode, variant, storage);
    case 'split':
      return splitShader(mode, variant, storage);
    case 'register':
      return registerShader(mode, storage);
  }
}

/** Parts of a product whose rows or batches are more than a grid holds; usually the product itself. */
function cutToFit(p: Matmul, [rows, columns]: Shader['tile']): Matmul[] {
  invariant(p.n <= MOST_WORKGROUPS * columns, `a product of ${p.n} columns does not fit a grid`);
  invariant(p.inner <= MOST_WORKGROUPS, `a product of ${p.inner} inner batches does not fit a grid`);
  const mostRows = MOST_WORKGROUPS * rows;
  const mostOuter = Math.floor(MOST_WORKGROUPS / p.inner);
  const parts: Matmul[] = [];
  for (let outer = 0; outer < p.outer; outer += mostOuter)
    for (let m = 0; m < p.m; m += mostRows) {
      const a = p.a.offset + outer * p.a.outer + (p.mode === 'tn' ? m : m * p.a.row);
      const c = p.c.offset + outer * p.c.outer + m * p.c.row;
      parts.push({
        ...p,
        outer: Math.min(mostOuter, p.outer - outer),
        m: Math.min(mostRows, p.m - m),
        a: { ...p.a, offset: a },
        b: { ...p.b, offset: p.b.offset + outer * p.b.outer },
        c: { ...p.c, offset: c },
      });
    }
  return parts;
}

/** Launches of one product by a given variant. */
export function emitMatmulWith(node: NodeOf<'matmul'>, graph: Graph, variant: Variant): Launch[] {
  const b = tensorAt(graph, node.inputs[1]);
  const p = withStoredRows(node.attrs, b);
  invariant(p.mode === 'tn' || p.reps === 1, `a product ${p.mode} with repetitions`);
  const { name, code, features, tile } = shaderOf(p.mode, variant, b.storage ?? 'f32');
  const kernel: Kernel = { name, code, features, bindings: BINDING_COUNT };
  return cutToFit(p, tile).map((part) => ({
    kernel,
    operands: operandsOf(node),
    uniforms: uniformWords(part, flagsOf(node)),
    grid: [Math.ceil(part.n / tile[1]), Math.ceil(part.m / tile[0]), part.outer * part.inner],
  }));
}

export const emitMatmul: Emit = (node, graph, profile) => {
  invariant(node.op === 'matmul', `emitMatmul was given ${node.op}`);
  return emitMatmulWith(node, graph, chooseVariant(node.attrs, profile));
};
