/**
 * Hugging Face `tokenizer.json`, encoded and decoded by @huggingface/tokenizers.
 */
import * as library from '@huggingface/tokenizers';
import { InputError } from '../input-error.ts';
import { byteCharacters } from './byte-level.ts';
import { checkId, frame, type DecodeStream, type Tokenizer } from './tokenizer.ts';

/** Names special tokens go by when no tokenizer_config.json says which is which. */
const usual = {
  bos: ['<s>', '<|begin_of_text|>', '<bos>', '[BOS]', '<|startoftext|>', '<|im_start|>'],
  eos: ['</s>', '<|end_of_text|>', '<eos>', '[EOS]', '<|endoftext|>', '<|im_end|>'],
  pad: ['<pad>', '[PAD]', '<|pad|>'],
  unk: ['<unk>', '[UNK]'],
} as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a tokenizer.json.
 * @param json the parsed file; `trainBpe` returns one
 * @param config the parsed tokenizer_config.json beside it, which names bos, eos and pad
 * @param file name of the file, for messages
 * @throws InputError when it is not a tokenizer.json
 */
export function huggingfaceTokenizer(
  json: unknown,
  config: unknown = {},
  file = 'tokenizer.json',
): Tokenizer {
  const inner = build(json, config, file);
  const special = new Set<number>();
  for (const token of inner.get_added_tokens_decoder().values()) if (token.special) special.add(token.id);
  let vocabSize = 0;
  for (const id of inner.get_vocab().values()) vocabSize = Math.max(vocabSize, id + 1);

  const find = (kind: keyof typeof usual): number | null => {
    const named = tokenContent((config as Json)[`${kind}_token`]);
    for (const content of named === null ? usual[kind] : [named]) {
      const id = inner.token_to_id(content);
      if (id !== undefined) return id;
    }
    return null;
  };
  const ids = { bos: find('bos'), eos: find('eos'), pad: find('pad'), unk: find('unk') };

  const decode = (list: readonly number[]): string => {
    for (const id of list) checkId(id, vocabSize);
    const kept = list.filter((id) => !special.has(id));
    // The library refuses an empty list.
    return kept.length === 0 ? '' : inner.decode(kept, { clean_up_tokenization_spaces: false });
  };
  return {
    format: 'huggingface',
    vocabSize,
    ...ids,
    encode: (text, options = {}) =>
      frame(text === '' ? [] : inner.encode(text, { add_special_tokens: false }).ids, options, ids),
    decode: (list) => decode([...list]),
    decodeStream: () => {
      const pieces = isByteLevel(json) ? byteLevelStream(inner) : windowedStream(decode);
      return {
        push(id) {
          checkId(id, vocabSize);
          return special.has(id) ? '' : pieces.push(id);
        },
        end: () => pieces.end(),
      };
    },
  };
}

function build(json: unknown, config: unknown, file: string): library.Tokenizer {
  try {
    return new library.Tokenizer(json, config);
  } catch (cause) {
    throw new InputError(
      `${file} is not a tokenizer.json that can be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      'give the `tokenizer.json` of a Hugging Face model, or a SentencePiece `tokenizer.model`',
      { cause },
    );
  }
}

/** tokenizer_config.json writes a token as its text or as an object with `content`. */
function tokenContent(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'content' in value) return String(value.content);
  return null;
}

const isByteLevel = (json: unknown): boolean => {
  const decoder = (json as { decoder?: { type?: unknown } | null }).decoder;
  return decoder?.type === 'ByteLevel';
};

const byteOfCharacter = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** Byte-level tokens are bytes: exact, whatever they are. */
function byteLevelStream(inner: library.Tokenizer): DecodeStream {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const added = inner.get_added_tokens_decoder();
  return {
    push(id) {
      const content = added.get(id)?.content;
      if (content !== undefined) return utf8.decode() + content;
      const token: string = inner.id_to_token(id) ?? '';
      const bytes = Array.from(token, (character) => byteOfCharacter.get(character) ?? 0x3f);
      return utf8.decode(Uint8Array.from(bytes), { stream: true });
    },
    end: () => utf8.decode(),
  };
}

/**
 * Streams any decoder: it decodes the last few ids with and without the new ones and gives the difference, once it
 * does not end in an unfinished character. (The same scheme as vLLM's and text-generation-inference's.)
 */
function windowedStream(decode: (ids: readonly number[]) => string): DecodeStream {
  let window: number[] = [];
  // Ids of `window` whose text has been given out.
  let given = 0;
  const fresh = (): string => decode(window).slice(decode(window.slice(0, given)).length);
  const advance = (text: string): string => {
    // The ids given out last stay, so that a decoder that treats the first token specially does not see one.
    if (given > 0) window = window.slice(given);
    given = window.length;
    return text;
  };
  return {
    push(id) {
      window.push(id);
      const text = fresh();
      // Such tokens hold one byte each and four are the longest character: what is broken after four stays so.
      if (text === '' || (text.endsWith('\ufffd') && window.length - given < 4)) return '';
      return advance(text);
    },
    end: () => advance(fresh()),
  };
}
