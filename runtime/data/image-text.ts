/** The format `image_text`: records of an image and its caption, or conversations about one image. */
import { InputError } from '../input-error.ts';
import { conversationOf } from './conversations.ts';
import { encodeAll } from './encode-records.ts';
import { refuseForeign } from './foreign.ts';
import type { Loaded, LoadOptions, Source } from './formats.ts';
import type { ImageStore } from './image-store.ts';
import { type BadPicture, besideFile, describeBad, isBad } from './picture-store.ts';
import { folderRecords, readRecords } from './record-files.ts';
import type { Located } from './records.ts';
import type { TextRecord } from './templates.ts';

/** A record {image, caption} and the path of its picture. */
interface Captioned {
  readonly record: Located<TextRecord>;
  readonly path: string;
}

/** Records {image, caption}; pictures are read when there is a store for them. */
export async function loadImageText(source: Source, options: LoadOptions): Promise<Loaded> {
  const captioned: Captioned[] = [];
  for (const file of source.paths) {
    const names = (await options.host.readFolder?.(file)) ?? null;
    const records = names
      ? await folderRecords(file, names, options.host)
      : await readRecords(file, options.host);
    for (const record of records)
      captioned.push({ record, path: besideFile(names ? `${file}/` : file, imageOf(record, source.format)) });
  }
  const encode = (records: readonly Located<TextRecord>[]): Loaded =>
    encodeAll(records, source.format, options);
  if (!options.pictures) return encode(captioned.map(({ record }) => record));
  const { numbers, bad } = await readPictures(source, captioned, options.pictures);
  const good = captioned.flatMap(({ record }) => (numbers.has(record.value) ? [record] : []));
  const loaded = encode(good);
  const pictures = Uint32Array.from(loaded.records, (record) => numbers.get(record) ?? 0);
  return { ...loaded, pictures, bad };
}

/** The path of a record's one image. @throws InputError where there is none, or several */
function imageOf({ value, where }: Located<TextRecord>, format: string): string {
  const { image } = value;
  if (typeof image === 'string') return image;
  const conversation = conversationOf(value, where);
  const [first, ...others] = conversation?.images ?? [];
  if (first !== undefined && others.length === 0) return first;
  if (others.length > 0)
    throw new InputError(
      `${where()}: a conversation with ${others.length + 1} images, and one is shown`,
      'write a record for each image',
    );
  if (!conversation) refuseForeign(value, format, where());
  throw new InputError(
    `${where()}: no field \`image\``,
    conversation
      ? 'give conversations without an image a file of their own, `data NAME = chat("FILE")`'
      : 'each record is {"image": "path", "caption": "text"}',
  );
}

/** A file that is not there is a mistake in the data; one that is damaged costs its own examples only. */
async function readPictures(
  source: Source,
  captioned: readonly Captioned[],
  store: ImageStore,
): Promise<{ numbers: Map<TextRecord, number>; bad: BadPicture[] }> {
  const numbers = new Map<TextRecord, number>();
  const bad: BadPicture[] = [];
  const added = await store.addAll(captioned.map(({ path }) => path));
  captioned.forEach(({ record: { value, where }, path }, i) => {
    const number = added[i];
    if (typeof number === 'number') numbers.set(value, number);
    else if (isBad(number)) bad.push({ where: where(), image: path, reason: number.message });
    else if (number instanceof InputError) throw number.at(where());
    else throw number;
  });
  if (numbers.size > 0 || captioned.length === 0) return { numbers, bad };
  throw new InputError(
    `data \`${source.name}\`: none of its ${captioned.length} pictures can be used\n  ${describeBad(bad).join('\n  ')}`,
    'give PNG, JPEG or WebP files',
  );
}
