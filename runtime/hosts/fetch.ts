/**
 * Files by fetch. Weights are read in pieces, as they are asked for, so that a model larger than a page's memory can be put
 * on the device; where a server knows no ranges, the browser keeps the file as a Blob instead.
 */
import { InputError } from '../input-error.ts';
import { loadPackage } from '../package.ts';
import type { Package } from '../session.ts';
import { type Beside, readBeside } from '../tokenizer/beside.ts';
import { huggingfaceTokenizer } from '../tokenizer/huggingface.ts';
import { llama2cTokenizer } from '../tokenizer/llama2c.ts';
import { sentencepieceTokenizer } from '../tokenizer/sentencepiece.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { openLlama2c } from '../weights/llama2c.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { openSharded } from '../weights/sharded.ts';
import { blobSource, type ByteSource, type WeightSource } from '../weights/source.ts';

/** Bytes that are asked for at least: neighbouring tensors then come in one request. */
const PIECE = 8 * 1024 * 1024;

/** Loads a package from the address of its folder. */
export function fetchPackage(folder: string): Promise<Package> {
  const root = absolute(folder.endsWith('/') ? folder : `${folder}/`);
  return loadPackage(
    async (path) => (await fetchWhole(new URL(path, root).href)).text(),
    root.replace(/\/$/, ''),
  );
}

/** Opens weights at an address: .safetensors, the .index.json of several, or llama2.c's .bin. */
export async function fetchWeights(address: string): Promise<WeightSource> {
  const url = absolute(address);
  switch (extensionOf(url)) {
    case 'index.json':
      return openSharded(await (await fetchWhole(url)).text(), url, (name) =>
        fetchSource(new URL(name, url).href),
      );
    case 'bin':
      return openLlama2c(await fetchSource(url));
    default:
      return openSafetensors(await fetchSource(url));
  }
}

/** Weights the user has chosen: a File of an <input type="file">, or any Blob of a safetensors file. */
export const weightsFrom = (file: Blob, name = 'the chosen file'): Promise<WeightSource> =>
  openSafetensors(blobSource(name, file));

/**
 * Loads a tokenizer: tokenizer.json, SentencePiece's .model or llama2.c's .bin. Of the files beside it
 * (tokenizer_config.json, special_tokens_map.json, chat_template.jinja, config.json, generation_config.json) those that are
 * there are read too.
 */
export async function fetchTokenizer(address: string): Promise<Tokenizer> {
  const url = absolute(address);
  const response = await fetchWhole(url);
  const beside = (): Promise<Beside> => readBeside((name) => fetchOptional(new URL(name, url).href));
  switch (extensionOf(url)) {
    case 'model':
      return sentencepieceTokenizer(
        new Uint8Array(await response.arrayBuffer()),
        url,
        (await beside()).models,
      );
    case 'bin':
      return llama2cTokenizer(new Uint8Array(await response.arrayBuffer()), url, (await beside()).models);
    default: {
      const json: unknown = await response.json().catch((cause: unknown) => notJson(url, cause));
      const { config, models } = await beside();
      return huggingfaceTokenizer(json, config, url, models);
    }
  }
}

/** A file that need not be there, a .json parsed, else its text; undefined where it is not. */
async function fetchOptional(url: string): Promise<unknown> {
  const response = await fetch(url).catch(() => null);
  // A store of files answers 403 for what it does not hold, and some servers give their page for every address.
  if (response === null || [403, 404, 410].includes(response.status) || isPage(response)) return undefined;
  if (!response.ok)
    throw new InputError(
      `cannot load ${url}: ${response.status} ${response.statusText}`.trim(),
      'try again: the file says more of the tokenizer',
    );
  return url.endsWith('.json')
    ? response.json().catch((cause: unknown) => notJson(url, cause))
    : response.text();
}

const isPage = (response: Response): boolean =>
  (response.headers.get('content-type') ?? '').startsWith('text/html');

/** A file at an address, read by ranges. */
export async function fetchSource(address: string): Promise<ByteSource> {
  const url = absolute(address);
  const response = await request(url, { headers: rangeOf(0, PIECE) });
  const size = response.status === 206 ? sizeOf(response) : null;
  if (size === null) return blobSource(url, await response.blob());
  let piece: Piece = { from: 0, bytes: response.arrayBuffer() };
  return {
    name: url,
    size,
    async read(offset, length) {
      const inside = (p: Piece, bytes: ArrayBuffer) =>
        offset >= p.from && offset + length <= p.from + bytes.byteLength;
      let bytes = await piece.bytes;
      if (!inside(piece, bytes)) {
        const wanted = Math.min(Math.max(length, PIECE), size - offset);
        piece = { from: offset, bytes: fetchRange(url, offset, wanted, size) };
        bytes = await piece.bytes;
      }
      // A copy: the next piece must not keep this one alive through a small tensor.
      return new Uint8Array(bytes.slice(offset - piece.from, offset - piece.from + length));
    },
    close: () => Promise.resolve(),
  };
}

interface Piece {
  readonly from: number;
  readonly bytes: Promise<ArrayBuffer>;
}

const rangeOf = (from: number, length: number): Record<string, string> => ({
  range: `bytes=${from}-${from + length - 1}`,
});

/** The size in `content-range: bytes 0-99/1234`; null where it is not told or the transport packs the bytes. */
function sizeOf(response: Response): number | null {
  const size = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  return size === undefined || response.headers.has('content-encoding') ? null : Number(size);
}

async function fetchRange(url: string, from: number, length: number, size: number): Promise<ArrayBuffer> {
  const response = await request(url, { headers: rangeOf(from, length) });
  const bytes = await response.arrayBuffer();
  if (response.status === 206 && sizeOf(response) === size && bytes.byteLength === length) return bytes;
  throw new InputError(`${url} changed while it was read`, 'load the page again');
}

/** A whole file. @throws InputError when it cannot be had, with what the server said */
export const fetchWhole = (url: string): Promise<Response> => request(absolute(url), {});

async function request(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new InputError(
      `cannot load ${url}: ${String(cause)}`,
      'check the address, the network, and whether its server lets other pages read it (CORS)',
      { cause },
    );
  });
  if (response.ok) return response;
  throw new InputError(
    `cannot load ${url}: ${response.status} ${response.statusText}`.trim(),
    'check the address',
  );
}

const notJson = (url: string, cause: unknown): never => {
  throw new InputError(`${url} is not valid JSON: ${String(cause)}`, 'give a JSON file', { cause });
};

/** Addresses are taken from the page's; Node, where this is tested, has none. */
const absolute = (address: string): string =>
  new URL(address, typeof location === 'undefined' ? undefined : location.href).href;

const extensionOf = (url: string): string => /\.(index\.json|\w+)$/.exec(new URL(url).pathname)?.[1] ?? '';
