/** Data of a few lines, loaded with a tokenizer that has one token a character. */
import * as assert from 'uvu/assert';
import type { LoadOptions } from '../../runtime/data/formats.ts';
import { loadData } from '../../runtime/data/load.ts';
import { templateOf } from '../../runtime/data/templates.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';

/** One token a character: its code, begin 1, end 2. */
export const characters: Tokenizer = {
  format: 'huggingface',
  vocabSize: 1000,
  gaps: [],
  ends: new Set([2]),
  bos: 1,
  eos: 2,
  pad: null,
  unk: 0,
  encode: (text, options = {}) => [
    ...(options.bos ? [1] : []),
    ...Array.from(text, (c) => c.codePointAt(0)!),
    ...(options.eos ? [2] : []),
  ],
  decode: (ids) => String.fromCodePoint(...ids),
  decodeStream: () => ({ push: () => '', end: () => '' }),
};

const files = (map: Record<string, string>): LoadOptions['host'] => ({
  readText: (path) => (path in map ? Promise.resolve(map[path]!) : Promise.reject(new Error(`no ${path}`))),
  readBytes: (path) => Promise.resolve(new TextEncoder().encode(map[path] ?? '')),
});

export const short = templateOf('### {instruction}###{output}');
export const load = (
  format: string,
  text: string,
  options: Partial<LoadOptions> = {},
  path = 'd.jsonl',
): ReturnType<typeof loadData> =>
  loadData(
    { name: 'd', format, paths: [path] },
    {
      tokenizer: characters,
      context: 40,
      vocab: 1000,
      template: short,
      host: files({ [path]: text }),
      ...options,
    },
  );

export async function refused(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await promise.then(
    () => assert.unreachable(`${pattern} was not thrown`),
    (error: Error) => assert.match(error.message, pattern),
  );
}

/** Lines of so many records of different lengths. */
export const many = (count: number): string =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ instruction: 'x'.repeat(i % 5), output: String(i) }),
  ).join('\n');
