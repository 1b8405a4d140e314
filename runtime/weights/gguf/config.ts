/**
 * GGUF metadata as the `config.json` that Hugging Face would write for the same model, so that one reader of
 * configurations serves both.
 *
 * Source: llama.cpp's `gguf-py/gguf/constants.py` (keys) and `src/llama-model.cpp` (what llama.cpp assumes where a file
 * says nothing).
 */
import { InputError } from '../../input-error.ts';
import type { GgufHeader, GgufValue } from './header.ts';

/** Hugging Face's `model_type` by GGUF's architecture. */
const modelTypes: Readonly<Record<string, string>> = {
  llama: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma2: 'gemma2',
  gemma3: 'gemma3_text',
  olmo2: 'olmo2',
  phi3: 'phi3',
  smollm3: 'smollm3',
};

const gemmas = new Set(['gemma2', 'gemma3']);

/** Factors of rotary frequencies, read from the file's own tensors. */
export interface RotaryFactors {
  readonly frequencies?: readonly number[];
  readonly long?: readonly number[];
  readonly short?: readonly number[];
}

/** The architecture a file names. @throws InputError when Graft has no model for it */
export function architectureOf(header: GgufHeader, file: string): string {
  const architecture = header.metadata.get('general.architecture');
  if (typeof architecture === 'string' && Object.hasOwn(modelTypes, architecture)) return architecture;
  throw new InputError(
    `${file}: architecture ${JSON.stringify(architecture ?? 'unnamed')}, which Graft does not know`,
    `it knows ${Object.keys(modelTypes).join(', ')}`,
  );
}

/**
 * The configuration a file describes, in Hugging Face's keys.
 * @throws InputError naming the key of the metadata that is missing, damaged or not understood
 */
export function configOf(
  header: GgufHeader,
  architecture: string,
  factors: RotaryFactors,
  file: string,
): Readonly<Record<string, unknown>> {
  const read = reader(header, architecture, file);
  const heads = read.count('attention.head_count');
  const dim = read.count('embedding_length');
  const headDim = read.optional('attention.key_length') ?? dim / heads;
  if ((read.optional('attention.value_length') ?? headDim) !== headDim)
    throw read.wrong('attention.value_length', `differs from the keys' ${headDim}`);
  if ((read.optional('expert_count') ?? 0) > 0)
    throw read.wrong('expert_count', 'makes it a mixture of experts, which Graft does not run');
  const layers = read.count('block_count');
  const has = (name: string): boolean => header.tensors.has(name);
  const rows = header.tensors.get('token_embd.weight')?.shape[0];
  const turned = read.optional('rope.dimension_count') ?? headDim;
  const id = (name: string): Record<string, unknown> => {
    const value = header.metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof value === 'number' ? { [`${name}_token_id`]: value } : {};
  };
  return {
    model_type: modelTypes[architecture],
    hidden_size: dim,
    intermediate_size: read.count('feed_forward_length'),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: read.optional('attention.head_count_kv') ?? heads,
    head_dim: headDim,
    vocab_size: rows ?? read.count('vocab_size'),
    max_position_embeddings: read.count('context_length'),
    rms_norm_eps: read.number('attention.layer_norm_rms_epsilon'),
    hidden_act: gemmas.has(architecture) ? 'gelu_pytorch_tanh' : 'silu',
    tie_word_embeddings: !has('output.weight'),
    ...(architecture === 'llama'
      ? { attention_bias: has('blk.0.attn_q.bias'), mlp_bias: has('blk.0.ffn_gate.bias') }
      : {}),
    ...(turned === headDim ? {} : { partial_rotary_factor: turned / headDim }),
    ...rotary(read, architecture, factors),
    ...windows(read, architecture),
    ...(gemmas.has(architecture) ? gemma(read, architecture, { layers, dim, heads, headDim }) : {}),
    ...id('bos'),
    ...id('eos'),
  };
}

type Reader = ReturnType<typeof reader>;

