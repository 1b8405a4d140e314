/** `base` declarations: the dimensions of a frozen transformer, and whether they can be. */
import type { BaseDeclaration } from '../../grammar/ast.ts';
import type { Host } from '../host.ts';
import { anyOf, choice, count, number, orNone, textOf, times } from '../kinds/fields.ts';
import type { Field, FieldType } from '../kinds/kind.ts';
import { families } from '../families/index.ts';
import { factorsOf, YARN } from '../families/rotary.ts';
import { FRESH_STD } from '../families/sites.ts';
import { namesOf } from '../families/words.ts';
import { layerFields, withLayers } from './base-layers.ts';
import type { Base, FieldValue, Storage } from '../model/model.ts';
import { callOf, isCall, numberOf } from '../model/values.ts';
import type { RopeScaling } from '../model/rope.ts';
import { storages } from '../storage/index.ts';
import type { Env } from './env.ts';
import type { Values } from './checked.ts';
import { readFields } from './fields.ts';
import { readModelFiles, reportAt, type ModelFiles } from './model-files.ts';
import { tooLarge } from '../model/sizes.ts';
import { badDimensions } from './diagnostics/values.ts';

const theta: Field = { type: number(1), default: 10000, doc: 'Base of the rotation frequencies.' };
const size: Field = {
  type: orNone(count),
  default: null,
  doc: 'Numbers of each head that are turned, the first ones (`partial_rotary_factor` of config.json times the width of a head); none: all.',
};
const windowTheta: Field = {
  type: orNone(number(1)),
  default: null,
  doc: 'Base of the frequencies in layers with a window (`rope_local_base_freq` of config.json); none: as in the others.',
};
const positive: FieldType = { kind: 'number', above: 0 };
const factor: Field = { type: number(1), doc: 'How many times longer sequences became.' };
const original: Field = { type: count, doc: 'Longest sequence before, in tokens.' };
const scaling: Field = {
  type: anyOf(
    {
      kind: 'call',
      calls: {
        factors: {
          by: {
            type: { kind: 'list', of: positive },
            doc: 'What the frequency of each pair of numbers is divided by (`rope_freqs` of a GGUF file).',
          },
        },
        linear: { factor },
        dynamic: { factor, original },
        longrope: {
          factor,
          original,
          long: {
            type: { kind: 'list', of: positive },
            doc: 'What the frequency of each pair of numbers is divided by where a sequence is longer than `original`.',
          },
          short: { type: { kind: 'list', of: positive }, doc: 'Likewise where it is not.' },
          attention: {
            type: orNone(positive),
            default: null,
            doc: 'Factor on cos and sin; none: sqrt(1 + ln(factor) / ln(original)).',
          },
        },
        llama3: {
          factor,
          low: {
            type: positive,
            doc: 'Turns in `original` tokens below which an angle is divided by the factor.',
          },
          high: { type: positive, doc: 'Turns in `original` tokens above which an angle stays.' },
          original,
        },
        yarn: {
          factor,
          original,
          fast: {
            type: positive,
            default: YARN.fast,
            doc: 'Turns in `original` tokens above which an angle stays.',
          },
          slow: { type: positive, default: YARN.slow, doc: 'Turns below which it is divided by the factor.' },
          attention: {
            type: orNone(positive),
            default: null,
            doc: 'Factor on cos and sin; none: 0.1 ln(factor) + 1.',
          },
          truncate: {
            type: { kind: 'boolean' },
            default: true,
            doc: 'Whether both bounds are rounded to whole pairs.',
          },
        },
      },
    },
    choice('none'),
  ),
  default: null,
  doc: 'How the angles were stretched for longer sequences (`rope_scaling` of config.json).',
};

const ropeArguments = { theta, size, window_theta: windowTheta, scaling };

