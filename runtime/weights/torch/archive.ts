/**
 * The zip archive that `torch.save` writes (PyTorch 1.6 and later): `NAME/data.pkl` describes the tensors and
 * `NAME/data/KEY` holds the numbers of each storage, uncompressed.
 */
import { Reader, ZipReader, type Entry } from '@zip.js/zip.js';
import { InputError } from '../../input-error.ts';
import type { ByteSource } from '../source.ts';

export interface TorchArchive {
  /** The pickle that describes the tensors. */
  readonly pickle: Uint8Array;
  /** Bytes `from` to `from + length` of a storage. @throws InputError when the archive does not hold them */
  storage(key: string, from: number, length: number): Promise<Uint8Array>;
  /** Bytes of a storage, or null when the archive has no such storage. */
  sizeOf(key: string): number | null;
}

/** What a pickle may take: the descriptions of a model's tensors stay far below. */
const MAX_PICKLE = 1 << 28;
/** Length of a local file header without the name and the extra field behind it (APPNOTE.TXT 4.3.7). */
const LOCAL_HEADER = 30;

/**
 * Reads the directory of the archive.
 * @throws InputError when the file is no archive of PyTorch
 */
export async function openArchive(source: ByteSource): Promise<TorchArchive> {
  const entries = await readEntries(source);
  const pickles = [...entries.keys()].filter((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  const [found] = pickles;
  if (found === undefined || pickles.length > 1)
    throw new InputError(
      `${source.name}: the archive has ${pickles.length} entries \`data.pkl\`, and PyTorch writes one`,
      'give a file that `torch.save` wrote, or weights in safetensors format',
    );
  const folder = found.slice(0, -'data.pkl'.length);
  const dataStart = new Map<string, number>();
  const read = async (name: string, from: number, length: number): Promise<Uint8Array> => {
    const entry = entries.get(name);
    if (!entry || from + length > entry.uncompressedSize)
      throw new InputError(
        `${source.name}: \`${name}\` has ${entry?.uncompressedSize ?? 0} bytes, and ${from + length} are asked for`,
        'the file is damaged or not whole: get it again',
      );
    const start = dataStart.get(name) ?? (await startOf(source, entry));
    dataStart.set(name, start);
    return await source.read(start + from, length);
  };
  const order = entries.get(`${folder}byteorder`);
  if (order) {
    const text = new TextDecoder().decode(await read(order.filename, 0, order.uncompressedSize));
    if (text !== 'little')
      throw new InputError(
        `${source.name} was written on a ${text}-endian machine`,
        'save it again on another',
      );
  }
  const size = entries.get(found)?.uncompressedSize ?? 0;
  if (size > MAX_PICKLE)
    throw new InputError(
      `${source.name}: \`${found}\` takes ${size} bytes`,
      'give a file that holds tensors only',
    );
  return {
    pickle: await read(found, 0, size),
    storage: (key, from, length) => read(`${folder}data/${key}`, from, length),
    sizeOf: (key) => entries.get(`${folder}data/${key}`)?.uncompressedSize ?? null,
  };
}

/** Entries by name; every one is stored as it is. */
async function readEntries(source: ByteSource): Promise<Map<string, Entry>> {
  let entries: Entry[];
  try {
    entries = await new ZipReader(new SourceReader(source), { useWebWorkers: false }).getEntries();
  } catch (cause) {
    throw new InputError(
      `${source.name} is not a whole zip archive: ${cause instanceof Error ? cause.message : String(cause)}`,
      'the file is damaged or not whole, or no file of `torch.save`: get it again',
      { cause },
    );
  }
  const byName = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.encrypted || entry.compressionMethod !== 0 || byName.has(entry.filename))
      throw new InputError(
        `${source.name}: \`${entry.filename}\` is ${entry.encrypted ? 'encrypted' : byName.has(entry.filename) ? 'there twice' : 'compressed'}, which PyTorch does not write`,
        'give the file as `torch.save` wrote it',
      );
    byName.set(entry.filename, entry);
  }
  return byName;
}

/** Where the bytes of an entry begin: behind its local header, whose name and extra field have lengths of their own. */
async function startOf(source: ByteSource, { offset, filename, uncompressedSize }: Entry): Promise<number> {
  const bytes =
    offset + LOCAL_HEADER <= source.size
      ? await source.read(offset, LOCAL_HEADER)
      : new Uint8Array(LOCAL_HEADER);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = offset + LOCAL_HEADER + view.getUint16(26, true) + view.getUint16(28, true);
  if (view.getUint32(0, true) !== 0x04034b50 || start + uncompressedSize > source.size)
    throw new InputError(
      `${source.name}: \`${filename}\` does not lie where the archive says`,
      'the file is damaged or not whole: get it again',
    );
  return start;
}

/** Lets the zip library read pieces of a source. */
class SourceReader extends Reader<ByteSource> {
  readonly #source: ByteSource;
  constructor(source: ByteSource) {
    super(source);
    this.#source = source;
    this.size = source.size;
  }
  override readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const from = Math.min(index, this.#source.size);
    return this.#source.read(from, Math.max(0, Math.min(length, this.#source.size - from)));
  }
}