function reader({ metadata }: GgufHeader, architecture: string, file: string) {
  const wrong = (key: string, what: string): InputError =>
    new InputError(`${file}: \`${architecture}.${key}\` ${what}`, 'give another file of the model');
  const found = (key: string): GgufValue | undefined => metadata.get(`${architecture}.${key}`);
  /** A number; of a list with a number for each layer, the one they all have. */
  const optional = (key: string): number | undefined => {
    const value = found(key);
    if (value === undefined) return value;
    if (typeof value === 'number') return shortest(value);
    if (Array.isArray(value) && typeof value[0] === 'number') {
      if (value.every((other) => other === value[0])) return shortest(value[0]);
      throw wrong(key, 'differs from layer to layer, which Graft does not run');
    }
    throw wrong(key, `is no number: ${JSON.stringify(value)}`);
  };
  const number = (key: string): number => {
    const value = optional(key);
    if (value === undefined) throw wrong(key, 'is missing');
    return value;
  };
  const count = (key: string): number => {
    const value = number(key);
    if (!Number.isSafeInteger(value) || value < 1) throw wrong(key, `is ${value}`);
    return value;
  };
  const text = (key: string): string | undefined => {
    const value = found(key);
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(key, `is no text: ${String(value)}`);
  };
  return { optional, number, count, text, wrong };
}

/** GGUF stores float32: 1e-5 comes back as 0.000009999999747378752 and is meant as 1e-5. */
function shortest(value: number): number {
  const rounded = Number(value.toPrecision(7));
  return Math.fround(rounded) === value ? rounded : value;
}

/** Gemma 2 files name no base; llama.cpp assumes 10,000. */
const DEFAULT_THETA = 10000;

function rotary(read: Reader, architecture: string, factors: RotaryFactors): Record<string, unknown> {
  const theta = read.optional('rope.freq_base') ?? DEFAULT_THETA;
  const scaling = scalingOf(read, factors);
  if (architecture !== 'gemma3') return { rope_parameters: { rope_theta: theta, ...scaling } };
  // Layers with a window turn by a base of their own, which files do not name; llama.cpp assumes 10,000.
  return {
    rope_parameters: {
      full_attention: { rope_theta: theta, ...scaling },
      sliding_attention: {
        rope_theta: read.optional('rope.freq_base_swa') ?? DEFAULT_THETA,
        rope_type: 'default',
      },
    },
  };
}

function scalingOf(read: Reader, factors: RotaryFactors): Record<string, unknown> {
  const type = read.text('rope.scaling.type') ?? 'none';
  const original = read.optional('rope.scaling.original_context_length');
  const length = original === undefined ? {} : { original_max_position_embeddings: original };
  if (factors.frequencies) return { rope_type: 'frequency_factors', frequency_factors: factors.frequencies };
  if (factors.long && factors.short) {
    const attention = read.optional('rope.scaling.attn_factor');
    return {
      rope_type: 'longrope',
      long_factor: factors.long,
      short_factor: factors.short,
      ...length,
      ...(attention === undefined ? {} : { attention_factor: attention }),
    };
  }
  switch (type) {
    case 'none':
      return { rope_type: 'default' };
    case 'linear':
      return { rope_type: 'linear', factor: read.number('rope.scaling.factor') };
    case 'yarn':
      return { rope_type: 'yarn', factor: read.number('rope.scaling.factor'), ...length };
    default:
      throw read.wrong('rope.scaling.type', `is \`${type}\`, which Graft does not know`);
  }
}

function windows(read: Reader, architecture: string): Record<string, unknown> {
  const window = read.optional('attention.sliding_window') ?? 0;
  if (window === 0) return {};
  // Qwen's files name a window that llama.cpp does not use.
  return architecture.startsWith('qwen') ? { use_sliding_window: false } : { sliding_window: window };
}

interface Sizes {
  readonly layers: number;
  readonly dim: number;
  readonly heads: number;
  readonly headDim: number;
}

/** Layers of the 27-billion models, whose scores are scaled by another width; files do not say so. */
const LARGE = { gemma2: 46, gemma3: 62 };

function gemma(read: Reader, architecture: string, sizes: Sizes): Record<string, unknown> {
  const { layers, dim, heads, headDim } = sizes;
  const large = layers === LARGE[architecture === 'gemma2' ? 'gemma2' : 'gemma3'];
  const scalar = { query_pre_attn_scalar: large ? dim / heads : headDim };
  if (architecture === 'gemma3') return { ...scalar, sliding_window_pattern: 6 };
  return {
    ...scalar,
    attn_logit_softcapping: read.optional('attn_logit_softcapping') ?? null,
    final_logit_softcapping: read.optional('final_logit_softcapping') ?? null,
  };
}
