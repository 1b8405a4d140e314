/**
 * Which token begins a text, ends it, pads it and stands for the unknown, as the files of a Hugging Face folder say.
 *
 * In each of those files `null` means that there is no such token, and a key that is missing says nothing.
 * Sources: huggingface/transformers tokenization_utils_tokenizers.py and tokenization_llama_fast.py (`add_bos_token`
 * wins over the post-processor), huggingface/tokenizers processors/template.rs.
 */
import { InputError } from '../input-error.ts';
import { endIds } from './tokenizer.ts';

/** Names special tokens go by where no file says which is which. */
const usual = {
  bos: ['<s>', '<|begin_of_text|>', '<bos>', '[BOS]', '<|startoftext|>'],
  eos: ['</s>', '<|end_of_text|>', '<eos>', '[EOS]', '<|endoftext|>', '<|im_end|>'],
  pad: ['<pad>', '[PAD]', '<|pad|>'],
  unk: ['<unk>', '[UNK]'],
} as const;
type Kind = keyof typeof usual;

type Json = Readonly<Record<string, unknown>>;

/** What is known of a tokenizer.json and the files beside it. */
export interface Named {
  /** tokenizer.json, parsed. */
  readonly json: Json;
  /** tokenizer_config.json, with special_tokens_map.json for what it leaves out. */
  readonly config: Json;
  /** config.json and generation_config.json of the model. */
  readonly models: readonly unknown[];
  /** Name of the tokenizer's file, for messages. */
  readonly file: string;
  /** Id of a token's text; undefined where there is no such token. */
  readonly idOf: (content: string) => number | undefined;
}

export interface SpecialIds {
  readonly bos: number | null;
  readonly eos: number | null;
  readonly pad: number | null;
  readonly unk: number | null;
}

/** @throws InputError when a file names an end, or a begin that is to be prepended, which is no token */
export function specialIds(named: Named): SpecialIds {
  const model = named.json['model'] as Json;
  const emitted = tokenContent(model['unk_token']);
  return {
    bos: beginOf(named),
    eos: endOf(named),
    pad: lenient(named, 'pad'),
    // What the model itself turns unknown text into is a fact, whatever another file calls its unknown token.
    unk: (emitted === null ? undefined : named.idOf(emitted)) ?? lenient(named, 'unk'),
  };
}

/** The id in front of a text: `add_bos_token` decides where it is written, otherwise the post-processor. */
function beginOf(named: Named): number | null {
  const { config, json, idOf, file } = named;
  const { add_bos_token: add, bos_token: name } = config;
  if (add === false || name === null) return null;
  if (add === true) return name === undefined ? ofUsual(named, 'bos') : required(named, 'bos');
  const before = prefixOf(json['post_processor'], idOf);
  if (before.length > 1)
    throw new InputError(
      `${file}: its post-processor puts ${before.length} tokens in front of a text (${before.join(', ')}), and only one is supported`,
      'write them in the template instead, and `"add_bos_token": false` in tokenizer_config.json',
    );
  return before[0] ?? null;
}

/** Ids that a post-processor puts in front of a text. */
function prefixOf(processor: unknown, idOf: Named['idOf']): number[] {
  const { type, ...fields } = (processor ?? {}) as Json;
  if (type === 'Sequence')
    return (fields['processors'] as unknown[]).flatMap((inner) => prefixOf(inner, idOf));
  // BERT's and RoBERTa's write theirs as [text, id].
  if (type === 'BertProcessing' || type === 'RobertaProcessing')
    return [(fields['cls'] as [string, number])[1]];
  if (type !== 'TemplateProcessing') return [];
  const single = fields['single'] as readonly Json[];
  const text = single.findIndex((piece) => 'Sequence' in piece);
  const known = (fields['special_tokens'] ?? {}) as Readonly<Record<string, { ids?: readonly number[] }>>;
  return single.slice(0, Math.max(0, text)).flatMap((piece) => {
    const { id } = piece['SpecialToken'] as { id: string };
    return known[id]?.ids ?? idOf(id) ?? [];
  });
}

/** The end that is learned: the tokenizer's, else the model's first that is a token, else one of a usual name. */
function endOf(named: Named): number | null {
  const { config, models, json } = named;
  if (config['eos_token'] === null) return null;
  if (config['eos_token'] !== undefined) return required(named, 'eos');
  const tokens = new Set(addedIds(json));
  return models.flatMap(endIds).find((id) => tokens.has(id)) ?? ofUsual(named, 'eos');
}

const addedIds = (json: Json): number[] =>
  ((json['added_tokens'] ?? []) as readonly { readonly id: number }[]).map(({ id }) => id);

/** Padding and unknown tokens are not put anywhere, so a name without a token does no harm. */
function lenient(named: Named, kind: Kind): number | null {
  const value = named.config[`${kind}_token`];
  if (value === null) return null;
  const content = tokenContent(value);
  return content === null ? ofUsual(named, kind) : (named.idOf(content) ?? null);
}

function required({ config, idOf, file }: Named, kind: Kind): number {
  const content = tokenContent(config[`${kind}_token`]);
  const id = content === null ? undefined : idOf(content);
  if (id !== undefined) return id;
  throw new InputError(
    `${file} has no token ${JSON.stringify(content ?? config[`${kind}_token`])}, which tokenizer_config.json or special_tokens_map.json beside it names as \`${kind}_token\``,
    'get both files from the same model',
  );
}

function ofUsual({ idOf }: Named, kind: Kind): number | null {
  for (const content of usual[kind]) {
    const id = idOf(content);
    if (id !== undefined) return id;
  }
  return null;
}

/** A token is written as its text, or as an object with `content`. */
export function tokenContent(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'content' in value) return String(value.content);
  return null;
}

/**
 * tokenizer.json with the added tokens that only tokenizer_config.json lists, as transformers adds them when it opens a
 * folder.
 */
export function withAddedTokens(json: Json, config: Json): Json {
  const own = (json['added_tokens'] ?? []) as readonly { readonly content: string }[];
  const known = new Set(own.map(({ content }) => content));
  const listed = Object.entries((config['added_tokens_decoder'] ?? {}) as Readonly<Record<string, Json>>);
  const vocab = (json['model'] as Json | undefined)?.['vocab'];
  const missing = listed
    .filter(([, { content }]) => typeof content === 'string' && !known.has(content))
    .map(([id, fields]) => ({ ...fields, id: Number(id) }))
    .filter(({ id }) => !own.some((token) => 'id' in token && token.id === id));
  return missing.length === 0 || vocab === undefined ? json : { ...json, added_tokens: [...own, ...missing] };
}