/** The attributes of a `base`. */
export const baseFields: Readonly<Record<string, Field>> = {
  family: {
    type: choice(...families.map(({ name }) => name)),
    default: 'llama',
    doc: 'Architecture of the network.',
  },
  layers: { type: times, doc: 'Transformer layers.' },
  dim: { type: count, doc: 'Width of a token.' },
  heads: { type: times, doc: 'Query heads in each layer.' },
  kv_heads: {
    type: orNone(times),
    default: null,
    doc: 'Key and value heads; none: as many as query heads.',
  },
  head_dim: { type: orNone(count), default: null, doc: 'Width of a head; none: dim / heads.' },
  ffn: { type: count, doc: "Width of the feed-forward network's hidden layer." },
  vocab: { type: count, doc: 'Tokens in the vocabulary.' },
  context: { type: count, default: 2048, doc: 'Longest sequence, in tokens.' },
  norm_eps: { type: number(0), default: 1e-5, doc: 'Added to the mean square in every norm.' },
  rope: {
    type: { kind: 'call', calls: { interleaved: ropeArguments, half: ropeArguments } },
    default: { call: 'interleaved', args: { theta: 10000 } },
    doc: "Rotary positions: pairs of neighbours (Meta's files) or of halves (Hugging Face's).",
  },
  tied: { type: { kind: 'boolean' }, default: false, doc: 'Whether the output head is the embedding table.' },
  biases: {
    type: { kind: 'list', of: choice(...namesOf('linear')) },
    default: [],
    doc: "Linears that have a bias in the base's own files, in every layer (`attention_bias` of Hugging Face's config: `[wq, wk, wv, wo]`, `mlp_bias`: `[w1, w2, w3]`).",
  },
  ...layerFields,
  score_dim: {
    type: orNone({ kind: 'number', above: 0 }),
    default: null,
    doc: 'Scores are divided by its square root (`query_pre_attn_scalar` of config.json); none: head_dim.',
  },
  score_cap: {
    type: orNone({ kind: 'number', above: 0 }),
    default: null,
    doc: 'Scores become c tanh(score / c) (`attn_logit_softcapping`); none: they stay.',
  },
  logit_cap: {
    type: orNone({ kind: 'number', above: 0 }),
    default: null,
    doc: 'Logits become c tanh(logit / c) (`final_logit_softcapping`); none: they stay.',
  },
  store: {
    type: choice(...storages),
    default: 'f32',
    doc: 'How its frozen matrices lie on the device: q8 takes 8.5 bits a number, q4 takes 4.5. Norms, biases and what is trained are f32.',
  },
  init: {
    type: { kind: 'number', above: 0 },
    default: FRESH_STD,
    doc: 'Standard deviation of its matrices when it is trained from nothing; a narrow base wants a larger one.',
  },
  weights: { type: orNone({ kind: 'string' }), default: null, doc: 'File or folder of the weights.' },
  tokenizer: { type: orNone({ kind: 'string' }), default: null, doc: "The tokenizer's file." },
};

/** The base a declaration describes, or null after reporting why it cannot be. */
export function readBase(env: Env, declaration: BaseDeclaration, host: Host): Base | null {
  const { from } = declaration;
  if (from === null) return baseOf(env, declaration, host, null);
  const own = declaration.fields.map(({ name }) => name.text);
  const needed = Object.keys(baseFields).filter((key) => baseFields[key]?.default === undefined);
  const complete = needed.every((key) => own.includes(key));
  const files = readModelFiles(env, from, complete, host);
  if (files !== null) return baseOf({ ...env, report: reportAt(env.report, from) }, declaration, host, files);
  // Without the model's files only what stands in the braces can be wrong.
  const table = Object.entries(baseFields).map(([key, row]) => [
    key,
    { ...row, default: row.default ?? null },
  ]);
  readFields(env, declaration.fields, Object.fromEntries(table), 'base', declaration.name.span);
  return null;
}

