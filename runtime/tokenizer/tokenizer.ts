/**
 * The one face every tokenizer has, whatever file it came from.
 *
 * Runs in Node and in browsers: files are read elsewhere (`runtime/files.ts`), these modules take their contents.
 */
import { InputError } from '../input-error.ts';

export interface EncodeOptions {
  /** Put the begin-of-sequence id first. Default false. */
  readonly bos?: boolean;
  /** Put the end-of-sequence id last. Default false. */
  readonly eos?: boolean;
}

/** Turns ids into text one at a time, as a model generates them. */
export interface DecodeStream {
  /** Adds one id and returns the text that is now certain; '' while a UTF-8 sequence is incomplete. */
  push(id: number): string;
  /** The rest: what was held back, with U+FFFD in place of an incomplete UTF-8 sequence. */
  end(): string;
}

export interface Tokenizer {
  /** File format it was read from. */
  readonly format: 'llama2c' | 'sentencepiece' | 'huggingface';
  /** Ids are 0 .. vocabSize - 1. */
  readonly vocabSize: number;
  /** Special ids, null where the file has none. */
  readonly bos: number | null;
  readonly eos: number | null;
  readonly pad: number | null;
  readonly unk: number | null;
  /** @throws InputError when `bos` or `eos` is asked for and the tokenizer has none. */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * Text of the ids; control tokens (bos, eos, pad) are left out.
   * @throws InputError for an id outside 0 .. vocabSize - 1.
   */
  decode(ids: Iterable<number>): string;
  decodeStream(): DecodeStream;
}

/** The two special ids around `body`, or an error when one is asked for that does not exist. */
export function frame(
  body: readonly number[],
  options: EncodeOptions,
  tokenizer: Pick<Tokenizer, 'bos' | 'eos'>,
): number[] {
  const special = (name: 'bos' | 'eos'): number[] => {
    if (!options[name]) return [];
    const id = tokenizer[name];
    if (id === null) {
      throw new InputError(
        `the tokenizer has no ${name} token`,
        `use a tokenizer whose file names one, or encode without ${name}`,
      );
    }
    return [id];
  };
  // concat, not spread in a call: a text may have more ids than a call takes arguments.
  return special('bos').concat(body, special('eos'));
}

/** Throws unless `id` is an id of a vocabulary of `vocabSize` tokens. */
export function checkId(id: number, vocabSize: number): void {
  if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
    throw new InputError(
      `token id ${id} is not in the vocabulary of ${vocabSize} tokens`,
      'use the tokenizer the model was trained with',
    );
  }
}
