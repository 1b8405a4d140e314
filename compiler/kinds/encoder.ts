/** A frozen image encoder: a vision transformer as CLIP has it, or features that were computed elsewhere. */
import { axis, type FieldValue, type Part } from '../model/model.ts';
import { invariant } from '../../grammar/invariant.ts';
import type { ImageInput, PixelRules } from '../package/package.ts';
import { anyOf, choice, count, number, orNone, textOf, times } from './fields.ts';
import { numbersInBlocks, tooLarge } from '../model/sizes.ts';
import { printLayers } from '../model/layers.ts';
import { callOf, isCall, numberOf, printValue } from '../model/values.ts';
import type { Field, Kind, Problem, Unchecked } from './kind.ts';
import { buildVit, clipNames, patches, type Taken, type Vit, vitOf, vitParameters, vitWidth } from './vit.ts';

/**
 * The shape of an encoder's output for an image: `tokens` rows of `width` numbers, which are `scales` equal runs side
 * by side.
 */
interface Vision {
  readonly width: number;
  readonly tokens: number;
  /** Blocks whose tokens lie side by side. */
  readonly scales: number;
}

/** The output of an encoder with these attributes; null when its `model` is an unknown CLIP. */
export function visionOf({ model, take, at }: Part['fields']): Vision | null {
  const all = tokensIn(model);
  if (all === null) return null;
  const { length, blocks } = takenOf({ take: take ?? 'tokens', at: at ?? null }, all);
  const vit = vitOf(model);
  const width = vit ? vitWidth(vit, { blocks }) : featureWidth(model);
  return { width, tokens: length, scales: blocks?.length ?? 1 };
}

/**
 * Tokens of an image before `take` leaves some out; null for an unknown CLIP or patches that do not fit the resolution.
 */
function tokensIn(model: FieldValue | undefined): number | null {
  if (isCall(model) && model.call === 'features') return numberOf(model.args['tokens']);
  const vit = vitOf(model);
  return vit && Number.isInteger(patches(vit)) ? 1 + patches(vit) : null;
}

const featureWidth = (model: FieldValue | undefined): number => numberOf(callOf(model).args['width']);

function takenOf({ take, at }: Part['fields'], all: number): Taken {
  const blocks = Array.isArray(at) ? at.map(numberOf) : null;
  if (take === 'class') return { from: 0, length: 1, blocks };
  return take === 'patches' ? { from: 1, length: all - 1, blocks } : { from: 0, length: all, blocks };
}

