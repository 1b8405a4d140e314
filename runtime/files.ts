/** Files in Node, read whole or in pieces. A browser never loads this module. */
import { isUtf8 } from 'node:buffer';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { DataHost } from './data/host.ts';
import { InputError } from './input-error.ts';
import { type Beside, readBeside } from './tokenizer/beside.ts';
import { huggingfaceTokenizer } from './tokenizer/huggingface.ts';
import { llama2cTokenizer } from './tokenizer/llama2c.ts';
import { sentencepieceTokenizer } from './tokenizer/sentencepiece.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';
import { openGguf, tokenizerOfGguf } from './weights/gguf/index.ts';
import { readHeader } from './weights/gguf/header.ts';
import { openLlama2c } from './weights/llama2c.ts';
import { joinShards } from './weights/meta.ts';
import { adviceFor, formatOf, isPeft, isTorchIndex, refusePeft } from './weights/recognise.ts';
import { openSafetensors } from './weights/safetensors.ts';
import { openSharded } from './weights/sharded.ts';
import type { ByteSource, WeightSource } from './weights/source.ts';

/** `ENOENT` and the like; empty for what is no system error. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Says which path was tried and from where, since a relative path in a spec is relative to the spec. */
function cannotRead(path: string, error: unknown): InputError {
  const full = resolve(path);
  const code = codeOf(error);
  const reason =
    { ENOENT: 'there is no such file', EACCES: 'no permission to read it', EISDIR: 'it is a folder' }[code] ??
    (error instanceof Error ? error.message : String(error));
  return new InputError(
    `cannot read ${full}: ${reason}`,
    path === full ? 'check the path' : `\`${path}\` was taken from ${process.cwd()}; check the path`,
    { cause: error },
  );
}

/**
 * Reads a text file as UTF-8.
 * @throws InputError with the path tried and the current folder, or the line that is no UTF-8: read as if it were, its
 * letters would be trained on as replacement characters
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  if (!isUtf8(bytes))
    throw new InputError(`${path}:${firstForeignLine(bytes)}: not UTF-8 text`, 'save it as UTF-8');
  try {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString('utf8')
      .replace(/^\ufeff/, '');
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Number of the first line that is no UTF-8. */
function firstForeignLine(bytes: Uint8Array): number {
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}

/** Names of what is in a folder; null where the path is no folder. */
export const readFolder = (path: string): Promise<string[] | null> =>
  stat(path).then(
    (found) => (found.isDirectory() ? readdir(path) : null),
    () => null,
  );

/** Reads a whole file. @throws InputError as `readText` does */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Opens a file to be read in pieces. @throws InputError as `readText` does */
export async function openFile(path: string): Promise<ByteSource> {
  try {
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return {
      name: path,
      size,
      async read(offset, length) {
        const bytes = new Uint8Array(length);
        // One call may return less than it was asked for, 2 GiB at most on Linux.
        for (let done = 0; done < length;) {
          const { bytesRead } = await handle.read(
            bytes,
            done,
            Math.min(length - done, 1 << 30),
            offset + done,
          );
          if (bytesRead === 0) {
            throw new InputError(`${path} became shorter while it was read`, 'do not write to a file in use');
          }
          done += bytesRead;
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/**
 * Opens weights of any format we read: a .safetensors file, an index of several, a .gguf, PyTorch's .pth or .bin,
 * llama2.c's .bin, or a folder that holds one of them under the usual names of Hugging Face or of Meta.
 * @throws InputError when there is none, or when the format is one we do not read
 */
export async function openWeights(path: string): Promise<WeightSource> {
  const file = await weightsIn(path);
  if (file.endsWith('.bin.index.json')) throw isTorchIndex(file);
  if (file.endsWith('.index.json')) {
    return await openSharded(await readText(file), file, (name) => openFile(join(dirname(file), name)));
  }
  if (isShard(file)) return await openShards(dirname(file));
  const source = await openByContents(file);
  try {
    refusePeft(source);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** By the first bytes where they say it (pytorch_model.bin is no .bin of llama2.c), else by the file's name. */
async function openByContents(file: string): Promise<WeightSource> {
  const format = formatOf(await firstBytes(file));
  if (format === 'gguf') return await openWith(file, openGguf);
  if (format === 'torch') return await openTorchFile(file);
  switch (extname(file)) {
    case '.safetensors':
      return await openWith(file, openSafetensors);
    case '.gguf':
      return await openWith(file, openGguf);
    case '.bin':
      return await openWith(file, openLlama2c);
    case '.pth':
    case '.pt':
      return await openTorchFile(file);
    default:
      throw new InputError(
        `${file}: weights of an unknown format`,
        'give a .safetensors file, a model.safetensors.index.json, a .gguf, a .pth, or a .bin of llama2.c',
      );
  }
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const source = await openFile(file);
  try {
    return await source.read(0, Math.min(source.size, 4));
  } finally {
    await source.close();
  }
}

/** A file of `torch.save`. Its reader is loaded when it is needed: the zip library would slow every command's start. */
async function openTorchFile(file: string): Promise<WeightSource> {
  const { openTorch } = await import('./weights/torch/index.ts');
  return await openWith(file, openTorch);
}

/** Whether a file is one shard of a checkpoint of Meta's. */
const isShard = (file: string): boolean => /^consolidated\.\d\d\.pth$/.test(basename(file));

/** All shards of the checkpoint of Meta's in a folder. */
async function openShards(folder: string): Promise<WeightSource> {
  const files = (await readdir(folder)).filter(isShard).sort();
  const gap = files.findIndex((file, i) => Number(file.slice(-6, -4)) !== i);
  if (gap >= 0)
    throw new InputError(
      `${folder} has ${files.join(', ')}, but no consolidated.${String(gap).padStart(2, '0')}.pth`,
      'get the missing shard: each holds a part of every large tensor',
    );
  const shards: WeightSource[] = [];
  try {
    for (const file of files) shards.push(await openTorchFile(join(folder, file)));
    return joinShards(shards, folder);
  } catch (error) {
    for (const shard of shards) await shard.close();
    throw error;
  }
}

/** Closes the file again when its contents turn out to be no good. */
async function openWith<T>(path: string, parse: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await openFile(path);
  try {
    return await parse(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Names of weights in a folder, the first that is there counts. */
const USUAL = [
  'model.safetensors.index.json',
  'model.safetensors',
  'consolidated.00.pth',
  'pytorch_model.bin.index.json',
  'pytorch_model.bin',
];

/** The file that a path means: itself, or the weights in a folder. */
async function weightsIn(path: string): Promise<string> {
  let folder: boolean;
  try {
    folder = (await stat(path)).isDirectory();
  } catch (error) {
    throw cannotRead(path, error);
  }
  if (!folder) return path;
  const files = await readdir(path);
  const file = USUAL.find((name) => files.includes(name));
  if (file !== undefined) return join(path, file);
  if (files.includes('adapter_config.json')) throw isPeft(resolve(path));
  throw new InputError(`${resolve(path)} holds no weights`, adviceFor(files, USUAL));
}

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

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

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

/** A JSON file. @throws InputError when it is not there or no JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new InputError(`${path} is not valid JSON: ${String(cause)}`, 'get the file again', { cause });
  }
}

/** Reads data files relative to a folder, such as that of the spec which names them. */
export function dataHost(folder: string): DataHost {
  return {
    readText: (path) => readText(resolve(folder, path)),
    readBytes: (path) => readBytes(resolve(folder, path)),
    readFolder: (path) => readFolder(resolve(folder, path)),
  };
}
