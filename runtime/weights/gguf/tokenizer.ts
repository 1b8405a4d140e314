/**
 * The tokenizer inside a GGUF file as a `tokenizer.json` and a `tokenizer_config.json`.
 *
 * Source: llama.cpp's `src/llama-vocab.cpp` (types of tokens, patterns by the name of the pre-tokenizer).
 */
import { InputError } from '../../input-error.ts';
import type { GgufHeader, GgufValue } from './header.ts';

type Json = Readonly<Record<string, unknown>>;

/** Types of tokens. */
const CONTROL = 3;
const USER_DEFINED = 4;

/** Patterns that cut a text before byte-pair merges, by the name of the pre-tokenizer. */
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const modern = (digits: string): string =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const patterns: Readonly<Record<string, readonly string[]>> = {
  'llama-bpe': [modern('\\p{N}{1,3}')],
  'llama-v3': [modern('\\p{N}{1,3}')],
  llama3: [modern('\\p{N}{1,3}')],
  dbrx: [modern('\\p{N}{1,3}')],
  qwen2: [modern('\\p{N}')],
  'gpt-2': [gpt2],
  olmo: [gpt2],
  smollm: ['\\p{N}', gpt2],
};

/** Pre-tokenizers under which a word that is a token stays whole, whatever the merges would make of it. */
const wholeWords = new Set(['llama-bpe', 'llama-v3', 'llama3']);

export interface GgufTokenizer {
  readonly tokenizer: Json;
  readonly config: Json;
}

/**
 * The tokenizer of a file.
 * @throws InputError when the file has none, or one of a kind Graft does not read
 */
export function tokenizerOfGguf({ metadata }: GgufHeader, file: string): GgufTokenizer {
  const refuse = (what: string): never => {
    throw new InputError(`${file}: ${what}`, "give the model's own `tokenizer.json` as `tokenizer`");
  };
  const list = (key: string): readonly GgufValue[] | undefined => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    return value === undefined || Array.isArray(value)
      ? value
      : refuse(`\`tokenizer.ggml.${key}\` is no list`);
  };
  const texts = (key: string): readonly string[] | undefined =>
    list(key)?.map((item) =>
      typeof item === 'string' ? item : refuse(`\`tokenizer.ggml.${key}\` holds no texts`),
    );
  const numbers = (key: string): readonly number[] | undefined =>
    list(key)?.map((item) =>
      typeof item === 'number' ? item : refuse(`\`tokenizer.ggml.${key}\` holds no numbers`),
    );
  const tokens = texts('tokens') ?? refuse('it holds no tokenizer');
  const types = numbers('token_type') ?? tokens.map(() => 1);
  if (types.length !== tokens.length) refuse(`${tokens.length} tokens and ${types.length} types of tokens`);
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    return typeof value === 'boolean' ? value : otherwise;
  };
  const special = (kind: string): string | null => {
    const id = metadata.get(`tokenizer.ggml.${kind}_token_id`);
    return typeof id === 'number' ? (tokens[id] ?? null) : null;
  };
  const model = metadata.get('tokenizer.ggml.model');
  const isPieces = model === 'llama';
  if (!isPieces && model !== 'gpt2')
    refuse(`its tokenizer is of the kind \`${String(model)}\`, which Graft does not read`);
  const bos = special('bos');
  const withBos = flag('add_bos_token', isPieces) && bos !== null;
  const added = tokens.flatMap((content, id) =>
    types[id] === CONTROL || types[id] === USER_DEFINED
      ? [
          {
            id,
            content,
            special: types[id] === CONTROL,
            normalized: false,
            single_word: false,
            lstrip: false,
            rstrip: false,
          },
        ]
      : [],
  );
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const parts = isPieces
    ? piecesParts(tokens, numbers('scores') ?? refuse('its pieces have no scores'), {
        vocab,
        unknown: special('unknown'),
        prefix: flag('add_space_prefix', true),
      })
    : mergesParts(metadata, { vocab, merges: texts('merges') ?? refuse('it has no merges') }, refuse);
  const template = metadata.get('tokenizer.chat_template');
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      ...parts,
      post_processor: withBos ? beginning(bos, vocab[bos] ?? 0) : null,
    },
    config: {
      add_bos_token: withBos,
      bos_token: bos,
      eos_token: special('eos'),
      unk_token: special('unknown'),
      pad_token: special('padding'),
      ...(typeof template === 'string' ? { chat_template: template } : {}),
    },
  };
}

/** Puts the begin token in front of a text. */
const beginning = (content: string, id: number): Json => ({
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
});

/** Byte-level pairs, as GPT-2, Llama 3 and Qwen have them. */
function mergesParts(
  metadata: ReadonlyMap<string, GgufValue>,
  { vocab, merges }: { readonly vocab: Json; readonly merges: readonly string[] },
  refuse: (what: string) => never,
): Json {
  const pre = metadata.get('tokenizer.ggml.pre');
  const known = typeof pre === 'string' ? patterns[pre] : undefined;
  if (!known) return refuse(`its pre-tokenizer is \`${String(pre)}\`, which Graft does not know`);
  const splits = known.map((Regex) => ({
    type: 'Split',
    pattern: { Regex },
    behavior: 'Isolated',
    invert: false,
  }));
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    normalizer:
      metadata.get('tokenizer.ggml.normalizer.nfc') === true || pre === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...splits, bytes] },
    decoder: { ...bytes, add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: wholeWords.has(String(pre)),
      vocab,
      merges,
    },
  };
}

interface Pieces {
  readonly vocab: Readonly<Record<string, number>>;
  readonly unknown: string | null;
  /** A space in front of the text, so that a first word is spelled as any other word. */
  readonly prefix: boolean;
}

/** SentencePiece's pieces: merges in the order of scores, characters without a piece as bytes. */
function piecesParts(tokens: readonly string[], scores: readonly number[], pieces: Pieces): Json {
  const { vocab, unknown, prefix } = pieces;
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' };
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    normalizer: prefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '\u2581' }, replace] }
      : replace,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [strip] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: mergesOf(tokens, scores, vocab),
    },
  };
}

/** Every way to put a piece together from two others, the best piece first, as `tokenizers` converts SentencePiece. */
function mergesOf(
  tokens: readonly string[],
  scores: readonly number[],
  vocab: Readonly<Record<string, number>>,
): [string, string][] {
  const has = (text: string): boolean => Object.hasOwn(vocab, text);
  const merges: {
    readonly pair: [string, string];
    readonly score: number;
    readonly ids: readonly [number, number];
  }[] = [];
  tokens.forEach((token, id) => {
    const characters = Array.from(token);
    for (let cut = 1; cut < characters.length; cut++) {
      const pair: [string, string] = [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
      if (has(pair[0]) && has(pair[1]))
        merges.push({ pair, score: scores[id] ?? 0, ids: [vocab[pair[0]] ?? 0, vocab[pair[1]] ?? 0] });
    }
  });
  merges.sort((a, b) => b.score - a.score || a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
  return merges.map(({ pair }) => pair);
}
