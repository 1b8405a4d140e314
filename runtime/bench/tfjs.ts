/** tfjs with its WebGPU backend: eager, as its users write it. */
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

interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(x: TfTensor): TfTensor;
  tidy<T>(f: () => T): T;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  softmax(x: TfTensor): TfTensor;
  square(x: TfTensor): TfTensor;
  rsqrt(x: TfTensor): TfTensor;
  sigmoid(x: TfTensor): TfTensor;
  mean(x: TfTensor, axis?: number, keepDims?: boolean): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, order: readonly number[]): TfTensor;
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
  readonly train: {
    sgd(rate: number): {
      minimize(f: () => TfTensor, returnCost: true, variables: readonly TfTensor[]): TfTensor;
    };
  };
}
type Tree = Readonly<Record<string, TfTensor>>;

export async function openTfjs(folder: string): Promise<Side> {
  await offerGpu();
  const tf = loadPeer(folder, '@tensorflow/tfjs') as Tf;
  loadPeer(folder, '@tensorflow/tfjs-backend-webgpu');
  await tf.setBackend('webgpu');
  await tf.ready();
  if (tf.getBackend() !== 'webgpu') throw new Error(`tfjs chose the backend ${tf.getBackend()}`);
  return {
    prepare: (op, values) =>
      Promise.resolve(op.kind === 'block' ? prepareStep(tf, op, values) : prepareOutput(tf, op, values)),
  };
}

const tensorOf = (tf: Tf, { shape, data }: Values): TfTensor => tf.tensor(data, shape);
const tensorsOf = (tf: Tf, numbers: Numbers): Record<string, TfTensor> =>
  Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, tensorOf(tf, values)]));

function named(tree: Tree, name: string): TfTensor {
  const tensor = tree[name];
  if (!tensor) throw new Error(`no tensor ${name}`);
  return tensor;
}

function rmsnorm(tf: Tf, x: TfTensor, g: TfTensor): TfTensor {
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), NORM_EPS))), g);
}

function compute(tf: Tf, op: Exclude<Operation, Block>, tensors: Tree): () => TfTensor {
  const at = (name: string) => named(tensors, name);
  switch (op.kind) {
    case 'matmul':
      return () => tf.matMul(at('a'), at('b'));
    case 'softmax':
      return () => tf.softmax(at('x'));
    case 'rmsnorm':
      return () => tf.tidy(() => rmsnorm(tf, at('x'), at('g')));
  }
}

function prepareOutput(tf: Tf, op: Exclude<Operation, Block>, values: Numbers): Prepared {
  const tensors = tensorsOf(tf, values);
  const call = compute(tf, op, tensors);
  return {
    async run(n) {
      let last = call();
      for (let i = 1; i < n; i++) {
        last.dispose();
        last = call();
      }
      // Reading is the only way to wait; one number of the last result is the least to read.
      const flat = tf.reshape(last, [-1]);
      const one = tf.slice(flat, [0], [1]);
      await one.data();
      for (const tensor of [one, flat, last]) tensor.dispose();
    },
    result: () => call().data(),
    close: () => Object.values(tensors).forEach((tensor) => tensor.dispose()),
  };
}

function prepareStep(tf: Tf, op: Block, values: Numbers): Prepared {
  const { x, y, ...rest } = tensorsOf(tf, values);
  const parameters: Tree = Object.fromEntries(
    Object.entries(rest).map(([name, tensor]) => [name, tf.variable(tensor)]),
  );
  const tensors: Tree = {
    ...parameters,
    x: x as TfTensor,
    y: y as TfTensor,
    mask: tensorOf(tf, causalMask(op.tokens)),
  };
  const variables = trainedOf(op).map((name) => named(parameters, name));
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const advance = async (n: number): Promise<number> => {
    let last: TfTensor | null = null;
    for (let i = 0; i < n; i++) {
      last?.dispose();
      last = optimizer.minimize(() => lossOf(tf, op, tensors), true, variables);
    }
    const loss = (await last?.data())?.[0] ?? NaN;
    last?.dispose();
    return loss;
  };
  return preparedStep(advance, () => Object.values(tensors).forEach((tensor) => tensor.dispose()));
}

/** Mean squared error of the block. */
function lossOf(tf: Tf, op: Block, p: Tree): TfTensor {
  const { tokens, dim, heads } = op;
  const at = (name: string) => named(p, name);
  const linear = (x: TfTensor, name: string): TfTensor => {
    const y = tf.matMul(x, at(name));
    return op.trains === 'peft' ? tf.mul(tf.add(y, at(`b_${name}`)), at(`s_${name}`)) : y;
  };
  const split = (x: TfTensor) => tf.transpose(tf.reshape(x, [tokens, heads, dim / heads]), [1, 0, 2]);
  const n1 = rmsnorm(tf, at('x'), at('g1'));
  const [q, k, v] = [split(linear(n1, 'wq')), split(linear(n1, 'wk')), split(linear(n1, 'wv'))];
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(dim / heads));
  const attended = tf.matMul(tf.softmax(tf.add(scores, at('mask'))), v);
  const h = tf.add(at('x'), linear(tf.reshape(tf.transpose(attended, [1, 0, 2]), [tokens, dim]), 'wo'));
  const n2 = rmsnorm(tf, h, at('g2'));
  const u = linear(n2, 'w1');
  const f = linear(tf.mul(tf.mul(u, tf.sigmoid(u)), linear(n2, 'w3')), 'w2');
  return tf.mean(tf.square(tf.sub(tf.add(h, f), at('y'))));
}
