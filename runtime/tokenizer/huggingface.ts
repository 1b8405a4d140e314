/**
 * Hugging Face `tokenizer.json`, encoded and decoded by @huggingface/tokenizers.
 */
import * as library from '@huggingface/tokenizers';
import { InputError } from '../input-error.ts';
import { byteCharacters } from './byte-level.ts';
import { repairByteRuns } from './byte-runs.ts';
import { type Split, withoutLiteralSpaces } from './literal-spaces.ts';
import { specialIds, tokenContent, withAddedTokens } from './special-tokens.ts';
import {
  type ChatSource,
  checkId,
  type DecodeStream,
  endsOf,
  frame,
  type Tokenizer,
  type Written,
} from './tokenizer.ts';
import { withoutPrefix } from './without-prefix.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a tokenizer.json.
 * @param json the parsed file; `trainBpe` returns one
 * @param config the parsed tokenizer_config.json beside it, with special_tokens_map.json for what it leaves out: they name
 * bos, eos, pad and unk, and say whether bos is prepended
 * @param file name of the file, for messages
 * @param models config.json and generation_config.json beside it, parsed: they may name further ends
 * @throws InputError when it is not a tokenizer.json, or names a token it does not have
 */
export function huggingfaceTokenizer(
  json: unknown,
  config: unknown = {},
  file = 'tokenizer.json',
  models: readonly unknown[] = [],
): Tokenizer {
  const whole = build(json, config, file);
  const { inner } = whole;
  const special = new Set<number>();
  const added = inner.get_added_tokens_decoder();
  for (const token of added.values()) if (token.special) special.add(token.id);
  let vocabSize = 0;
  for (const id of inner.get_vocab().values()) vocabSize = Math.max(vocabSize, id + 1);
  const gaps: number[] = [];
  for (let id = 0; id < vocabSize; id++) if (inner.id_to_token(id) === undefined) gaps.push(id);
  const ids = specialIds({
    json: whole.json,
    config: config as Json,
    models,
    file,
    idOf: (content) => inner.token_to_id(content),
  });
  const ends = endsOf(ids.eos, models);
  // The name of any other token is ordinary text.
  const begin = ids.bos === null ? undefined : added.get(ids.bos)?.content;
  const closing = [...ends].flatMap((id) => added.get(id)?.content ?? []);
  const writtenIn = (text: string): Written => ({
    begin: begin !== undefined && text.startsWith(begin),
    end: closing.some((end) => text.trimEnd().endsWith(end)),
  });
  const known = { vocabSize, gaps };

  const repair = repairByteRuns(whole.json, (token) => inner.token_to_id(token));
  const decode = (list: readonly number[]): string => {
    for (const id of list) checkId(id, known);
    const kept = list.filter((id) => !special.has(id));
    const repaired = repair === null ? kept : repair(kept);
    // The library refuses an empty list.
    return repaired.length === 0 ? '' : inner.decode(repaired, { clean_up_tokenization_spaces: false });
  };
  const encode = encoderOf(whole);
  const encodeAfter = continuing(whole, (changed) => build(changed, config, file));
  const chat = chatSourceOf(config as Json, {
    bos: begin ?? null,
    eos: ids.eos === null ? null : (added.get(ids.eos)?.content ?? null),
    special: new Map([...added.values()].flatMap((one) => (one.special ? [[one.content, one.id]] : []))),
  });
  return {
    format: 'huggingface',
    file,
    ...known,
    ...ids,
    ends,
    ...(chat ? { chat } : {}),
    encode(text, options = {}) {
      const { after = '' } = options;
      const body = after === '' ? encode(text) : encodeAfter(text, after);
      return frame(body, writtenIn(text), options, ids);
    },
    decode: (list) => decode([...list]),
    decodeStream: () => {
      const pieces = isByteLevel(json) ? byteLevelStream(inner) : windowedStream(decode);
      return {
        push(id) {
          checkId(id, known);
          return special.has(id) ? '' : pieces.push(id);
        },
        end: () => pieces.end(),
      };
    },
  };
}

/**
 * The chat template of tokenizer_config.json: a text, or a list of several by name, of which `default` counts.
 * @param known texts of begin and end where the file names none
 */
function chatSourceOf(config: Json, known: Omit<ChatSource, 'template'>): ChatSource | null {
  const { chat_template: given, bos_token: bos, eos_token: eos } = config;
  const list = Array.isArray(given) ? (given as readonly Json[]) : [{ name: 'default', template: given }];
  const template = list.find(({ name }) => name === 'default')?.['template'];
  if (typeof template !== 'string') return null;
  return { ...known, template, bos: tokenContent(bos) ?? known.bos, eos: tokenContent(eos) ?? known.eos };
}

interface Built {
  readonly json: Json;
  readonly inner: library.Tokenizer;
  readonly pieces: Split['pieces'];
}

function build(json: unknown, config: unknown, file: string): Built {
  try {
    const all = withAddedTokens(json as Json, config as Json);
    const { json: known, pieces } = withoutLiteralSpaces(all);
    return { json: all, inner: new library.Tokenizer(known, config), pieces };
  } catch (cause) {
    throw new InputError(
      `${file} is not a tokenizer.json that can be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      'give the `tokenizer.json` of a Hugging Face model, or a SentencePiece `tokenizer.model`',
      { cause },
    );
  }
}

type Encode = (text: string) => number[];

const encoderOf =
  ({ inner, pieces }: Pick<Built, 'inner' | 'pieces'>): Encode =>
  (text) =>
    pieces(text).flatMap((piece) => {
      if (typeof piece === 'number') return [piece];
      return piece === '' ? [] : inner.encode(piece, { add_special_tokens: false }).ids;
    });

/**
 * Encodes what goes on from another text: nothing is put in front of it. Behind an added token, within it or at the end of
 * the other text, a new word begins as it does in any text.
 */
function continuing(whole: Built, rebuild: (json: Json) => Built): (text: string, after: string) => number[] {
  const { json, inner } = whole;
  const changed = withoutPrefix(json);
  const encode = encoderOf(whole);
  const added = [...inner.get_added_tokens_decoder().values()];
  let bare: Encode | null = null;
  return (text, after) => {
    const before = added.find(({ content }) => content !== '' && after.endsWith(content));
    // The added token cuts the text in two, and takes blanks behind it where it is said to.
    if (before) return encode(before.content + text).slice(encode(before.content).length);
    if (changed === null) return encode(text);
    bare ??= encoderOf(rebuild(changed));
    const found = added.filter(({ content }) => text.includes(content));
    const cut = Math.min(text.length, ...found.map(({ content }) => text.indexOf(content)));
    const first = found.find(({ content }) => text.startsWith(content, cut));
    const head = text.slice(0, cut);
    return bare(first?.lstrip ? head.trimEnd() : head).concat(encode(text.slice(cut)));
  };
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
