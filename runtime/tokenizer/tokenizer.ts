/**
 * The one face every tokenizer has, whatever file it came from.
 *
 * Runs in Node and in browsers: files are read elsewhere (`runtime/files.ts`), these modules take their contents.
 */
import { InputError } from '../input-error.ts';

export interface EncodeOptions {
  /** Put the begin-of-sequence id first, unless the text itself begins with that token. Default false. */
  readonly bos?: boolean;
  /** Put the end-of-sequence id last, unless the text itself ends with a token that ends an answer. Default false. */
  readonly eos?: boolean;
  /**
   * The text that this one goes on from, which is encoded apart. Unless it is empty, nothing is put in front of this one,
   * such as the space that SentencePiece spells the first word of a text with; behind an added token of a tokenizer.json
   * this one becomes what it would become in one text with it. Default: none.
   */
  readonly after?: string;
}

/** Turns ids into text one at a time, as a model generates them. */
export interface DecodeStream {
  /** Adds one id and returns the text that is now certain; '' while a UTF-8 sequence is incomplete. */
  push(id: number): string;
  /** The rest: what was held back, with U+FFFD in place of an incomplete UTF-8 sequence. */
  end(): string;
}

/** What generation has to know of a tokenizer: which ids an answer may be made of, and which end it. */
export interface Vocabulary {
  /** Ids are below this. A base may have more: rows that pad its vocabulary, and belong to no token. */
  readonly vocabSize: number;
  /** Ids below `vocabSize` that belong to no token, ascending. */
  readonly gaps: readonly number[];
  /** Ids that end an answer: the tokenizer's own end, and `eos_token_id` of config.json and generation_config.json. */
  readonly ends: ReadonlySet<number>;
}

/** A model's own chat template as its files have it, and the texts of the tokens that it is given. */
export interface ChatSource {
  /** Jinja. */
  readonly template: string;
  readonly bos: string | null;
  readonly eos: string | null;
  /** Text and id of every special token: one of them ends a turn. */
  readonly special: ReadonlyMap<string, number>;
}

export interface Tokenizer extends Vocabulary {
  /** File format it was read from. */
  readonly format: 'llama2c' | 'sentencepiece' | 'huggingface';
  /** The id that is put in front of a text; null: none is, even where a token has the name of one. */
  readonly bos: number | null;
  /** The id that is learned as the end of a text; null: none is. */
  readonly eos: number | null;
  readonly pad: number | null;
  /** The id that text without a token of its own becomes; null where there is none. */
  readonly unk: number | null;
  /** Name of its file, for messages. Absent where it was made of something else. */
  readonly file?: string;
  /** The chat template of the model's files; absent where they have none, or where a file cannot hold its tokens. */
  readonly chat?: ChatSource;
  /** @throws InputError when `bos` or `eos` is asked for and the tokenizer has none. */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * Text of the ids; control tokens (bos, eos, pad) are left out.
   * @throws InputError for an id that belongs to no token.
   */
  decode(ids: Iterable<number>): string;
  decodeStream(): DecodeStream;
}

/** Whether a text writes the begin token first, or a token that ends an answer last, blanks aside. */
export interface Written {
  readonly begin: boolean;
  readonly end: boolean;
}

/**
 * `body` with the two special ids around it, each only where the text does not write it itself.
 * @throws InputError when one is asked for that does not exist
 */
export function frame(
  body: readonly number[],
  written: Written,
  options: EncodeOptions,
  tokenizer: Pick<Tokenizer, 'bos' | 'eos'>,
): number[] {
  const special = (name: 'bos' | 'eos', there: boolean): number[] => {
    if (!options[name]) return [];
    const id = tokenizer[name];
    if (id === null) {
      throw new InputError(
        `the tokenizer has no ${name} token`,
        `use a tokenizer whose file names one, or encode without ${name}`,
      );
    }
    return there ? [] : [id];
  };
  // concat, not spread in a call: a text may have more ids than a call takes arguments.
  return special('bos', written.begin).concat(body, special('eos', written.end));
}

/** Index of the end that closes a text, where nothing but blanks stands behind it; -1 where none does. */
export function closingEnd(
  ids: readonly number[],
  { ends, decode }: Pick<Tokenizer, 'ends' | 'decode'>,
): number {
  const at = ids.findLastIndex((id) => ends.has(id));
  return at >= 0 && decode(ids.slice(at + 1)).trim() === '' ? at : -1;
}

/** The ends of answers: a tokenizer's own, and what files beside it (config.json and the like) name. */
export const endsOf = (eos: number | null, models: readonly unknown[]): ReadonlySet<number> =>
  new Set([...(eos === null ? [] : [eos]), ...models.flatMap(endIds)]);

/** `eos_token_id` of a config.json or generation_config.json: one id, or a list of them. */
export function endIds(config: unknown): number[] {
  const named = (config as { eos_token_id?: unknown } | null | undefined)?.eos_token_id;
  return [named]
    .flat()
    .filter((id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0);
}

/** Throws unless `id` is that of a token. */
export function checkId(id: number, { vocabSize, gaps }: Pick<Vocabulary, 'vocabSize' | 'gaps'>): void {
  if (!Number.isInteger(id) || id < 0 || id >= vocabSize || gaps.includes(id)) {
    throw new InputError(
      `token id ${id} is not in the vocabulary of ${vocabSize} tokens`,
      'use the tokenizer the model was trained with',
    );
  }
}
