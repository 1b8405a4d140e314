/** jax-js: everything under `jit`, as its users are told to. */
import {
  causalMask,
  LEARNING_RATE,
  NORM_EPS,
  trainedOf,
  type Numbers,
  type Operation,
  type Values,
} from './ops.ts';
import { loadPeer, offerGpu } from './peer.ts';
import { type Prepared, preparedStep, type Side } from './side.ts';
import type { Block } from './graphs.ts';

/** What we use of an array: each use consumes it, and `ref` keeps it for another. */
interface JaxArray {
  readonly ref: JaxArray;
  add(x: JaxArray | number): JaxArray;
  sub(x: JaxArray): JaxArray;
  mul(x: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type Tree = Readonly<Record<string, JaxArray>>;

interface Jax {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): unknown;
  blockUntilReady(arrays: readonly JaxArray[]): Promise<unknown>;
  jit<F>(f: F): F;
  valueAndGrad(f: (trained: Tree) => JaxArray): (trained: Tree) => [JaxArray, Tree];
  readonly nn: { softmax(x: JaxArray, axis: number): JaxArray; silu(x: JaxArray): JaxArray };
  readonly numpy: {
    array(x: Float32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    mean(x: JaxArray, axis?: number, options?: { readonly keepdims: boolean }): JaxArray;
    square(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    reciprocal(x: JaxArray): JaxArray;
    transpose(x: JaxArray, axes: readonly number[]): JaxArray;
  };
}

export async function openJax(folder: string): Promise<Side> {
  await offerGpu();
  const jax = loadPeer(folder, '@jax-js/jax') as Jax;
  await jax.init('webgpu');
  jax.defaultDevice('webgpu');
  return {
    prepare: (op, values) =>
      Promise.resolve(op.kind === 'block' ? prepareStep(jax, op, values) : prepareOutput(jax, op, values)),
  };
}

const arrayOf = (jax: Jax, { shape, data }: Values): JaxArray => jax.numpy.array(data).reshape(shape);
const arraysOf = (jax: Jax, numbers: Numbers): Record<string, JaxArray> =>
  Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, arrayOf(jax, values)]));

function named(tree: Tree, name: string): JaxArray {
  const array = tree[name];
  if (!array) throw new Error(`no array ${name}`);
  return array;
}

function rmsnorm({ numpy }: Jax, x: JaxArray, g: JaxArray): JaxArray {
  const meanSquare = numpy.mean(numpy.square(x.ref), -1, { keepdims: true });
  return x.mul(numpy.reciprocal(numpy.sqrt(meanSquare.add(NORM_EPS)))).mul(g);
}

function compute(jax: Jax, op: Exclude<Operation, Block>, arrays: Tree): () => JaxArray {
  const { numpy, nn, jit } = jax;
  const at = (name: string) => named(arrays, name);
  switch (op.kind) {
    case 'matmul': {
      const f = jit((a: JaxArray, b: JaxArray) => numpy.matmul(a, b));
      return () => f(at('a').ref, at('b').ref);
    }
    case 'softmax': {
      const f = jit((x: JaxArray) => nn.softmax(x, -1));
      return () => f(at('x').ref);
    }
    case 'rmsnorm': {
      const f = jit((x: JaxArray, g: JaxArray) => rmsnorm(jax, x, g));
      return () => f(at('x').ref, at('g').ref);
    }
  }
}

function prepareOutput(jax: Jax, op: Exclude<Operation, Block>, values: Numbers): Prepared {
  const arrays = arraysOf(jax, values);
  const call = compute(jax, op, arrays);
  return {
    async run(n) {
      // Arrays are lazy, and one that is disposed before it is dispatched never runs: keep all until all are done.
      const outputs = Array.from({ length: n }, call);
      await jax.blockUntilReady(outputs);
      for (const output of outputs) output.dispose();
    },
    result: () => call().data(),
    close: () => Object.values(arrays).forEach((array) => array.dispose()),
  };
}

const refs = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).map(([name, array]) => [name, array.ref]));

function prepareStep(jax: Jax, op: Block, values: Numbers): Prepared {
  const { x, y, ...parameters } = arraysOf(jax, values);
  const inputs: Tree = { x: x as JaxArray, y: y as JaxArray, mask: arrayOf(jax, causalMask(op.tokens)) };
  const names = new Set(trainedOf(op));
  const pick = (trained: boolean): Tree =>
    Object.fromEntries(Object.entries(parameters).filter(([name]) => names.has(name) === trained));
  let state = pick(true);
  const frozen = pick(false);
  const step = jax.jit((trained: Tree, rest: Tree): [JaxArray, Tree] => {
    const [loss, gradients] = jax.valueAndGrad((p) => lossOf(jax, op, { ...p, ...rest }))(refs(trained));
    const moved = Object.entries(trained).map(
      ([name, p]) => [name, p.sub(named(gradients, name).mul(LEARNING_RATE))] as const,
    );
    return [loss, Object.fromEntries(moved)];
  });
  const advance = async (n: number): Promise<number> => {
    let last: JaxArray | null = null;
    for (let i = 0; i < n; i++) {
      last?.dispose();
      [last, state] = step(state, { ...refs(frozen), ...refs(inputs) });
    }
    return (await last?.data())?.[0] ?? NaN;
  };
  return preparedStep(advance, () =>
    Object.values({ ...state, ...frozen, ...inputs }).forEach((array) => array.dispose()),
  );
}

/** Mean squared error of the block; every use of a parameter takes a reference. */
function lossOf(jax: Jax, op: Block, p: Tree): JaxArray {
  const { numpy, nn } = jax;
  const { tokens, dim, heads } = op;
  const at = (name: string) => named(p, name).ref;
  const biased = op.trains === 'peft';
  const linear = (x: JaxArray, name: string): JaxArray => {
    const y = numpy.matmul(x, at(name));
    return biased ? y.add(at(`b_${name}`)).mul(at(`s_${name}`)) : y;
  };
  const split = (x: JaxArray) => numpy.transpose(x.reshape([tokens, heads, dim / heads]), [1, 0, 2]);
  const n1 = rmsnorm(jax, at('x'), at('g1'));
  const [q, k, v] = [split(linear(n1.ref, 'wq')), split(linear(n1.ref, 'wk')), split(linear(n1, 'wv'))];
  const scores = numpy.matmul(q, numpy.transpose(k, [0, 2, 1])).mul(1 / Math.sqrt(dim / heads));
  const attended = numpy.matmul(nn.softmax(scores.add(at('mask')), -1), v);
  const h = at('x').add(linear(numpy.transpose(attended, [1, 0, 2]).reshape([tokens, dim]), 'wo'));
  const n2 = rmsnorm(jax, h.ref, at('g2'));
  const u = linear(n2.ref, 'w1');
  const f = linear(nn.silu(u).mul(linear(n2, 'w3')), 'w2');
  return numpy.mean(numpy.square(h.add(f).sub(at('y'))));
}
