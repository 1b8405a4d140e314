/**
 * A base from Hugging Face's `config.json`. Every key that changes what a model computes is read or refused by name; the
 * others (tokens, dropout, dtypes, caches) are nothing a frozen network depends on.
 */
import type { Base } from '../model/model.ts';
import { asNumber, ConfigReader, type Config, type ConfigProblem } from './config-reader.ts';
import type { Family } from './family.ts';
import { families, familyNamed } from './index.ts';
import { readRope } from './config-rope.ts';
import { readWindow } from './config-windows.ts';

/** What of a base a config.json says. */
export type ConfigBase = Omit<Base, 'name' | 'init' | 'weights' | 'tokenizer' | 'config'>;

interface ConfigReading {
  /** Null where the family is not known or a size is missing. */
  readonly base: ConfigBase | null;
  readonly problems: readonly ConfigProblem[];
}

/** Reads the contents of a config.json. */
export function readConfig(config: Config): ConfigReading {
  const type = config['model_type'];
  const family = typeof type === 'string' ? familyNamed(type) : undefined;
  if (family === undefined) return { base: null, problems: [unknownType(type)] };
  const read = new ConfigReader(config);
  const base = readBase(read, family);
  refuseOthers(read, family);
  return { base: read.problems.some(({ fatal }) => fatal) ? null : base, problems: read.problems };
}

const unknownType = (type: unknown): ConfigProblem => ({
  key: 'model_type',
  message: `is of a model of type \`${typeof type === 'string' ? type : 'none'}\``,
  remedy: `known here are ${families.map(({ name }) => `\`${name}\``).join(', ')}`,
  fatal: true,
});

/** As many as `layers` of a base takes. */
const MOST_LAYERS = 2 ** 12;

function readBase(read: ConfigReader, family: Family): ConfigBase {
  const { name, unsaid, biases, windows } = family;
  const heads = read.size('num_attention_heads');
  const dim = read.size('hidden_size');
  const headDim = read.size('head_dim', unsaid.head_dim ?? dim / heads);
  // `null` is as many as query heads in every family; only a missing key is the family's own number.
  const keyHeads = read.raw('num_key_value_heads') === null ? null : unsaid.num_key_value_heads;
  const layers = read.size('num_hidden_layers', undefined, MOST_LAYERS);
  const context = read.size('max_position_embeddings', 2048);
  const linears = biases.flatMap((group) =>
    group.key === 'always' || (group.key !== null && read.flag(group.key)) ? group.linears : [],
  );
  const window = readWindow(read, windows, layers);
  const unrotated = family.unrotated ? readUnrotated(read, unsaid, layers) : [];
  return {
    family: name,
    layers,
    dim,
    heads,
    kvHeads: read.size('num_key_value_heads', keyHeads ?? heads),
    headDim,
    ffn: read.size('intermediate_size'),
    vocab: read.size('vocab_size'),
    context,
    normEps: read.number('rms_norm_eps', unsaid.rms_norm_eps),
    rope: {
      style: 'half',
      ...readRope(read, {
        theta: unsaid.rope_theta,
        context,
        headDim,
        partial: family.partial === true,
        local: family.localTheta ?? null,
      }),
    },
    tied: read.flag('tie_word_embeddings', unsaid.tie_word_embeddings),
    ...(linears.length === 0 ? {} : { biases: linears }),
    ...readScores(read, family, headDim),
    ...(window === undefined ? {} : { window }),
    ...(unrotated.length === 0 ? {} : { unrotated }),
  };
}

/** `no_rope_layers` has a 0 for each layer without rotary positions; where it is missing, every n-th layer is one. */
function readUnrotated(read: ConfigReader, unsaid: Family['unsaid'], layers: number): number[] {
  const list = read.take('no_rope_layers');
  const every = read.number('no_rope_layer_interval', unsaid.no_rope_layer_interval);
  const all = Array.from({ length: layers || 0 }, (_, layer) => layer);
  if (!Array.isArray(list) || list.length === 0) return all.filter((layer) => (layer + 1) % every === 0);
  if (list.length !== layers || list.some((is) => is !== 0 && is !== 1))
    read.refuse('no_rope_layers', `has no 0 or 1 for each of ${layers} layers in \`no_rope_layers\``);
  return all.filter((layer) => list[layer] === 0);
}

