/**
 * adapter_config.json of a PEFT folder: which method it is, and a refusal, by its key, of everything that would change what
 * the numbers mean and is not understood. Newer releases add keys, so a key that is not known here may only be empty.
 */
import { InputError } from '../input-error.ts';

/** The methods of PEFT that are read, by their `peft_type`. */
export const peftTypes = [
  'LORA',
  'IA3',
  'PROMPT_TUNING',
  'PREFIX_TUNING',
  'ADAPTION_PROMPT',
  'LN_TUNING',
] as const;
export type PeftType = (typeof peftTypes)[number];

/** A read adapter_config.json. */
export interface PeftConfig {
  /** The file, for messages. */
  readonly file: string;
  readonly type: PeftType;
  /** The model it was trained on: a name on the hub or a folder; null where the file does not say. */
  readonly base: string | null;
  /** Every key, as it stands in the file. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Keys that say nothing about the numbers: how training started or how it was run, and what wrote the file. */
const IDLE = [
  'auto_mapping',
  'base_model_name_or_path',
  'encoder_hidden_size',
  'inference_mode',
  'init_ia3_weights',
  'init_weights',
  'lora_dropout',
  'megatron_core',
  'num_transformer_submodules',
  'peft_type',
  'peft_version',
  'prompt_tuning_init',
  'prompt_tuning_init_state_dict_path',
  'prompt_tuning_init_text',
  'qalora_group_size',
  'revision',
  'task_type',
  'tokenizer_kwargs',
  'tokenizer_name_or_path',
];

/** Keys that are read, by method. */
const READ: Readonly<Record<PeftType, readonly string[]>> = {
  LORA: [
    'r',
    'lora_alpha',
    'use_rslora',
    'use_dora',
    'rank_pattern',
    'alpha_pattern',
    'target_modules',
    'exclude_modules',
    'layers_to_transform',
    'layers_pattern',
    'bias',
    'modules_to_save',
    'ensure_weight_tying',
    'init_lora_weights',
  ],
  IA3: ['target_modules', 'exclude_modules', 'feedforward_modules', 'modules_to_save'],
  PROMPT_TUNING: ['num_virtual_tokens', 'token_dim', 'num_layers', 'num_attention_heads'],
  // `prefix_projection`: its file holds what the projection made, not the projection.
  PREFIX_TUNING: [
    'num_virtual_tokens',
    'token_dim',
    'num_layers',
    'num_attention_heads',
    'prefix_projection',
  ],
  ADAPTION_PROMPT: ['adapter_len', 'adapter_layers', 'target_modules'],
  LN_TUNING: ['target_modules', 'exclude_modules', 'modules_to_save'],
};

/** Starts of a LoRA that leave the base's weights alone; pissa, olora, corda, eva and loftq change them. */
const HARMLESS_STARTS: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'orthogonal'];

const MERGE_INSTEAD =
  'merge it into its base in Python, `PeftModel.from_pretrained(model, "FOLDER").merge_and_unload().save_pretrained("OUT")`, and give OUT as the folder of a base';

/**
 * @param json the contents of `file`
 * @throws InputError naming the method, or the key, that is not understood
 */
export function readPeftConfig(json: unknown, file: string): PeftConfig {
  if (!isRecord(json)) throw new InputError(`${file} is no JSON object`, 'give the folder that PEFT saved');
  const type = peftTypes.find((known) => known === json['peft_type']);
  if (type === undefined)
    throw new InputError(
      `${file}: \`peft_type\` is ${show(json['peft_type'])}, which is not read here`,
      `what is read is ${peftTypes.join(', ')}; or ${MERGE_INSTEAD}`,
    );
  const base = json['base_model_name_or_path'];
  const config = { file, type, base: typeof base === 'string' && base !== '' ? base : null, values: json };
  for (const [key, value] of Object.entries(json))
    if (!IDLE.includes(key) && !READ[type].includes(key) && !isEmpty(value)) throw notUnderstood(config, key);
  if (!HARMLESS_STARTS.includes(json['init_lora_weights']))
    throw new InputError(
      `${file}: \`init_lora_weights\` is ${show(json['init_lora_weights'])}: the base's weights were changed when training started, and the adapter belongs to the changed ones`,
      'write it out in Python as a plain LoRA with `save_pretrained(..., path_initial_model_for_weight_conversion=...)`, or merge it there',
    );
  return config;
}

/** Says that a key has a value that is not understood. */
export const notUnderstood = ({ file, values }: PeftConfig, key: string, why = ''): InputError =>
  new InputError(
    `${file}: \`${key}\` is ${show(values[key])}, ${why === '' ? 'which is not understood here and would change what the adapter computes' : why}`,
    MERGE_INSTEAD,
  );

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'not there';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** null, false, an empty text, list or object: the key switches nothing on. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** A number. @throws InputError when it is none */
export function numberAt({ file, values }: PeftConfig, key: string): number {
  const value = values[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new InputError(`${file}: \`${key}\` is ${show(value)}, not a number`, 'get the file again');
}

/** A switch; one that is not there is off. @throws InputError when it is neither on nor off */
export function flagAt({ file, values }: PeftConfig, key: string): boolean {
  const value = values[key];
  if (value === true) return true;
  if (isEmpty(value)) return false;
  throw new InputError(`${file}: \`${key}\` is ${show(value)}, not true or false`, 'get the file again');
}

/** A list of texts, or a list of one; empty where the key is not there. @throws InputError for anything else */
export function namesAt({ file, values }: PeftConfig, key: string): readonly string[] {
  const value = values[key];
  if (isEmpty(value)) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((name): name is string => typeof name === 'string')) return list;
  throw new InputError(`${file}: \`${key}\` is ${show(value)}, not a list of names`, 'get the file again');
}

/** Names with a number each, in the order in which they stand. @throws InputError for anything else */
export function numbersAt({ file, values }: PeftConfig, key: string): readonly (readonly [string, number])[] {
  const value = values[key];
  if (isEmpty(value)) return [];
  const entries = isRecord(value) ? Object.entries(value) : [];
  const good = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  if (good.length > 0 && good.length === entries.length) return good;
  throw new InputError(
    `${file}: \`${key}\` is ${show(value)}, not names with a number each`,
    'get the file again',
  );
}

/** Whole numbers, or one of them; null where the key is not there. @throws InputError for anything else */
export function layersAt({ file, values }: PeftConfig, key: string): readonly number[] | null {
  const value = values[key];
  if (isEmpty(value)) return null;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((layer): layer is number => Number.isSafeInteger(layer))) return list;
  throw new InputError(`${file}: \`${key}\` is ${show(value)}, not a list of layers`, 'get the file again');
}
