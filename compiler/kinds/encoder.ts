/** A frozen image encoder: a vision transformer as CLIP has it, or features that were computed elsewhere. */
import type { Builder } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import {
  type BlockShape,
  blockParameters,
  buildBlock,
  layerNorm,
  networkParameter,
} from '../graph/transformer.ts';
import { view } from '../graph/builder.ts';
import { axis, ceil4, type FieldValue, padded, type Parameter, type Part } from '../model/model.ts';
import { invariant } from '../../grammar/invariant.ts';
import type { ImageInput, PixelRules } from '../package/package.ts';
import { anyOf, choice, count, isCall, number, numberOf, orNone } from './fields.ts';
import type { Field, Kind } from './kind.ts';

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

/** What an encoder gives: `tokens` rows of `width` numbers an image, the class token first. */
export interface Vision {
  readonly width: number;
  readonly tokens: number;
  /** Null: the features come from outside. */
  readonly vit: Vit | null;
}

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

const patches = (vit: Vit): number => (vit.resolution / vit.patch) ** 2;

/** What an encoder's `model` gives, or null when it is a CLIP we do not know. */
export function visionOf(model: FieldValue | undefined): Vision | null {
  if (!isCall(model)) return null;
  const { call, args } = model;
  if (call === 'features')
    return { width: numberOf(args['width']), tokens: numberOf(args['tokens']), vit: null };
  const vit = call === 'clip' ? clips[typeof args['id'] === 'string' ? args['id'] : ''] : ownVit(args);
  if (!vit || !Number.isInteger(patches(vit))) return null;
  return { width: vit.output ?? vit.block.width, tokens: 1 + patches(vit), vit };
}

function ownVit(args: Readonly<Record<string, FieldValue>>): Vit {
  const int = (name: string) => numberOf(args[name]);
  const width = int('width');
  const activation = args['activation'] === 'gelu' ? 'gelu' : 'quickGelu';
  const block: BlockShape = { width, heads: int('heads'), hidden: 4 * width, activation, eps: EPS };
  return {
    resolution: int('resolution'),
    patch: int('patch'),
    layers: int('layers'),
    block,
    output: args['output'] === null ? null : int('output'),
  };
}

/** Mean and deviation of red, green and blue: CLIP's, or from 0..1 to -1..1, or left in 0..1. */
const colours: Readonly<Record<string, Pick<PixelRules, 'mean' | 'std'>>> = {
  clip: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  half: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  unit: { mean: [0, 0, 0], std: [1, 1, 1] },
};

function coloursOf(value: FieldValue | undefined): Pick<PixelRules, 'mean' | 'std'> {
  const of = (list: FieldValue | undefined) => (Array.isArray(list) ? list : []).map(numberOf);
  if (isCall(value)) return { mean: of(value.args['mean']), std: of(value.args['std']) };
  const named = colours[typeof value === 'string' ? value : 'clip'];
  invariant(named, 'the checker knows the colours');
  return named;
}

function imageInput(part: Part): ImageInput {
  const vision = visionOf(part.fields['model']);
  invariant(vision, 'the checker knows the encoder');
  const { vit, width } = vision;
  const tokens = { rows: part.fields['take'] === 'class' ? 1 : vision.tokens, width };
  if (!vit) return { part: part.name, rows: vision.tokens, width, tokens, pixels: null };
  const channels = part.fields['channels'] === 'bgr' ? 'bgr' : 'rgb';
  const { resolution, patch } = vit;
  const pixels = { resolution, patch, ...coloursOf(part.fields['normalise']), channels } as const;
  return { part: part.name, rows: patches(vit), width: 3 * patch ** 2, tokens, pixels };
}

const weights: Field = {
  type: orNone({ kind: 'string' }),
  default: null,
  doc: 'A safetensors file; none: it starts from random numbers.',
};

