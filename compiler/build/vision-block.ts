/**
 * Pre-norm transformer blocks without a causal mask: what image encoders and learned-query projectors are made of.
 *
 * x += o(MHA(norm1 x)); x += fc2(f(fc1(norm2 x))). CLIP's blocks (openai/CLIP clip/model.py, ResidualAttentionBlock)
 * and timm's (vision_transformer.py, Block) differ in the activation and in names only.
 */
import { axis, type Axis, ceil4, type Init, logical, padded, type Parameter } from '../model/model.ts';
import { type Builder, view } from '../graph/builder.ts';
import type { Ops, Tensor } from '../graph/graph.ts';

export interface BlockShape {
  readonly width: number;
  readonly heads: number;
  /** Width of the hidden layer of the MLP. */
  readonly hidden: number;
  readonly activation: Ops['activate']['function'];
  readonly eps: number;
}

/** A parameter of a network beside the base. */
export interface NetworkShape {
  readonly name: string;
  readonly axes: readonly Axis[];
  /** How it starts, where that is not the start of a linear's weight or bias. */
  readonly start?: Init;
}

/** How the gains of a norm start. */
export const ONES: Init = { kind: 'constant', value: 1 };

/** The gains and the biases of a LayerNorm. */
export const normShapes = (name: string, width: Axis): NetworkShape[] => [
  { name: `${name}.weight`, axes: [width], start: ONES },
  { name: `${name}.bias`, axes: [width] },
];

/** The parameters of a block, in the order of the official files. */
export function blockParameters(prefix: string, b: BlockShape): NetworkShape[] {
  const [width, hidden, heads] = [axis(b.width), axis(b.hidden), headAxis(b)];
  const linear = (name: string, from: Axis, to: Axis) => [
    { name: `${prefix}.${name}.weight`, axes: [to, from] },
    { name: `${prefix}.${name}.bias`, axes: [to] },
  ];
  const norm = (name: string) => normShapes(`${prefix}.${name}`, width);
  return [
    ...norm('norm1'),
    ...['q', 'k', 'v'].flatMap((name) => linear(`attn.${name}`, width, heads)),
    ...linear('attn.o', heads, width),
    ...norm('norm2'),
    ...linear('mlp.fc1', width, hidden),
    ...linear('mlp.fc2', hidden, width),
  ];
}

const headAxis = (b: BlockShape): Axis => axis(b.width / b.heads, b.heads);

/** A parameter of a network beside the base; `init` where all of the network starts alike, from a file. */
export function networkParameter(
  { name, axes, start }: NetworkShape,
  rest: Pick<Parameter, 'owner' | 'rate'>,
  init?: Init,
): Parameter {
  const shape = axes.map(logical);
  return { name, shape, axes, decay: shape.length > 1, init: init ?? start ?? freshInit(shape), ...rest };
}

/** PyTorch's starts of a linear: its bias at 0, its weight uniform within 1 / sqrt(inputs). */
const freshInit = ([, columns]: readonly number[]): Init =>
  columns === undefined ? { kind: 'constant', value: 0 } : { kind: 'uniform', bound: 1 / Math.sqrt(columns) };

/** x W^T + b, both named after `name`. */
export function dense(g: Builder, name: string, x: Tensor, out: Axis): Tensor {
  g.inside(name);
  return g.addBias(g.linear(x, g.parameter(`${name}.weight`), out), g.parameter(`${name}.bias`));
}

export function layerNorm(g: Builder, name: string, x: Tensor, eps: number): Tensor {
  g.inside(name);
  return g.layernorm(x, g.parameter(`${name}.weight`), g.parameter(`${name}.bias`), eps);
}

/** x [batch x tokens, width] through one block. */
export function buildBlock(g: Builder, prefix: string, x: Tensor, batch: number, b: BlockShape): Tensor {
  const n = layerNorm(g, `${prefix}.norm1`, x, b.eps);
  const [q, k, v] = (['q', 'k', 'v'] as const).map((name) =>
    dense(g, `${prefix}.attn.${name}`, n, headAxis(b)),
  ) as [Tensor, Tensor, Tensor];
  g.inside(`${prefix}.attn`);
  const h = g.add(dense(g, `${prefix}.attn.o`, attend(g, q, k, v, batch, b), axis(b.width)), x);
  const hidden = dense(g, `${prefix}.mlp.fc1`, layerNorm(g, `${prefix}.norm2`, h, b.eps), axis(b.hidden));
  const out = g.add(
    dense(g, `${prefix}.mlp.fc2`, g.activate(hidden, { function: b.activation }), axis(b.width)),
    h,
  );
  g.tap(prefix, out);
  return out;
}

/** softmax(q k^T / sqrt(head)) v, every token looking at every token of its image. */
function attend(g: Builder, q: Tensor, k: Tensor, v: Tensor, batch: number, b: BlockShape): Tensor {
  const tokens = q.rows / batch;
  const head = b.width / b.heads;
  const [size, across, s] = [ceil4(head), padded(q.axis), ceil4(tokens)];
  const of = view(across, tokens * across, size);
  const scores = view(s, tokens * s, q.rows * s);
  const shape = { m: tokens, outer: batch, inner: b.heads };
  const raw = g.matmul(
    'nt',
    q,
    k,
    { ...shape, n: tokens, k: size, alpha: 1 / Math.sqrt(head), a: of, b: of, c: scores },
    b.heads * q.rows,
    axis(tokens),
  );
  const [p] = g.softmax(raw, null, null, {
    batch: 1,
    heads: b.heads,
    queries: q.rows,
    keys: tokens,
    prefix: 0,
  });
  return g.matmul('nn', p, v, { ...shape, n: size, k: tokens, a: scores, b: of, c: of }, q.rows, q.axis);
}
