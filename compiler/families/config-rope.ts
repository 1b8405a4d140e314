/**
 * Rotary positions in a config.json: `rope_theta` and `rope_scaling` as transformers 4 writes them, with `type` or
 * `rope_type`; or `rope_parameters` as transformers 5 does, with the angle inside.
 */
import type { Base } from '../model/model.ts';
import type { RopeScaling } from '../model/rope.ts';
import { factorsOf, YARN } from './rotary.ts';
import { asNumber, type Config, type ConfigReader, isTable } from './config-reader.ts';

type Rope = Pick<Base['rope'], 'theta' | 'size' | 'windowTheta' | 'scaling'>;

/** What the rotary positions of a family may be, and the sizes they depend on. */
interface RopeOf {
  /** `rope_theta` where none is written. */
  readonly theta: number;
  /** `max_position_embeddings`. */
  readonly context: number;
  readonly headDim: number;
  /** Whether `partial_rotary_factor` is understood. */
  readonly partial: boolean;
  /** The angle of layers with a window where none is written; null: they turn as the others do. */
  readonly local: number | null;
}

export function readRope(read: ConfigReader, of: RopeOf): Rope {
  const { context } = of;
  const beside = read.number('rope_theta', NaN);
  const [parameters, scaling] = ['rope_parameters', 'rope_scaling'].map((key) => {
    const value = read.take(key);
    return isTable(value) && Object.keys(value).length > 0 ? { key, table: value } : null;
  });
  const plain = {
    theta: Number.isNaN(beside) ? of.theta : beside,
    ...partOf(read, of, of.partial ? read.take(FACTOR) : undefined),
  };
  const byType = parameters && of.local !== null ? tablesByType(parameters.table) : null;
  const local = of.local === null ? {} : localTheta(read, of.local, byType?.local);
  const found = parameters && byType ? { key: parameters.key, table: byType.full } : (parameters ?? scaling);
  if (!found) return { ...plain, ...local };
  const { key, table } = found;
  if (Object.values(table).some(isTable)) {
    read.refuse(key, `gives each type of layer rotary positions of its own (\`${key}\`)`);
    return plain;
  }
  const reader = new RopeReader(read, key, table, of.partial);
  const theta = reader.number('rope_theta', plain.theta);
  if (!Number.isNaN(beside) && theta !== beside)
    read.refuse(key, `says \`rope_theta\` = ${beside} and ${theta} inside \`${key}\``);
  const rope = {
    ...plain,
    ...local,
    theta,
    ...(of.partial ? partOf(read, of, table[FACTOR]) : {}),
    ...reader.scaling(context),
  };
  const pairs = (rope.size ?? of.headDim) / 2;
  for (const { length } of factorsOf(rope.scaling))
    if (length !== pairs)
      read.refuse(key, `has ${length} factors of frequencies for ${pairs} pairs of numbers`);
  if (parameters && scaling && !sameScaling(read, scaling.table, rope.scaling, context))
    read.refuse('rope_scaling', 'scales its positions in `rope_scaling` otherwise than in `rope_parameters`');
  return rope;
}

/** The tables of layers that see all keys and of those with a window, where each type of layer has its own. */
function tablesByType(table: Config): { readonly full: Config; readonly local: Config } | null {
  const { full_attention: full, sliding_attention: local, ...others } = table;
  return isTable(full) && isTable(local) && Object.keys(others).length === 0 ? { full, local } : null;
}

/** The angle of layers with a window: `rope_local_base_freq`, or in a table of their own. */
function localTheta(
  read: ConfigReader,
  unsaid: number,
  table: Config | undefined,
): Pick<Rope, 'windowTheta'> {
  const beside = read.number('rope_local_base_freq', unsaid);
  if (table === undefined) return { windowTheta: beside };
  const reader = new RopeReader(read, 'rope_parameters', table, false);
  if (reader.scaling(NaN).scaling !== undefined)
    read.refuse('rope_parameters', 'scales the positions of layers with a window (`rope_parameters`)');
  return { windowTheta: reader.number('rope_theta', beside) };
}

const FACTOR = 'partial_rotary_factor';

/** How many numbers of a head turn, where they are not all. */
function partOf(read: ConfigReader, { headDim }: RopeOf, factor: unknown): Pick<Rope, 'size'> {
  const share = asNumber(factor);
  if (share === undefined || share === 1) return {};
  const size = Math.floor(headDim * (share ?? NaN));
  if (size >= 2 && size % 2 === 0 && size < headDim) return { size };
  read.refuse(FACTOR, `turns \`${String(factor)}\` of a head of ${headDim} numbers (\`${FACTOR}\`)`);
  return {};
}

