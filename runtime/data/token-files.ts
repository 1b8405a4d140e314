/** Files of token ids: JSON lines `[1, 2, 3]` or `{"tokens": [...], "prompt": 2}`, and streams of uint16. */
import { InputError } from '../input-error.ts';
import { checkIds } from './encode.ts';
import { type Located, parseRecords } from './records.ts';
import type { TextRecord } from './templates.ts';

/** A file that is one flat list is one example. */
export function tokenRecords(text: string, path: string): Located[] {
  const records = parseRecords(text, path);
  if (!records.every(({ value }) => typeof value === 'number')) return records;
  return [{ value: records.map(({ value }) => value), where: () => `${path}:1` }];
}

/** Ids and the length of the prompt. @throws InputError when the record is neither form */
export function tokensOf(value: unknown, where: () => string): { tokens: number[]; prompt: number } {
  const record = Array.isArray(value) ? { tokens: value as unknown } : ((value ?? {}) as TextRecord);
  const { tokens, prompt = 0 } = record as { tokens?: unknown; prompt?: unknown };
  const isPrompt = typeof prompt === 'number' && Number.isInteger(prompt) && prompt >= 0;
  if (Array.isArray(tokens) && tokens.every((id) => typeof id === 'number') && isPrompt) {
    return { tokens, prompt };
  }
  throw new InputError(
    `${where()}: no list of token ids`,
    'write [1, 2, 3] or {"tokens": [1, 2, 3], "prompt": 1}',
  );
}

/** Ids of a `.bin`: little-endian uint16. @throws InputError for half an id, or one the vocabulary has not */
export function streamOf(bytes: Uint8Array, vocab: number, path: string): Uint32Array {
  if (bytes.length % 2 !== 0) {
    throw new InputError(
      `${path}: ${bytes.length} bytes are no whole number of uint16`,
      'the file is cut off or of another format',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stream = Uint32Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(2 * i, true));
  checkIds(stream, vocab, path);
  return stream;
}
