/** Tokenizers of any format that is read, by path, with what lies beside them. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { InputError } from '../input-error.ts';
import { type Beside, readBeside } from '../tokenizer/beside.ts';
import { huggingfaceTokenizer } from '../tokenizer/huggingface.ts';
import { llama2cTokenizer } from '../tokenizer/llama2c.ts';
import { sentencepieceTokenizer } from '../tokenizer/sentencepiece.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { readHeader } from '../weights/gguf/header.ts';
import { tokenizerOfGguf } from '../weights/gguf/index.ts';
import { exists, openFile, readBytes, readJson, readText } from './read.ts';

/** The file that a path means: itself, or the tokenizer in a folder. */
async function tokenizerIn(path: string): Promise<string> {
  if (!(await stat(path).catch(() => null))?.isDirectory()) return path;
  const names = ['tokenizer.json', 'tokenizer.model'];
  const files = await readdir(path);
  const file = names.find((name) => files.includes(name));
  if (file !== undefined) return join(path, file);
  throw new InputError(
    `${resolve(path)} holds no tokenizer`,
    `it should have one of ${names.join(', ')}; \`tokenizer = "FILE"\` in the base names another file`,
  );
}

/**
 * Opens a tokenizer by the name of its file: `tokenizer.json`, `.model`, `.gguf`, or llama2.c's `.bin`; of a folder,
 * the tokenizer.json in it or else the tokenizer.model. What lies beside it is read too: tokenizer_config.json, special_tokens_map.json and chat_template.jinja for the first, config.json and generation_config.json for all.
 * @param weights the base's weights, where they lie in a folder of their own: the last two files may be there
 * @throws InputError when the file cannot be read or is of none of these formats
 */
export async function openTokenizer(given: string, weights?: string): Promise<Tokenizer> {
  const path = await tokenizerIn(given);
  const readIn = (folder: string) => async (name: string) => {
    const file = join(folder, name);
    if (!(await exists(file))) return undefined;
    return extname(name) === '.json' ? await readJson(file) : await readText(file);
  };
  const own = dirname(path);
  const other = weights === undefined ? own : extname(weights) === '' ? weights : dirname(weights);
  const beside = (): Promise<Beside> =>
    readBeside(readIn(own), resolve(other) === resolve(own) ? undefined : readIn(other));
  switch (extname(path)) {
    case '.json': {
      const json = await readJson(path);
      const { config, models } = await beside();
      return huggingfaceTokenizer(json, config, path, models);
    }
    case '.gguf': {
      const source = await openFile(path);
      const { tokenizer, config } = tokenizerOfGguf(
        await readHeader(source).finally(() => source.close()),
        path,
      );
      return huggingfaceTokenizer(tokenizer, config, path, (await beside()).models);
    }
    case '.model':
      return sentencepieceTokenizer(await readBytes(path), path, (await beside()).models);
    case '.bin':
      return llama2cTokenizer(await readBytes(path), path, (await beside()).models);
    default:
      throw new InputError(
        `${path}: a tokenizer of an unknown format`,
        'give a tokenizer.json, a SentencePiece tokenizer.model, a .gguf, or a tokenizer.bin of llama2.c',
      );
  }
}