function sameScaling(
  read: ConfigReader,
  table: Config,
  scaling: RopeScaling | undefined,
  context: number,
): boolean {
  const other = new RopeReader(read, 'rope_scaling', table, true).scaling(context);
  return JSON.stringify(other.scaling) === JSON.stringify(scaling);
}

/** One table of rotary parameters. */
class RopeReader {
  readonly #read: ConfigReader;
  readonly #key: string;
  readonly #table: Config;
  readonly #partial: boolean;

  constructor(read: ConfigReader, key: string, table: Config, partial: boolean) {
    this.#read = read;
    this.#key = key;
    this.#table = table;
    this.#partial = partial;
  }

  number(name: string, unsaid?: number): number {
    const value = asNumber(this.#table[name]);
    if (typeof value === 'number') return value;
    if (value === undefined && unsaid !== undefined) return unsaid;
    this.#read.refuse(this.#key, `has no number \`${name}\` in \`${this.#key}\``);
    return NaN;
  }

  /** The factor on cos and sin where one is written. */
  #attention(): number | null {
    const unsaid = asNumber(this.#table['attention_factor']) === undefined;
    return unsaid ? null : this.number('attention_factor');
  }

  #longrope(context: number): RopeScaling {
    const beside = asNumber(this.#read.take('original_max_position_embeddings')) ?? undefined;
    const original = this.number('original_max_position_embeddings', beside);
    return {
      kind: 'longrope',
      factor: this.number('factor', context / original),
      original,
      long: this.#numbers('long_factor'),
      short: this.#numbers('short_factor'),
      attention: this.#attention(),
    };
  }

  #numbers(name: string): number[] {
    const list = this.#table[name];
    const numbers = Array.isArray(list) ? list.map((value) => asNumber(value) ?? NaN) : [];
    if (numbers.length === 0 || !numbers.every((value) => value > 0))
      this.#read.refuse(this.#key, `has no list of numbers above 0 in \`${name}\` of \`${this.#key}\``);
    return numbers;
  }

  scaling(context: number): { readonly scaling?: RopeScaling } {
    const type = this.#table['rope_type'] ?? this.#table['type'] ?? 'default';
    const scaling = this.#scalingOf(type, context);
    if (scaling === undefined) return {};
    this.#refuseUnknown(scaling.kind);
    return { scaling };
  }

  #scalingOf(type: unknown, context: number): RopeScaling | undefined {
    const factor = () => this.number('factor');
    switch (type) {
      case 'default':
        this.#refuseUnknown('default');
        return undefined;
      case 'linear':
        return { kind: 'linear', factor: factor() };
      case 'frequency_factors':
        return { kind: 'factors', by: this.#numbers('frequency_factors') };
      case 'dynamic':
        return { kind: 'dynamic', factor: factor(), original: context };
      case 'su':
      case 'longrope':
        return this.#longrope(context);
      case 'llama3':
        return {
          kind: 'llama3',
          factor: factor(),
          low: this.number('low_freq_factor'),
          high: this.number('high_freq_factor'),
          original: this.number('original_max_position_embeddings'),
        };
      case 'yarn':
        // Phi-3's first files called longrope so.
        if (this.#table['long_factor'] !== undefined) return this.#longrope(context);
        return {
          kind: 'yarn',
          factor: factor(),
          original: this.number('original_max_position_embeddings', context),
          fast: this.number('beta_fast', YARN.fast),
          slow: this.number('beta_slow', YARN.slow),
          attention: this.#attention(),
          truncate: this.#table['truncate'] !== false,
        };
      default:
        this.#read.refuse(
          this.#key,
          `scales its positions by \`${String(type)}\` (\`rope_type\` in \`${this.#key}\`)`,
        );
        return undefined;
    }
  }

  /** Keys that say more than is read, such as `mscale` of yarn. */
  #refuseUnknown(type: keyof typeof KEYS): void {
    const known = ['rope_type', 'type', 'rope_theta', ...KEYS[type]];
    for (const [name, value] of Object.entries(this.#table)) {
      const neutral =
        value === null || value === false || (name === FACTOR && (this.#partial || asNumber(value) === 1));
      if (known.includes(name) || neutral) continue;
      this.#read.refuse(this.#key, `has \`${name}\` = \`${JSON.stringify(value)}\` in \`${this.#key}\``);
    }
  }
}

/** The keys that each type of rotary positions is made of, beside `rope_theta` and the type. */
const KEYS: Readonly<Record<'default' | RopeScaling['kind'], readonly string[]>> = {
  default: [],
  factors: ['frequency_factors'],
  dynamic: ['factor'],
  longrope: [
    ...['factor', 'original_max_position_embeddings', 'long_factor', 'short_factor'],
    'attention_factor',
  ],
  linear: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
  yarn: [
    ...['factor', 'original_max_position_embeddings', 'beta_fast', 'beta_slow'],
    ...['attention_factor', 'truncate'],
  ],
};
