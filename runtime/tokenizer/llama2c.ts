/**
 * llama2.c's tokenizer file: int32 longest piece, then for each id a float32 score, an int32 length and the bytes.
 *
 * The file says neither how many pieces it holds (it ends when it ends) nor which are special: llama2.c's run.c has
 * 0 = unknown, 1 = begin, 2 = end, and bytes at 3 .. 258.
 */
import { InputError } from '../input-error.ts';
import { piecesTokenizer } from './pieces.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * Reads a `tokenizer.bin` of llama2.c.
 * @param bytes the whole file
 * @param file its name, for messages
 * @param models config.json and generation_config.json beside it, parsed: they may name further ends
 * @throws InputError when the file is cut off or a length makes no sense
 */
export function llama2cTokenizer(
  bytes: Uint8Array,
  file = 'tokenizer.bin',
  models: readonly unknown[] = [],
): Tokenizer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: string[] = [];
  const scores: number[] = [];
  const damaged = (what: string): InputError =>
    new InputError(
      `${file}: ${what} (piece ${pieces.length} of llama2.c's tokenizer format)`,
      'get the file again, or give a tokenizer.model or tokenizer.json instead',
    );
  if (bytes.length < 4) throw damaged(`${bytes.length} bytes are too few`);
  const longest = view.getInt32(0, true);
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let at = 4; at < bytes.length;) {
    if (at + 8 > bytes.length) throw damaged('the file ends inside an entry');
    const length = view.getInt32(at + 4, true);
    if (length < 0 || length > longest)
      throw damaged(`a piece of ${length} bytes where the longest has ${longest}`);
    if (at + 8 + length > bytes.length) throw damaged('the file ends inside a piece');
    scores.push(view.getFloat32(at, true));
    pieces.push(utf8.decode(bytes.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  if (pieces.length < 259)
    throw damaged(`${pieces.length} pieces, but 3 special ones and 256 bytes come first`);
  // A piece named twice is found under its first id.
  const lookup = new Map<string, number>();
  pieces.forEach((piece, id) => lookup.has(piece) || lookup.set(piece, id));
  const byteOf = new Int16Array(pieces.length).fill(-1);
  for (let byte = 0; byte < 256; byte++) byteOf[3 + byte] = byte;
  return piecesTokenizer(
    {
      format: 'llama2c',
      pieces,
      scores: Float32Array.from(scores),
      lookup,
      byteOf,
      idOfByte: Int32Array.from({ length: 256 }, (_, byte) => 3 + byte),
      control: new Set([1, 2]),
      bos: 1,
      eos: 2,
      pad: null,
      unk: 0,
      dummyPrefix: true,
      squeeze: false,
    },
    models,
  );
}
