/** Weights of any format that is read, by path. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { InputError } from '../input-error.ts';
import { openGguf } from '../weights/gguf/index.ts';
import { openLlama2c } from '../weights/llama2c.ts';
import { joinShards } from '../weights/meta.ts';
import { adviceFor, formatOf, isPeft, isTorchIndex, refusePeft } from '../weights/recognise.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { openSharded } from '../weights/sharded.ts';
import type { ByteSource, WeightSource } from '../weights/source.ts';
import { cannotRead, openFile, readText } from './read.ts';

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
  const { openTorch } = await import('../weights/torch/index.ts');
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