/** What config.json calls the activations. */
const ACTIVATIONS: Readonly<Record<Family['activation'], readonly unknown[]>> = {
  silu: ['silu', 'swish'],
  geluTanh: ['gelu_pytorch_tanh'],
};

/**
 * Keys of other networks, with the values at which they change nothing. A key that the family reads is not looked at here.
 * `null`, `false`, a missing key and an empty list or table change nothing anywhere.
 */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  partial_rotary_factor: [1],
  attention_bias: [],
  mlp_bias: [],
  qkv_bias: [],
  use_qk_norm: [],
  qk_norm: [],
  qk_layernorm: [],
  clip_qkv: [],
  quantization_config: [],
  use_sliding_window: [],
  num_experts: [0],
  num_local_experts: [0, 1],
  n_routed_experts: [0],
  attn_logit_softcapping: [],
  final_logit_softcapping: [],
  query_pre_attn_scalar: [],
  attention_multiplier: [],
  embedding_multiplier: [1],
  residual_multiplier: [1],
  logits_scaling: [1],
  logit_scale: [1],
  no_rope_layer_interval: [],
  use_bidirectional_attention: [],
  is_encoder_decoder: [],
  add_cross_attention: [],
};

/** How scores and logits are made, where the family has keys for that. */
function readScores(
  read: ConfigReader,
  { scores }: Family,
  headDim: number,
): Pick<ConfigBase, 'scoreDim' | 'scoreCap' | 'logitCap'> {
  if (scores === undefined) return {};
  // A key that is null says that there is no cap.
  const cap = (key: 'attn_logit_softcapping' | 'final_logit_softcapping'): number | undefined => {
    if (read.raw(key) === undefined) return scores[key] ?? undefined;
    const value = asNumber(read.take(key));
    if (value === null) read.refuse(key, `has no number in \`${key}\``);
    return value ?? undefined;
  };
  const scoreDim = read.number('query_pre_attn_scalar', scores.query_pre_attn_scalar);
  const [scoreCap, logitCap] = [cap('attn_logit_softcapping'), cap('final_logit_softcapping')];
  return {
    ...(scoreDim === headDim ? {} : { scoreDim }),
    ...(scoreCap === undefined ? {} : { scoreCap }),
    ...(logitCap === undefined ? {} : { logitCap }),
  };
}

function refuseOthers(read: ConfigReader, { activation }: Family): void {
  for (const key of ['hidden_act', 'hidden_activation']) {
    const value = read.take(key);
    if (isNothing(value) || ACTIVATIONS[activation].includes(value)) continue;
    read.refuse(key, `has \`${key}\` = ${shown(value)}, which this network does not have`);
  }
  for (const [key, neutral] of Object.entries(NEUTRAL)) {
    const value = read.unread(key);
    if (isNothing(value) || neutral.includes(value)) continue;
    read.refuse(key, `has \`${key}\` = ${shown(value)}, which this network does not have`);
  }
  // 0 in the list: a layer whose queries and keys are not rotated.
  const rotated = read.unread('no_rope_layers');
  if (Array.isArray(rotated) && rotated.includes(0))
    read.refuse('no_rope_layers', 'has `no_rope_layers`: layers without rotary positions');
  const kinds = read.unread('layer_types');
  const other = Array.isArray(kinds) ? kinds.find((kind) => kind !== 'full_attention') : undefined;
  if (other !== undefined)
    read.refuse('layer_types', `has layers of the type \`${String(other)}\` (\`layer_types\`)`);
  // Some families write a window and say elsewhere that no layer uses it.
  const window = read.unread('sliding_window');
  if (!isNothing(window) && read.raw('use_sliding_window') !== false && !Array.isArray(kinds))
    read.refuse('sliding_window', `has a window of ${shown(window)} tokens (\`sliding_window\`)`);
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** A value in a message; of a table, the entry that names what it is. */
function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `\`${String(value)}\``;
  const method = (value as Config)['quant_method'];
  return typeof method === 'string' ? `\`${method}\`` : `\`${JSON.stringify(value).slice(0, 60)}\``;
}
