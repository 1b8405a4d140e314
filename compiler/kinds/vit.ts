/** The vision transformer of an encoder: its sizes, its parameters, and the tokens that are taken from it. */
import { type Builder, view } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import {
  type BlockShape,
  blockParameters,
  buildBlock,
  layerNorm,
  networkParameter,
  type NetworkShape,
  normShapes,
} from '../build/vision-block.ts';
import { axis, ceil4, type FieldValue, padded, type Parameter } from '../model/model.ts';
import { isCall, numberOf } from '../model/values.ts';

/** A vision transformer: openai/CLIP clip/model.py, VisionTransformer. */
export interface Vit {
  /** Pixels of a side of the square image, and of a square patch. */
  readonly resolution: number;
  readonly patch: number;
  readonly layers: number;
  readonly block: BlockShape;
  /** Width after CLIP's projection, which is applied to every token; null: there is none. */
  readonly output: number | null;
}

/** The tokens that are taken from the transformer for each image. */
export interface Taken {
  /** Rows of the tokens, the class token first. */
  readonly from: number;
  readonly length: number;
  /**
   * Blocks whose output is taken, ascending, their tokens side by side; null: the output at the end, after `ln_post`
   * and the projection.
   */
  readonly blocks: readonly number[] | null;
}

/** Epsilon of the LayerNorms of CLIP, and of torch. */
const EPS = 1e-5;

const clip = (resolution: number, patch: number, width: number, layers: number, output: number): Vit => ({
  resolution,
  patch,
  layers,
  block: { width, heads: width / 64, hidden: 4 * width, activation: 'quickGelu', eps: EPS },
  output,
});

/** The sizes of openai/CLIP's published vision transformers. */
const clips: Readonly<Record<string, Vit>> = {
  'openai/clip-vit-base-patch32': clip(224, 32, 768, 12, 512),
  'openai/clip-vit-base-patch16': clip(224, 16, 768, 12, 512),
  'openai/clip-vit-large-patch14': clip(224, 14, 1024, 24, 768),
  'openai/clip-vit-large-patch14-336': clip(336, 14, 1024, 24, 768),
};
export const clipNames = Object.keys(clips);

export const patches = (vit: Vit): number => (vit.resolution / vit.patch) ** 2;

/** The transformer that an encoder's `model` names; null for features and for an unknown CLIP. */
export function vitOf(model: FieldValue | undefined): Vit | null {
  if (!isCall(model)) return null;
  const { call, args } = model;
  if (call === 'clip') return clips[typeof args['id'] === 'string' ? args['id'] : ''] ?? null;
  return call === 'vit' ? ownVit(args) : null;
}

function ownVit(args: Readonly<Record<string, FieldValue>>): Vit {
  const int = (name: string) => numberOf(args[name]);
  const width = int('width');
  const activation = args['activation'] === 'gelu' ? 'gelu' : 'quickGelu';
  const hidden = numberOf(args['hidden'] ?? 4 * width);
  const block: BlockShape = { width, heads: int('heads'), hidden, activation, eps: int('eps') };
  return {
    resolution: int('resolution'),
    patch: int('patch'),
    layers: int('layers'),
    block,
    output: args['output'] === null ? null : int('output'),
  };
}

/** Numbers of one token where it is taken: behind blocks, or at the end. */
export const vitWidth = (vit: Vit, { blocks }: Pick<Taken, 'blocks'>): number =>
  blocks === null ? (vit.output ?? vit.block.width) : vit.block.width * blocks.length;

/** The number of blocks to run: none above the last one whose output is taken. */
const depth = (vit: Vit, { blocks }: Pick<Taken, 'blocks'>): number =>
  blocks === null ? vit.layers : 1 + Math.max(...blocks);

/** The parameters of the blocks that are run, named after the part. */
export function vitParameters(part: string, vit: Vit, taken: Taken, fromFile: boolean): Parameter[] {
  const { width } = vit.block;
  const rest = { owner: part, rate: 1 };
  const init = fromFile ? ({ kind: 'weights' } as const) : undefined;
  const made = (shape: NetworkShape) =>
    networkParameter({ ...shape, name: `${part}.${shape.name}` }, rest, init);
  const one = (name: string, axes: Parameter['axes'], start?: Parameter['init']) =>
    made({ name, axes, ...(start ? { start } : {}) });
  // CLIP starts its embeddings at a scale of width^-1/2.
  const normal = { kind: 'normal', mean: 0, std: width ** -0.5 } as const;
  const norm = (name: string) => normShapes(name, axis(width)).map(made);
  const blocks = Array.from({ length: depth(vit, taken) }, (_, i) =>
    blockParameters(`blocks.${i}`, vit.block),
  ).flat();
  const conv = one('conv1.weight', [axis(width), axis(3 * vit.patch ** 2)]);
  const proj = vit.output === null ? [] : [one('proj', [axis(width), axis(vit.output)], normal)];
  return [
    { ...conv, shape: [width, 3, vit.patch, vit.patch] },
    one('class_embedding', [axis(width)], normal),
    one('positional_embedding', [axis(1 + patches(vit)), axis(width)], normal),
    ...norm('ln_pre'),
    ...blocks.map(made),
    ...(taken.blocks === null ? [...norm('ln_post'), ...proj] : []),
  ];
}

/** patches [batch x patches, 3 x patch x patch] to tokens [batch x `taken.length`, width]. */
export function buildVit(
  g: Builder,
  part: string,
  vit: Vit,
  image: Tensor,
  batch: number,
  taken: Taken,
): Tensor {
  let x = embedPatches(g, part, vit, image, batch);
  const tokens = 1 + patches(vit);
  const { from, length } = taken;
  const cut = (y: Tensor) => (length === tokens ? y : g.segment(y, { batch, tokens, from, length }));
  const kept: Tensor[] = [];
  for (let i = 0; i < depth(vit, taken); i++) {
    x = buildBlock(g, `${part}.blocks.${i}`, x, batch, vit.block);
    if (taken.blocks?.includes(i)) kept.push(cut(x));
  }
  if (taken.blocks === null) return finish(g, part, vit, cut(x));
  g.inside(part);
  return g.beside(kept);
}

function embedPatches(g: Builder, part: string, vit: Vit, image: Tensor, batch: number): Tensor {
  g.inside(`${part}.conv1`);
  const embedded = g.linear(image, g.parameter(`${part}.conv1.weight`), axis(vit.block.width));
  g.tap(`${part}.conv1`, embedded);
  const joined = g.prepend(g.parameter(`${part}.class_embedding`), embedded, {
    batch,
    length: 1,
    tokens: patches(vit),
  });
  g.inside(`${part}.positional_embedding`);
  const placed = g.addTable(joined, g.vectors(`${part}.positional_embedding`));
  const x = layerNorm(g, `${part}.ln_pre`, placed, vit.block.eps);
  g.tap(`${part}.ln_pre`, x);
  return x;
}

function finish(g: Builder, part: string, vit: Vit, x: Tensor): Tensor {
  const last = layerNorm(g, `${part}.ln_post`, x, vit.block.eps);
  if (vit.output === null) return last;
  g.inside(`${part}.proj`);
  const [k, n] = [ceil4(vit.block.width), padded(axis(vit.output))];
  const shape = { m: last.rows, n, k: vit.block.width, a: view(k), b: view(n), c: view(n) };
  return g.matmul('nn', last, g.parameter(`${part}.proj`), shape, last.rows, axis(vit.output));
}
