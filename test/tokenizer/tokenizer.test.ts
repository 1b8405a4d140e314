import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { llama2cTokenizer } from '../../runtime/tokenizer/llama2c.ts';
import { sentencepieceTokenizer } from '../../runtime/tokenizer/sentencepiece.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';
import { withShared } from '../shared.ts';

const t = suite('tokenizer');

/** A llama2.c tokenizer file of 3 special pieces, 256 bytes and `pieces` with falling scores. */
function llama2cFile(pieces: readonly (string | [string, number])[]): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const all: [string, number][] = [
    ...['<unk>', '\n<s>\n', '\n</s>\n', ...bytes].map((piece): [string, number] => [piece, 0]),
    ...pieces.map((piece, i): [string, number] => (typeof piece === 'string' ? [piece, -i] : piece)),
  ];
  const encoded = all.map(([piece, score]) => ({ score, bytes: new TextEncoder().encode(piece) }));
  const file = new Uint8Array(4 + encoded.reduce((size, entry) => size + 8 + entry.bytes.length, 0));
  const view = new DataView(file.buffer);
  view.setInt32(0, Math.max(...encoded.map((entry) => entry.bytes.length)), true);
  let at = 4;
  for (const entry of encoded) {
    view.setFloat32(at, entry.score, true);
    view.setInt32(at + 4, entry.bytes.length, true);
    file.set(entry.bytes, at + 8);
    at += 8 + entry.bytes.length;
  }
  return file;
}

/** llama2.c's encode, line by line: the whole text is rescanned for each merge. */
function encodeAsLlama2c(pieces: readonly string[], scores: readonly number[], text: string): number[] {
  if (text === '') return [];
  const ids: number[] = [pieces.indexOf(' ')];
  for (const character of text) {
    const id = pieces.indexOf(character);
    if (id >= 0) ids.push(id);
    else for (const byte of new TextEncoder().encode(character)) ids.push(byte + 3);
  }
  for (;;) {
    let best = { score: -1e10, id: -1, at: -1 };
    for (let i = 0; i + 1 < ids.length; i++) {
      const id = pieces.indexOf(pieces[ids[i]!]! + pieces[ids[i + 1]!]!);
      if (id >= 0 && scores[id]! > best.score) best = { score: scores[id]!, id, at: i };
    }
    if (best.at < 0) return ids;
    ids.splice(best.at, 2, best.id);
  }
}

