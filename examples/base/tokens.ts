/**
 * The tokenizer and the token files, made from the corpus and the words.
 *
 * Every file is little-endian 16-bit ids and nothing else. `text.*.bin` is one stream, `<s> paragraph </s>` after
 * `<s> paragraph </s>`; the files of the second stage are rows of `rowLength` ids that each begin with `<s>`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preTokenize } from '../../runtime/tokenizer/byte-level.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { trainBpe, type TokenizerJson } from '../../runtime/tokenizer/train-bpe.ts';
import type { Corpus } from './corpus.ts';
import { random, shuffle } from './random.ts';
import { collectWords, heldOutWords, mentions, template, type Instruction, type Word } from './words.ts';

export const vocabSize = 2048;
/** Context of the second stage: copying is learned from many short rows, not from many tokens. */
export const rowLength = 40;
/** Rows of each kind in every 20, the second stage's batch. */
export const mixture = { text: 7, repeats: 5, dictionary: 8 } as const;
/** Steps of 20 rows that the second stage's files last for without a row coming twice. */
const steps = 2400;

export const tokenizerFile = fileURLToPath(new URL('tokenizer.json', import.meta.url));
/** The committed tokenizer. */
export const loadTokenizer = (): Tokenizer =>
  huggingfaceTokenizer(JSON.parse(readFileSync(tokenizerFile, 'utf8')), {}, 'examples/base/tokenizer.json');

/**
 * Endings are split off before merges are counted, so that no merge spans them and `lantern` and `lanterns` begin
 * with the same tokens: without it three plurals in ten do, with it eight, for 3 % more tokens.
 */
const splitEndings = (text: string): string =>
  text.replace(/(?<=[a-z]{2})(?=(?:s|ed)\b)|(?<=(?:ss|x|ch|sh|zz))(?=es\b)/g, '\n');

/** The words of the instructions, often enough that each is one token. */
const phrases = Array.from(
  { length: 3000 },
  // The four letters are those that text alone would not make a token with its space of.
  () => '### plural of past of first letter of repeat a or an define i q x z',
);

/** Trains the tokenizer on the training text. Every word has a space before it, the first of a text as well. */
export function buildTokenizer(train: readonly string[]): TokenizerJson {
  const texts = function* (): Generator<string> {
    for (const line of train) yield ` ${splitEndings(line)}`;
    yield* phrases;
  };
  return trainBpe(texts(), { vocabSize });
}

/** Begin, prompt, answer, end: how the runtime's loader encodes an example. */
export function instructionTokens(
  item: Instruction,
  tokenizer: Tokenizer,
): { tokens: number[]; prompt: number } {
  const prompt = tokenizer.encode(template.replace('{instruction}', item.instruction), { bos: true });
  return { tokens: [...prompt, ...tokenizer.encode(item.output, { eos: true })], prompt: prompt.length };
}

/** Encodes piece by piece with a memory, which gives the same ids some fifty times faster on a whole corpus. */
export function fastEncoder(tokenizer: Tokenizer): (text: string) => number[] {
  const known = new Map<string, readonly number[]>();
  return (text) => {
    const out: number[] = [];
    for (const piece of preTokenize(text)) {
      let ids = known.get(piece);
      if (!ids) known.set(piece, (ids = tokenizer.encode(piece)));
      for (const id of ids) out.push(id);
    }
    return out;
  };
}

/** `<s> paragraph </s>` for each paragraph, in one array. */
export function encodeStream(lines: readonly string[], tokenizer: Tokenizer): Uint16Array {
  const encode = fastEncoder(tokenizer);
  const ids: number[] = [];
  for (const line of lines) {
    ids.push(tokenizer.bos!);
    for (const id of encode(` ${line}`)) ids.push(id);
    ids.push(tokenizer.eos!);
  }
  return Uint16Array.from(ids);
}

/** Rows cut from a stream at random places. */
export function textRows(stream: Uint16Array, count: number, seed: number): Uint16Array {
  const next = random(seed);
  const rows = new Uint16Array(count * rowLength);
  for (let row = 0; row < count; row++) {
    const at = Math.floor(next() * (stream.length - rowLength));
    rows.set(stream.subarray(at, at + rowLength), row * rowLength);
  }
  return rows;
}

export interface Repeated {
  readonly tokens: readonly number[];
  /** Index of the first token that could be copied: the first of the second time. */
  readonly from: number;
}

/**
 * A row that says a span of 2 to 14 tokens again and again. The span is text or, once in three, any tokens, so that
 * only copying helps; in half of the rows `###` stands between the copies.
 */