/** A checked encoder: its network, the number of tokens that it computes and the tokens that are taken. */
function readEncoder({ fields }: Part): { vit: Vit | null; all: number; taken: Taken; vision: Vision } {
  const [all, vision] = [tokensIn(fields['model']), visionOf(fields)];
  invariant(all !== null && vision, 'the checker knows the encoder');
  return { vit: vitOf(fields['model']), all, taken: takenOf(fields, all), vision };
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

const cropOf = (value: FieldValue | undefined): Pick<PixelRules, 'crop'> =>
  isCall(value) ? { crop: { scale: numberOf(value.args['scale']) } } : {};

function imageInput(part: Part): ImageInput {
  const { vit, all, vision } = readEncoder(part);
  const tokens = { rows: vision.tokens, axis: axis(vision.width / vision.scales, vision.scales) };
  if (!vit) return { part: part.name, rows: all, width: vision.width, tokens, pixels: null };
  const channels = part.fields['channels'] === 'bgr' ? 'bgr' : 'rgb';
  const { resolution, patch } = vit;
  const crop = cropOf(part.fields['crop']);
  const pixels = { resolution, patch, ...coloursOf(part.fields['normalise']), channels, ...crop } as const;
  return { part: part.name, rows: patches(vit), width: 3 * patch ** 2, tokens, pixels };
}

/** A problem where the blocks of an encoder have more numbers than any machine holds. */
function vastEncoder({ name, fields }: Unchecked): Problem[] {
  const vit = vitOf(fields['model']);
  if (vit === null) return [];
  const { width, hidden } = vit.block;
  const large = tooLarge(name, numbersInBlocks(vit.layers, width, hidden), {
    layers: vit.layers,
    width,
    hidden,
  });
  return large === null ? [] : [['model', large.message, large.why]];
}

/** The most tokens of an image: their attention scores alone take a gibibyte a head. */
const MOST_TOKENS = 2 ** 14;

function encoderProblems({ model, take }: Part['fields']): Problem[] {
  const tokens = tokensIn(model) ?? 0;
  if (tokens > MOST_TOKENS)
    return [
      [
        'model',
        `an image of ${tokens} tokens, at most ${MOST_TOKENS} are possible`,
        'take larger patches or a smaller image',
      ],
    ];
  if (take === 'patches' && tokens === 1)
    return [['take', 'the only token is the class token', 'no patches are left without it']];
  if (!isCall(model) || model.call !== 'vit') return [];
  const { resolution, patch, width, heads } = model.args;
  const whole = (a: FieldValue | undefined, b: FieldValue | undefined) => Number(a) % Number(b) === 0;
  return [
    ...(whole(resolution, patch)
      ? []
      : [
          [
            'model',
            `patches of ${printValue(patch ?? null)} do not divide an image of ${printValue(resolution ?? null)} pixels`,
            'patches are squares side by side, with nothing left over',
          ] as const,
        ]),
    ...(whole(width, heads)
      ? []
      : [
          [
            'model',
            `${printValue(heads ?? null)} heads do not divide a width of ${printValue(width ?? null)}`,
            'each head takes an equal share of `width`',
          ] as const,
        ]),
  ];
}

/** Features are used as they are: attributes that prepare pictures do not apply to them. */
const idleProblems = ({ written, fields: { model } }: Unchecked): Problem[] =>
  isCall(model) && model.call === 'features'
    ? ['normalise', 'channels', 'crop']
        .filter((key) => written.has(key))
        .map((key) => [key, `\`${key}\` says nothing about features`, `take \`${key}\` away`] as const)
    : [];

/** The smallest `eps`: float32 does not round it to zero beside a variance, so a constant row never gives 0/0. */
const epsilon = number(1e-12, 1);

const weights: Field = {
  type: orNone({ kind: 'string' }),
  default: null,
  doc: 'A safetensors file; none: it starts from random numbers.',
  onlyTraining: true,
};

export const encoder: Kind = {
  name: 'encoder',
  doc: 'A network that turns an image into tokens; frozen unless a task trains it.',
  formula:
    't = proj ln_post(blocks(ln_pre([class; patches W] + positions))), on every token; with `at`, [t_i; t_j; ..] of blocks i, j, ..',
  source:
    'openai/CLIP `clip/model.py`; `clip_encode_image` of `llama_adapter_v2_multimodal7b/llama/llama_adapter.py`',
  selects: 'nothing',
  check: (part) => [...vastEncoder(part), ...encoderProblems(part.fields), ...idleProblems(part)],
  ownLayers: ({ name, fields: { model } }) =>
    isCall(model) && model.call === 'features'
      ? ['at', `the features of \`${name}\` come from no block`, 'take `at` away']
      : (vitOf(model)?.layers ?? null),
  misnamed: (fields) => (visionOf(fields) === null ? { key: 'model', known: clipNames } : null),
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
            resolution: { type: times, doc: 'Pixels of a side of the image.' },
            patch: { type: times, doc: 'Pixels of a side of a patch.' },
            width: { type: count, doc: 'Width of a token.' },
            layers: { type: times, doc: 'Transformer blocks.' },
            heads: { type: times, doc: 'Heads in each block.' },
            output: {
              type: orNone(count),
              default: null,
              doc: 'Width after a last projection; none: there is none.',
            },
            hidden: {
              type: orNone(count),
              default: null,
              later: true,
              doc: 'Width of the hidden layer in each block; none: four times `width`.',
            },
            activation: { type: choice('quick_gelu', 'gelu'), default: 'quick_gelu', doc: 'Of the blocks.' },
            eps: {
              type: epsilon,
              default: 1e-5,
              later: true,
              doc: 'What each LayerNorm adds to the variance.',
            },
            weights,
          },
          features: {
            width: { type: count, doc: 'Numbers in each token.' },
            tokens: { type: count, default: 1, doc: 'Tokens of an image.' },
          },
        },
      },
      doc: 'Which network: `clip(ID)`, `vit(...)` for one of your own, or `features(width: ..)` for numbers that come from elsewhere.',
    },
    take: {
      type: choice('tokens', 'class', 'patches'),
      default: 'tokens',
      doc: 'All tokens, the class token alone, or all but the class token.',
    },
    at: {
      type: { kind: 'layers' },
      default: null,
      doc: 'Blocks of the network, from 0, whose tokens are taken as they leave it, those of several side by side; none: at the end, after ln_post and the projection.',
    },
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
    crop: {
      type: anyOf(choice('middle'), {
        kind: 'call',
        calls: {
          random: {
            scale: {
              type: { kind: 'number', above: 0, max: 1 },
              default: 0.9,
              doc: 'Least share of its area; the proportions are drawn from 3:4 to 4:3.',
            },
          },
        },
      }),
      default: 'middle',
      doc: 'What is seen of a picture in training: its middle, or another part each time, as the released V2 was trained. Outside of training it is the middle.',
      onlyTraining: true,
    },
  },
  parameters: (part) => {
    const { vit, taken } = readEncoder(part);
    const call = part.fields['model'];
    const fromFile = isCall(call) && typeof call.args['weights'] === 'string';
    return vit ? vitParameters(part.name, vit, taken, fromFile) : [];
  },
  merge: {
    can: false,
    reason: 'it is a network of its own that looks at images, and a base reads words only',
  },
  describe: ({ fields }) => {
    const [blocks, take] = [fields['at'], textOf(fields['take'])];
    return Array.isArray(blocks)
      ? `${take} after block${blocks.length > 1 ? 's' : ''} ${printLayers(blocks.map(numberOf))}`
      : take;
  },
  hooks: {
    tokens: (g, part, _base, batch, input) => {
      const { vit, all, taken } = readEncoder(part);
      if (vit) return buildVit(g, part.name, vit, input, batch, taken);
      const { from, length } = taken;
      return length === all ? input : g.segment(input, { batch, tokens: all, from, length });
    },
    image: imageInput,
  },
};