function piecesOf(file: Uint8Array): { pieces: string[]; scores: number[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const pieces: string[] = [];
  const scores: number[] = [];
  for (let at = 4; at < file.length;) {
    const length = view.getInt32(at + 4, true);
    scores.push(view.getFloat32(at, true));
    pieces.push(new TextDecoder().decode(file.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  return { pieces, scores };
}

const small = llama2cFile([
  ' ',
  'a',
  'b',
  'c',
  'aa',
  'ab',
  'bc',
  'abc',
  'aaa',
  ' a',
  'é',
  ['cb', 0],
  ['ba', 0],
]);

function stream(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const out = tokenizer.decodeStream();
  return [...ids.map((id) => out.push(id)), out.end()];
}

t('merges as llama2.c does, ties and all', () => {
  const tokenizer = llama2cTokenizer(small);
  const { pieces, scores } = piecesOf(small);
  let seed = 1;
  for (let n = 0; n < 400; n++) {
    let text = '';
    for (let i = 0; i < n % 23; i++) text += 'aabbc é日'[(seed = (seed * 48271) % 2147483647) % 8];
    assert.equal(tokenizer.encode(text), encodeAsLlama2c(pieces, scores, text), JSON.stringify(text));
  }
});

t('frames with begin and end, and an empty text is nothing else', () => {
  const tokenizer = llama2cTokenizer(small);
  assert.equal(tokenizer.encode('', { bos: true, eos: true }), [1, 2]);
  assert.equal(tokenizer.encode(''), []);
  assert.is(tokenizer.encode('a', { bos: true })[0], 1);
  assert.is(tokenizer.encode('a', { eos: true }).at(-1), 2);
});

t('decodes bytes into characters, and drops the space it put in front', () => {
  const tokenizer = llama2cTokenizer(small);
  for (const text of ['abc', ' abc', '日本 ab', '🦙', 'é']) {
    assert.is(tokenizer.decode(tokenizer.encode(text, { bos: true, eos: true })), text);
  }
});

t('streams a character only when all its bytes are there', () => {
  const tokenizer = llama2cTokenizer(small);
  const ids = tokenizer.encode('a🦙b', { bos: true });
  const pieces = stream(tokenizer, ids);
  assert.is(pieces.join(''), 'a🦙b');
  assert.ok(pieces.every((piece) => !piece.includes('\ufffd')));
  // Cut off in the middle of it, the end says so.
  assert.is(stream(tokenizer, ids.slice(0, -2)).join(''), 'a\ufffd');
});

t('refuses a damaged llama2.c file and foreign ids', () => {
  assert.throws(() => llama2cTokenizer(small.slice(0, -1), 'x.bin'), /x\.bin: the file ends inside a piece/);
  assert.throws(() => llama2cTokenizer(small.slice(0, 60)), /pieces, but 3 special ones|ends inside/);
  const bad = small.slice();
  new DataView(bad.buffer).setInt32(8, -5, true);
  assert.throws(() => llama2cTokenizer(bad), /a piece of -5 bytes/);
  assert.throws(() => llama2cTokenizer(small).decode([9999]), /token id 9999 is not in the vocabulary/);
});

t('tokenizer.json: special ids by usual names or by the config', () => {
  const json = trainBpe(['some text'], {
    vocabSize: 120,
    specialTokens: ['<unk>', '<s>', '</s>', '<pad>', '<go>'],
  });
  const plain = huggingfaceTokenizer(json);
  assert.equal([plain.bos, plain.eos, plain.pad, plain.unk, plain.vocabSize > 100], [1, 2, 3, 0, true]);
  assert.is(huggingfaceTokenizer(json, { eos_token: { content: '<go>' } }).eos, 4);
  const none = huggingfaceTokenizer(trainBpe(['some text'], { vocabSize: 120, specialTokens: [] }));
  assert.equal([none.bos, none.eos], [null, null]);
  assert.throws(() => none.encode('x', { bos: true }), /the tokenizer has no bos token/);
  assert.throws(() => huggingfaceTokenizer({ model: 1 }, {}, 'x.json'), /x\.json is not a tokenizer\.json/);
});

t('tokenizer.json: streams what it decodes', () => {
  const json = trainBpe(['some text with words'], { vocabSize: 320, bytes: 'all' });
  const tokenizer = huggingfaceTokenizer(json);
  for (const text of ['some words', ' 日本 🦙 é', 'a\ufffdb', '🦙🦙']) {
    const pieces = stream(tokenizer, tokenizer.encode(text, { bos: true, eos: true }));
    assert.is(pieces.join(''), text);
  }
  const llama = tokenizer.encode('🦙');
  assert.equal(stream(tokenizer, llama).slice(0, 3), ['', '', '']);
  assert.is(tokenizer.decode([]), '');
});

withShared(t, 'tok512.bin agrees with llama2.c', (folder) => {
  const file = readFileSync(join(folder, 'data/tok512.bin'));
  const tokenizer = llama2cTokenizer(file);
  assert.is(tokenizer.vocabSize, 512);
  assert.equal(tokenizer.encode('Once upon a time', { bos: true }), [1, 403, 407, 261, 378]);
  const { pieces, scores } = piecesOf(file);
  for (const text of [
    'Lily and Tom went to the park. "Hi!" she said.',
    'xyzzy 123 — é 日',
    '  two  spaces\n\nlines',
  ]) {
    assert.equal(tokenizer.encode(text), encodeAsLlama2c(pieces, scores, text));
    assert.is(tokenizer.decode(tokenizer.encode(text)), text);
  }
});

withShared(t, 'tokenizer.model agrees with the original SentencePiece', async (folder) => {
  const path = join(folder, 'data/tokenizer.model');
  const ours = sentencepieceTokenizer(readFileSync(path), path);
  assert.equal([ours.vocabSize, ours.bos, ours.eos, ours.pad, ours.unk], [32000, 1, 2, null, 0]);
  const require = createRequire(import.meta.url);
  const { SentencePieceProcessor } = require('@agnai/sentencepiece-js') as {
    SentencePieceProcessor: new () => {
      load(path: string): Promise<void>;
      encodeIds(text: string): number[];
      decodeIds(ids: readonly number[]): string;
    };
  };
  const original = new SentencePieceProcessor();
  await original.load(path);
  const records = JSON.parse(readFileSync(join(folder, 'data/alpaca_en_demo.json'), 'utf8')) as {
    output: string;
  }[];
  const texts = [
    'Hello, world!',
    '  two  spaces ',
    'a\nb\tc',
    '日本語 🦙 ﬁ ①',
    '▁',
    'x',
    ' ',
    '<s> </s> <0x0A>',
    'é'.normalize('NFD'),
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    ...records.slice(0, 40).map((record) => record.output),
  ];
  for (const text of texts) {
    assert.equal(ours.encode(text), original.encodeIds(text), JSON.stringify(text.slice(0, 80)));
    assert.is(ours.decode(ours.encode(text)), original.decodeIds(ours.encode(text)));
  }
});

withShared(t, 'tokenizer.model: damage is told', (folder) => {
  const bytes = readFileSync(join(folder, 'data/tokenizer.model'));
  assert.throws(
    () => sentencepieceTokenizer(bytes.subarray(0, 5000), 'cut.model'),
    /cut\.model: .*(beyond the end|ends inside)/,
  );
  assert.throws(() => sentencepieceTokenizer(new Uint8Array(0)), /no pieces/);
  assert.throws(
    () => sentencepieceTokenizer(new TextEncoder().encode('{"model": "not protobuf"}')),
    /not a SentencePiece/,
  );
});

t('a SentencePiece model of another kind is refused with what to use', () => {
  // One piece "a" (type normal) and trainer_spec.model_type = unigram.
  const unigram = Uint8Array.of(0x0a, 3, 0x0a, 1, 0x61, 0x12, 2, 0x18, 1);
  assert.throws(() => sentencepieceTokenizer(unigram), /a unigram model; only BPE[\s\S]*tokenizer\.json/);
});

t.run();