export const encoder: Kind = {
  name: 'encoder',
  doc: 'A network that turns an image into tokens; frozen unless a task trains it.',
  formula: 't = proj ln_post(blocks(ln_pre([class; patches W] + positions))), on every token',
  source:
    'openai/CLIP `clip/model.py`; `clip_encode_image` of `llama_adapter_v2_multimodal7b/llama/llama_adapter.py`',
  selects: 'nothing',
  fields: {
    model: {
      type: {
        kind: 'call',
        calls: {
          clip: {
            id: { type: { kind: 'string' }, doc: 'A model id, such as `openai/clip-vit-large-patch14`.' },
            weights,
          },
          vit: {
            resolution: { type: count(), doc: 'Pixels of a side of the image.' },
            patch: { type: count(), doc: 'Pixels of a side of a patch.' },
            width: { type: count(), doc: 'Width of a token.' },
            layers: { type: count(), doc: 'Transformer blocks.' },
            heads: { type: count(), doc: 'Heads in each block.' },
            output: {
              type: orNone(count()),
              default: null,
              doc: 'Width after a last projection; none: there is none.',
            },
            activation: { type: choice('quick_gelu', 'gelu'), default: 'quick_gelu', doc: 'Of the blocks.' },
            weights,
          },
          features: {
            width: { type: count(), doc: 'Numbers in each token.' },
            tokens: { type: count(), default: 1, doc: 'Tokens of an image.' },
          },
        },
      },
      doc: 'Which network: `clip(ID)`, `vit(...)` for one of your own, or `features(width: ..)` for numbers that come from elsewhere.',
    },
    take: { type: choice('tokens', 'class'), default: 'tokens', doc: 'All tokens, or only the class token.' },
    normalise: {
      type: anyOf(choice('clip', 'half', 'unit'), {
        kind: 'call',
        calls: {
          own: {
            mean: { type: { kind: 'list', of: number(), length: 3 }, doc: 'Of red, green and blue in 0..1.' },
            std: { type: { kind: 'list', of: number(1e-6), length: 3 }, doc: 'What they are divided by.' },
          },
        },
      }),
      default: 'clip',
      doc: "How colours enter: by CLIP's mean and deviation, as -1..1 (`half`), as 0..1 (`unit`), or by your own.",
    },
    channels: {
      type: choice('rgb', 'bgr'),
      default: 'rgb',
      doc: 'Order of the colours; the released V2 was trained on `bgr`.',
    },
  },
  parameters: (part) => {
    const vit = visionOf(part.fields['model'])?.vit;
    return vit ? vitParameters(part, vit) : [];
  },
  hooks: {
    tokens: (g, part, _base, batch, input) => {
      const vision = visionOf(part.fields['model']);
      invariant(vision, 'the checker knows the encoder');
      const tokens = vision.vit ? buildVit(g, part.name, vision.vit, input, batch) : input;
      if (part.fields['take'] !== 'class') return tokens;
      return g.segment(tokens, { batch, tokens: vision.tokens, from: 0, length: 1 });
    },
    image: imageInput,
  },
};

function vitParameters(part: Part, vit: Vit): Parameter[] {
  const { width } = vit.block;
  const call = part.fields['model'];
  const fromFile = isCall(call) && typeof call.args['weights'] === 'string';
  const rest = { owner: part.name, rate: 1 };
  const init = fromFile ? ({ kind: 'weights' } as const) : undefined;
  const one = (name: string, axes: Parameter['axes'], fresh?: Parameter['init']) =>
    networkParameter(`${part.name}.${name}`, axes, rest, init ?? fresh);
  // CLIP starts its embeddings at a scale of width^-1/2.
  const normal = { kind: 'normal', mean: 0, std: width ** -0.5 } as const;
  const norm = (name: string) => ['weight', 'bias'].map((what) => one(`${name}.${what}`, [axis(width)]));
  const blocks = Array.from({ length: vit.layers }, (_, i) =>
    blockParameters(`blocks.${i}`, vit.block),
  ).flat();
  const conv = one('conv1.weight', [axis(width), axis(3 * vit.patch ** 2)]);
  return [
    { ...conv, shape: [width, 3, vit.patch, vit.patch] },
    one('class_embedding', [axis(width)], normal),
    one('positional_embedding', [axis(1 + patches(vit)), axis(width)], normal),
    ...norm('ln_pre'),
    ...blocks.map(({ name, axes }) => one(name, axes)),
    ...norm('ln_post'),
    ...(vit.output === null ? [] : [one('proj', [axis(width), axis(vit.output)], normal)]),
  ];
}

/** patches [batch x patches, 3 x patch x patch] to tokens [batch x (1 + patches), output]. */
function buildVit(g: Builder, name: string, vit: Vit, image: Tensor, batch: number): Tensor {
  const width = axis(vit.block.width);
  g.label = `${name}.conv1`;
  const embedded = g.linear(image, g.parameter(`${name}.conv1.weight`), width);
  g.tap(`${name}.conv1`, embedded);
  const count = patches(vit);
  const joined = g.prepend(g.parameter(`${name}.class_embedding`), embedded, {
    batch,
    length: 1,
    tokens: count,
  });
  g.label = `${name}.positional_embedding`;
  let x = layerNorm(g, `${name}.ln_pre`, g.addTable(joined, g.vectors(`${name}.positional_embedding`)), EPS);
  g.tap(`${name}.ln_pre`, x);
  for (let i = 0; i < vit.layers; i++) x = buildBlock(g, `${name}.blocks.${i}`, x, batch, vit.block);
  const last = layerNorm(g, `${name}.ln_post`, x, EPS);
  if (vit.output === null) return last;
  g.label = `${name}.proj`;
  const [k, n] = [ceil4(vit.block.width), padded(axis(vit.output))];
  const shape = { m: last.rows, n, k: vit.block.width, a: view(k), b: view(n), c: view(n) };
  return g.matmul('nn', last, g.parameter(`${name}.proj`), shape, last.rows, axis(vit.output));
}
