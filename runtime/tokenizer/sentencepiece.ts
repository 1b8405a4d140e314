/**
 * SentencePiece `tokenizer.model` files of type BPE, such as LLaMA's.
 *
 * Field numbers are those of sentencepiece's sentencepiece_model.proto. The npm packages for this format take a path
 * and give neither ids of special tokens nor single pieces, so a browser could not use them and text could not be
 * streamed; the tests compare ours with one of them (@agnai/sentencepiece-js, the original compiled to WebAssembly).
 */
import { InputError } from '../input-error.ts';
import { piecesTokenizer } from './pieces.ts';
import { float32, protobufFields } from './protobuf.ts';
import type { Tokenizer } from './tokenizer.ts';

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;
const BPE = 2;
const modelTypes: Readonly<Record<number, string>> = { 1: 'unigram', 3: 'word', 4: 'char' };

interface Model {
  readonly pieces: { text: string; score: number; type: number }[];
  type: number;
  bos: number;
  eos: number;
  pad: number;
  dummyPrefix: boolean;
  squeeze: boolean;
  normalizes: boolean;
}

/**
 * Reads a `tokenizer.model`.
 * @param bytes the whole file
 * @param file its name, for messages
 * @param models config.json and generation_config.json beside it, parsed: they may name further ends
 * @throws InputError when the file is damaged, or is of a kind that needs the model's `tokenizer.json` instead
 */
export function sentencepieceTokenizer(
  bytes: Uint8Array,
  file = 'tokenizer.model',
  models: readonly unknown[] = [],
): Tokenizer {
  const model = readModel(bytes, file);
  refuse(model, file);
  const { pieces } = model;
  const lookup = new Map<string, number>();
  const byteOf = new Int16Array(pieces.length).fill(-1);
  const idOfByte = new Int32Array(256).fill(-1);
  const control = new Set<number>();
  let unk: number | null = null;
  pieces.forEach(({ text, type }, id) => {
    if (type === NORMAL) lookup.set(text, id);
    else if (type === CONTROL) control.add(id);
    else if (type === UNKNOWN) unk = id;
    else if (type === BYTE) {
      const byte = Number(text.slice(1, -1));
      byteOf[id] = byte;
      idOfByte[byte] = id;
    }
  });
  const id = (value: number): number | null => (value >= 0 && value < pieces.length ? value : null);
  return piecesTokenizer(
    {
      format: 'sentencepiece',
      // SentencePiece prints an unknown piece as " ⁇ ".
      pieces: pieces.map(({ text, type }) => (type === UNKNOWN ? ' \u2047 ' : text)),
      scores: Float32Array.from(pieces, (piece) => piece.score),
      lookup,
      byteOf,
      idOfByte,
      control,
      bos: id(model.bos),
      eos: id(model.eos),
      pad: id(model.pad),
      unk,
      dummyPrefix: model.dummyPrefix,
      squeeze: model.squeeze,
    },
    models,
  );
}

function readModel(bytes: Uint8Array, file: string): Model {
  // Defaults of the .proto; `type` is unigram there.
  const model: Model = {
    pieces: [],
    type: 1,
    bos: 1,
    eos: 2,
    pad: -1,
    dummyPrefix: true,
    squeeze: true,
    normalizes: false,
  };
  for (const field of protobufFields(bytes, file)) {
    if (field.number === 1) model.pieces.push(readPiece(field.bytes, file));
    else if (field.number === 2) {
      for (const { number, value } of protobufFields(field.bytes, file)) {
        if (number === 3) model.type = value;
        else if (number === 41) model.bos = readId(value);
        else if (number === 42) model.eos = readId(value);
        else if (number === 43) model.pad = readId(value);
      }
    } else if (field.number === 3) {
      for (const { number, value, bytes: map } of protobufFields(field.bytes, file)) {
        if (number === 2) model.normalizes = map.length > 0;
        else if (number === 3) model.dummyPrefix = value !== 0;
        else if (number === 4) model.squeeze = value !== 0;
      }
    }
  }
  return model;
}

/** A varint writes -1 ("none") as 2^64 - 1. */
const readId = (value: number): number => (value >= 2 ** 53 ? -1 : value);

function readPiece(bytes: Uint8Array, file: string): { text: string; score: number; type: number } {
  const piece = { text: '', score: 0, type: NORMAL };
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  for (const field of protobufFields(bytes, file)) {
    if (field.number === 1) piece.text = utf8.decode(field.bytes).replaceAll('\u2581', ' ');
    else if (field.number === 2) piece.score = float32(field);
    else if (field.number === 3) piece.type = field.value;
  }
  return piece;
}

function refuse(model: Model, file: string): void {
  const no = (what: string): never => {
    throw new InputError(
      `${file}: ${what}`,
      "use the model's `tokenizer.json`, which states all of this, instead",
    );
  };
  if (model.pieces.length === 0) no('no pieces: not a SentencePiece model');
  if (model.type !== BPE) no(`a ${modelTypes[model.type] ?? 'strange'} model; only BPE models are read`);
  if (model.normalizes) no('it normalises text by a character map, which is not read');
  if (model.pieces.some((piece) => piece.type === USER_DEFINED))
    no('it has user-defined symbols, which are not read');
}