export function repeatedRow(stream: Uint16Array, tokenizer: Tokenizer, next: () => number): Repeated {
  const length = 2 + Math.floor(next() * 13);
  const span =
    next() < 1 / 3 ? anyTokens(length, tokenizer, next) : textSpan(stream, length, tokenizer, next);
  const unit = next() < 0.5 ? span : [...span, ...tokenizer.encode('###')];
  const tokens = Array.from({ length: rowLength }, (_, i) =>
    i === 0 ? tokenizer.bos! : unit[(i - 1) % unit.length]!,
  );
  return { tokens, from: 1 + unit.length };
}

const anyTokens = (length: number, tokenizer: Tokenizer, next: () => number): number[] => {
  // Ids 0, 1 and 2 are <unk>, <s> and </s>.
  return Array.from({ length }, () => 3 + Math.floor(next() * (tokenizer.vocabSize - 3)));
};

function textSpan(stream: Uint16Array, length: number, tokenizer: Tokenizer, next: () => number): number[] {
  for (;;) {
    const at = Math.floor(next() * (stream.length - length));
    const span = [...stream.subarray(at, at + length)];
    if (!span.includes(tokenizer.bos!) && !span.includes(tokenizer.eos!)) return span;
  }
}

export function repeatedRows(
  stream: Uint16Array,
  tokenizer: Tokenizer,
  count: number,
  seed: number,
): Uint16Array {
  const next = random(seed);
  const rows = new Uint16Array(count * rowLength);
  for (let row = 0; row < count; row++)
    rows.set(repeatedRow(stream, tokenizer, next).tokens, row * rowLength);
  return rows;
}

/**
 * What a dictionary of forms would say: `table: plural tables; starts with t; a table.` These are the facts that
 * the instructions ask for, in a form of their own, for words that are not held out.
 */
export function* dictionaryLines(words: readonly Word[], seed: number): Generator<string> {
  const held = heldOutWords(words).forms;
  const next = random(seed);
  for (let pass = 0; ; pass++) {
    for (const it of shuffle(words, seed + pass)) {
      const facts = shuffle(factsOf(it), Math.floor(next() * 2 ** 32)).slice(0, 1 + Math.floor(next() * 4));
      const line = `${it.word}: ${facts.join('; ')}.`;
      // A word that only starts with a letter has little to say: once in three passes is enough.
      if (!mentions(line, held) && (it.plural || it.past || pass % 3 === 0)) yield line;
    }
  }
}

const factsOf = ({ word, plural, past, article }: Word): string[] => [
  word,
  `starts with ${word[0]}`,
  ...(plural ? [`plural ${plural.form}`] : []),
  ...(past ? [`past ${past.form}`] : []),
  ...(article ? [`${article} ${word}`] : []),
];

/** Rows of dictionary lines; each row begins with a line, and the last one is cut off. */
export function dictionaryRows(lines: Iterator<string>, tokenizer: Tokenizer, count: number): Uint16Array {
  const encode = fastEncoder(tokenizer);
  const rows = new Uint16Array(count * rowLength);
  for (let row = 0; row < count; row++) {
    const ids = [tokenizer.bos!];
    while (ids.length < rowLength) ids.push(...encode(` ${lines.next().value as string}`));
    rows.set(ids.slice(0, rowLength), row * rowLength);
  }
  return rows;
}

/** The three kinds in the mixture's proportions in every 20 rows, so that each batch has its share of all. */
export function interleave(
  kinds: readonly { readonly rows: Uint16Array; readonly share: number }[],
): Uint16Array {
  const total = kinds.reduce((sum, { rows }) => sum + rows.length, 0);
  const batch = kinds.reduce((sum, { share }) => sum + share, 0);
  const out = new Uint16Array(total);
  for (let at = 0, step = 0; at < total; at += batch * rowLength, step++) {
    let slot = at;
    for (const { rows, share } of kinds) {
      const size = share * rowLength;
      out.set(rows.subarray(step * size, (step + 1) * size), slot);
      slot += size;
    }
  }
  return out;
}

export interface TokenFile {
  readonly name: string;
  readonly ids: Uint16Array;
}

/** All token files of both stages, by name. */
export function* buildTokenFiles(corpus: Corpus, tokenizer: Tokenizer): Generator<TokenFile> {
  const text = encodeStream(corpus.train, tokenizer);
  yield { name: 'text.train.bin', ids: text };
  yield { name: 'text.heldout.bin', ids: encodeStream(corpus.heldout, tokenizer) };

  const lines = dictionaryLines(collectWords(), 21);
  const kinds = [
    { name: 'text', share: mixture.text, rows: textRows(text, steps * mixture.text, 22) },
    {
      name: 'repeats',
      share: mixture.repeats,
      rows: repeatedRows(text, tokenizer, steps * mixture.repeats, 23),
    },
    {
      name: 'dictionary',
      share: mixture.dictionary,
      rows: dictionaryRows(lines, tokenizer, steps * mixture.dictionary),
    },
  ];
  for (const { name, rows } of kinds) yield { name: `rows.${name}.bin`, ids: rows };
  yield { name: 'rows.mixed.bin', ids: interleave(kinds) };
}
