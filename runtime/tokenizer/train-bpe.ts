/**
 * Trains a small byte-level BPE and returns it as a Hugging Face `tokenizer.json` object.
 *
 * No kept npm library trains BPE with a vocabulary size of one's choice (npm `tokenizers` 0.23 is native and exposes
 * no trainer options; `bpe-tokenizer` has its own format), hence these lines. The algorithm is that of Sennrich et al.
 * 2016 (arXiv 1508.07909): count words once, then merge the most frequent pair until the vocabulary is full. Counts
 * are updated only for words that hold the merged pair, and a heap whose entries may be out of date (checked when
 * popped) gives the best pair. Ties go to the pair with the smaller ids, as in Hugging Face's trainer.
 */
import TinyQueue from 'tinyqueue';
import { InputError } from '../input-error.ts';
import { byteCharacters, preTokenize } from './byte-level.ts';

export interface TrainBpeOptions {
  /** Tokens in all: special tokens, bytes and merges. */
  readonly vocabSize: number;
  /** Ids 0, 1, ... in this order. Default `<unk>`, `<s>`, `</s>`, the order of LLaMA. */
  readonly specialTokens?: readonly string[];
  /** A pair seen less often is not merged. Default 2. */
  readonly minFrequency?: number;
  /**
   * Which bytes get a token. `seen`: those in the texts and printable ASCII; any other byte becomes `<unk>`, so the
   * vocabulary is not spent on bytes that never come. `all`: every byte, so that every text survives. Default `seen`.
   */
  readonly bytes?: 'seen' | 'all';
}