/** @param files what the model's files say; an attribute in the braces counts before theirs */
function baseOf(env: Env, declaration: BaseDeclaration, host: Host, files: ModelFiles | null): Base | null {
  const own = new Set(declaration.fields.map(({ name }) => name.text));
  const stated = files?.fields.filter(({ name }) => !own.has(name.text)) ?? [];
  const read = readFields(env, [...declaration.fields, ...stated], baseFields, 'base', declaration.name.span);
  if (!read.ok) return null;
  const { values } = read;
  const int = (key: string): number => numberOf(values[key]);
  const heads = int('heads');
  const rope = callOf(values['rope']);
  const file = (key: string): string | undefined => {
    const path = values[key];
    if (files !== null && !own.has(key)) return files.folder;
    return typeof path === 'string' ? host.resolve(declaration.span.file, path) : undefined;
  };
  const biases = biasesOf(values['biases']);
  const store = textOf(values['store']) as Storage;
  const weights = file('weights');
  const tokenizer = file('tokenizer');
  const whole: Base = {
    name: declaration.name.text,
    family: textOf(values['family']),
    layers: int('layers'),
    dim: int('dim'),
    heads,
    kvHeads: numberOf(values['kv_heads'] ?? heads),
    headDim: numberOf(values['head_dim'] ?? int('dim') / heads),
    ffn: int('ffn'),
    vocab: int('vocab'),
    context: int('context'),
    normEps: numberOf(values['norm_eps']),
    rope: ropeOf(rope),
    tied: values['tied'] === true,
    ...(biases.length === 0 ? {} : { biases }),
    ...said('scoreDim', values['score_dim']),
    ...said('scoreCap', values['score_cap']),
    ...said('logitCap', values['logit_cap']),
    ...(store === 'f32' ? {} : { store }),
    init: numberOf(values['init']),
    ...(weights === undefined ? {} : { weights }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(files === null || files.config === null ? {} : { config: files.config }),
  };
  if (!fitsTogether(env, declaration, read, whole)) return null;
  return withLayers(env, whole, read);
}

/** A number of a base, where one is written. */
const said = (key: 'scoreDim' | 'scoreCap' | 'logitCap', value: FieldValue | undefined): Partial<Base> =>
  typeof value === 'number' ? { [key]: value } : {};

function ropeOf({ call, args }: ReturnType<typeof callOf>): Base['rope'] {
  const { scaling } = args;
  return {
    style: call === 'half' ? 'half' : 'interleaved',
    theta: numberOf(args['theta']),
    ...(typeof args['size'] === 'number' ? { size: args['size'] } : {}),
    ...(typeof args['window_theta'] === 'number' ? { windowTheta: args['window_theta'] } : {}),
    ...(isCall(scaling)
      ? { scaling: { kind: scaling.call, ...scaling.args } as unknown as RopeScaling }
      : {}),
  };
}

/** The linears a list names, each once, in checkpoint order. */
const biasesOf = (value: FieldValue | undefined): readonly string[] =>
  namesOf('linear').filter((linear) => Array.isArray(value) && value.includes(linear));

function fitsTogether(env: Env, declaration: BaseDeclaration, read: Values, base: Base): boolean {
  const complain = (key: string, message: string, why: string): false => {
    const span = read.written.get(key)?.value.span ?? declaration.name.span;
    env.report(badDimensions(span, message, why));
    return false;
  };
  const { layers, dim, heads, kvHeads, headDim, ffn, vocab } = base;
  const inLayer = 2 * headDim * (heads + kvHeads) + 3 * ffn;
  const numbers = dim * (vocab * (base.tied ? 1 : 2) + layers * inLayer);
  const large = tooLarge(base.name, numbers, { layers, dim, ffn, vocab });
  if (large !== null) return complain(large.key, large.message, large.why);
  if (!Number.isInteger(base.headDim)) {
    const message = `${base.heads} heads do not divide a dim of ${base.dim}`;
    return complain(
      'heads',
      message,
      'each head takes an equal share of `dim`, unless `head_dim` says otherwise',
    );
  }
  if (base.heads % base.kvHeads !== 0) {
    const message = `${base.kvHeads} key and value heads do not divide ${base.heads} query heads`;
    return complain('kv_heads', message, 'each key and value head serves the same number of query heads');
  }
  if (base.headDim % 2 !== 0) {
    const message = `a head of ${base.headDim} numbers cannot be rotated`;
    return complain(
      read.written.has('head_dim') ? 'head_dim' : 'heads',
      message,
      'rotary positions turn pairs of numbers',
    );
  }
  const { size: turned = headDim } = base.rope;
  if (turned % 2 !== 0 || turned > headDim) {
    const message = `${turned} numbers of a head of ${headDim} cannot be rotated`;
    return complain('rope', message, 'rotary positions turn pairs of numbers');
  }
  const unfit = factorsOf(base.rope.scaling).find(({ length }) => length !== turned / 2);
  if (unfit !== undefined) {
    const message = `${unfit.length} factors do not fit ${turned / 2} pairs of numbers`;
    return complain('rope', message, 'each pair of a head that is turned has a factor of its own');
  }
  return true;
}
