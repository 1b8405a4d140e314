/**
 * Score-ordered BPE over pieces with byte fallback: the algorithm of SentencePiece's BPE model and of llama2.c.
 *
 * Characters become pieces (a character without one becomes its UTF-8 bytes), then the adjacent pair whose joint
 * piece has the highest score is merged, the leftmost among equals, until no pair can be. Source: llama2.c run.c
 * `encode`, sentencepiece src/bpe_model.cc. A heap makes it n log n where llama2.c rescans the text at every merge.
 */
import TinyQueue from 'tinyqueue';
import {
  checkId,
  endsOf,
  frame,
  type DecodeStream,
  type EncodeOptions,
  type Tokenizer,
} from './tokenizer.ts';

export interface PieceTable {
  readonly format: 'llama2c' | 'sentencepiece';
  /** Text of each id, white space as a plain space. */
  readonly pieces: readonly string[];
  readonly scores: Float32Array | readonly number[];
  /** Text -> id for the pieces that encoding may produce. */
  readonly lookup: ReadonlyMap<string, number>;
  /** Byte each id stands for, -1 for none; and the id of each byte, -1 where the table has none. */
  readonly byteOf: Int16Array;
  readonly idOfByte: Int32Array;
  /** Ids that have no text: bos, eos, pad. */
  readonly control: ReadonlySet<number>;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly pad: number | null;
  readonly unk: number | null;
  /** Put a space before the text, so that a first word is spelled as any other word. */
  readonly dummyPrefix: boolean;
  /** Collapse runs of spaces and strip both ends, as some SentencePiece models ask for. */
  readonly squeeze: boolean;
}

/** The names of special tokens are ordinary text. */
const nothingWritten = { begin: false, end: false };

/** @param models config.json and generation_config.json beside the tokenizer, parsed: they may name further ends */
export function piecesTokenizer(table: PieceTable, models: readonly unknown[] = []): Tokenizer {
  const { format, pieces, bos, eos, pad, unk } = table;
  const ends = endsOf(eos, models);
  const stream = (): DecodeStream => pieceStream(table);
  const decode = (ids: Iterable<number>): string => {
    const out = stream();
    let text = '';
    for (const id of ids) text += out.push(id);
    return text + out.end();
  };
  return {
    format,
    vocabSize: pieces.length,
    gaps: [],
    ends,
    bos,
    eos,
    pad,
    unk,
    encode: (text, options = {}) => frame(encodeText(table, text, options), nothingWritten, options, table),
    decode,
    decodeStream: stream,
  };
}

function encodeText(table: PieceTable, raw: string, { after = '' }: EncodeOptions): number[] {
  // SentencePiece writes a space as U+2581 inside, so it cannot tell the two apart.
  const plain = (text: string): string =>
    table.format === 'sentencepiece' ? text.replaceAll('\u2581', ' ') : text;
  let text = plain(raw);
  if (table.squeeze) {
    // The space that the text before this one ended with was stripped there.
    if (after !== '' && plain(after).endsWith(' ')) text = ` ${text}`;
    text = text.replace(/ +/g, ' ').replace(/ $/, '');
    if (after === '') text = text.replace(/^ /, '');
  }
  if (text === '') return [];
  return merge(table, spell(table, table.dummyPrefix && after === '' ? ` ${text}` : text));
}

/** One id per character, or one per byte of a character that has no piece. */
function spell(table: PieceTable, text: string): number[] {
  const ids: number[] = [];
  const utf8 = new TextEncoder();
  for (const character of text) {
    const id = table.lookup.get(character);
    if (id !== undefined) {
      ids.push(id);
      continue;
    }
    const bytes = Array.from(utf8.encode(character), (byte) => table.idOfByte[byte]!);
    if (bytes.every((byteId) => byteId >= 0)) ids.push(...bytes);
    else if (table.unk !== null) ids.push(table.unk);
  }
  return ids;
}

interface Candidate {
  readonly score: number;
  readonly left: number;
  readonly right: number;
  readonly leftId: number;
  readonly rightId: number;
  readonly id: number;
}

/** Merges in place over a doubly linked list of positions; a removed position has id -1. */
function merge(table: PieceTable, ids: number[]): number[] {
  const next = ids.map((_, i) => (i + 1 < ids.length ? i + 1 : -1));
  const previous = ids.map((_, i) => i - 1);
  const queue = new TinyQueue<Candidate>([], (a, b) => b.score - a.score || a.left - b.left);
  const offer = (left: number, right: number): void => {
    if (left < 0 || right < 0) return;
    const [leftId, rightId] = [ids[left]!, ids[right]!];
    const id = table.lookup.get(table.pieces[leftId]! + table.pieces[rightId]!);
    if (id !== undefined) queue.push({ score: table.scores[id]!, left, right, leftId, rightId, id });
  };
  for (let i = 0; i + 1 < ids.length; i++) offer(i, i + 1);
  for (let best = queue.pop(); best; best = queue.pop()) {
    const { left, right } = best;
    // Out of date: one side was merged with another neighbour meanwhile.
    if (ids[left] !== best.leftId || ids[right] !== best.rightId || next[left] !== right) continue;
    ids[left] = best.id;
    ids[right] = -1;
    const after = next[right]!;
    next[left] = after;
    if (after >= 0) previous[after] = left;
    offer(previous[left]!, left);
    offer(left, after);
  }
  return ids.filter((id) => id >= 0);
}

/** The space of the dummy prefix is dropped once, at the start of the text. */
function pieceStream(table: PieceTable): DecodeStream {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let start = table.dummyPrefix;
  return {
    push(id) {
      checkId(id, { vocabSize: table.pieces.length, gaps: [] });
      if (table.control.has(id)) return '';
      const byte = table.byteOf[id]!;
      // A text piece first closes an unfinished character.
      const text =
        byte >= 0 ? utf8.decode(Uint8Array.of(byte), { stream: true }) : utf8.decode() + table.pieces[id]!;
      const stripped = start && byte < 0 && text.startsWith(' ') ? text.slice(1) : text;
      start = false;
      return stripped;
    },
    end: () => utf8.decode(),
  };
}