/** A tokenizer.json as `trainBpe` writes it. */
export interface TokenizerJson {
  readonly version: '1.0';
  readonly added_tokens: readonly Readonly<Record<string, unknown>>[];
  readonly model: {
    readonly type: 'BPE';
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/**
 * Trains a vocabulary on `texts`, which are read once, one at a time.
 * @throws InputError when the vocabulary is too small for the special tokens and bytes.
 */
export function trainBpe(texts: Iterable<string>, options: TrainBpeOptions): TokenizerJson {
  const special = options.specialTokens ?? ['<unk>', '<s>', '</s>'];
  const { words, bytes } = countWords(texts, options.bytes ?? 'seen');
  const alphabet = [...bytes].map((byte) => byteCharacters[byte]!).sort();
  const tokens = [...special, ...alphabet];
  if (options.vocabSize < tokens.length) {
    throw new InputError(
      `a vocabulary of ${options.vocabSize} has no room for ${special.length} special tokens and ${alphabet.length} bytes`,
      `ask for at least ${tokens.length} tokens; 2048 is a good size for a small model`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges = mergePairs(words, tokens, ids, options.vocabSize, options.minFrequency ?? 2);
  return tokenizerJson(tokens, merges, special);
}

interface Word {
  /** Token ids so far. */
  ids: number[];
  readonly count: number;
}

function countWords(
  texts: Iterable<string>,
  keep: 'seen' | 'all',
): { words: Map<string, number>; bytes: Set<number> } {
  const words = new Map<string, number>();
  for (const text of texts) for (const word of preTokenize(text)) words.set(word, (words.get(word) ?? 0) + 1);
  const bytes = new Set<number>([0x0a]);
  const all = keep === 'all';
  for (let byte = all ? 0 : 0x20; byte < (all ? 256 : 0x7f); byte++) bytes.add(byte);
  const utf8 = new TextEncoder();
  for (const word of words.keys()) for (const byte of utf8.encode(word)) bytes.add(byte);
  return { words, bytes };
}

/** Two ids in one number: exact up to 2^26 tokens. */
const pairKey = (left: number, right: number): number => left * 0x4000000 + right;

/** Extends `tokens` and `ids` by merged tokens until `vocabSize`; returns the merges in order. */
function mergePairs(
  counts: ReadonlyMap<string, number>,
  tokens: string[],
  ids: Map<string, number>,
  vocabSize: number,
  minFrequency: number,
): [string, string][] {
  const utf8 = new TextEncoder();
  const words: Word[] = [...counts].map(([word, count]) => ({
    ids: Array.from(utf8.encode(word), (byte) => ids.get(byteCharacters[byte]!)!),
    count,
  }));
  const pairs = new PairTable();
  words.forEach((word, index) => pairs.addWord(word, index));
  pairs.queueChanged();

  const merges: [string, string][] = [];
  while (tokens.length < vocabSize) {
    const best = pairs.pop();
    if (!best || best.count < minFrequency) break;
    const [left, right] = [tokens[best.left]!, tokens[best.right]!];
    const token = left + right;
    // Two merges may spell the same token (ab+c, a+bc): the second is a rule for the id that exists.
    const id = ids.get(token) ?? tokens.push(token) - 1;
    ids.set(token, id);
    merges.push([left, right]);
    for (const index of best.words) pairs.replace(words[index]!, index, best.left, best.right, id);
    pairs.queueChanged();
  }
  return merges;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Indices of words that hold it, or held it once. */
  readonly words: Set<number>;
}

interface Entry {
  readonly pair: Pair;
  /** Its count when it was queued. */
  readonly count: number;
}

const byCount = (a: Entry, b: Entry): number =>
  b.count - a.count || pairKey(a.pair.left, a.pair.right) - pairKey(b.pair.left, b.pair.right);

/** Counts of all adjacent pairs, with the most frequent first to be had. */
class PairTable {
  private readonly pairs = new Map<number, Pair>();
  private readonly queue = new TinyQueue<Entry>([], byCount);
  private readonly changed = new Set<Pair>();

  addWord(word: Word, index: number): void {
    for (let i = 0; i + 1 < word.ids.length; i++)
      this.change(word.ids[i]!, word.ids[i + 1]!, word.count, index);
  }

  /** Puts `id` in place of each `left right` of the word and updates the counts of its pairs. */
  replace(word: Word, index: number, left: number, right: number, id: number): void {
    const { ids, count } = word;
    const merged: number[] = [];
    let found = false;
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === left && ids[i + 1] === right) {
        merged.push(id);
        found = true;
        i++;
      } else merged.push(ids[i]!);
    }
    if (!found) return;
    for (let i = 0; i + 1 < ids.length; i++) this.change(ids[i]!, ids[i + 1]!, -count, index);
    for (let i = 0; i + 1 < merged.length; i++) this.change(merged[i]!, merged[i + 1]!, count, index);
    word.ids = merged;
  }

  private change(left: number, right: number, by: number, word: number): void {
    const key = pairKey(left, right);
    let pair = this.pairs.get(key);
    if (!pair) this.pairs.set(key, (pair = { left, right, count: 0, words: new Set() }));
    pair.count += by;
    if (by > 0) pair.words.add(word);
    this.changed.add(pair);
  }

  /** Queues pairs whose count changed; entries queued before keep their old count and are dropped when popped. */
  queueChanged(): void {
    for (const pair of this.changed) if (pair.count > 0) this.queue.push({ pair, count: pair.count });
    this.changed.clear();
  }

  /** The pair with the highest count, smallest ids first among equals; undefined when none is left. */
  pop(): Pair | undefined {
    for (let top = this.queue.pop(); top; top = this.queue.pop())
      if (top.count === top.pair.count) return top.pair;
    return undefined;
  }
}

function tokenizerJson(
  tokens: readonly string[],
  merges: readonly [string, string][],
  special: readonly string[],
): TokenizerJson {
  const bos = special.includes('<s>') ? [{ SpecialToken: { id: '<s>', type_id: 0 } }] : [];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor:
      bos.length === 0
        ? null
        : {
            type: 'TemplateProcessing',
            single: [...bos, { Sequence: { id: 'A', type_id: 0 } }],
            pair: [...bos, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
            special_tokens: { '<s>': { id: '<s>', ids: [special.indexOf('<s>')], tokens: ['<s>'] } },
          },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: special.includes('<unk>') ? '<unk>' : null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
