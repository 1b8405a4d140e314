/** Files of records, each by the ending of its name: JSON and JSON lines, CSV, Parquet; and folders of images with captions. */
import { InputError } from '../input-error.ts';
import type { DataHost } from './host.ts';
import { asObjects, type Located, parseRecords } from './records.ts';
import { csvRecords, parquetRecords } from './tables.ts';
import type { TextRecord } from './templates.ts';

/** Whether a file of this name is a table, which always holds records. */
export const isTable = (path: string): boolean => /\.(csv|tsv|parquet)$/i.test(path);

/** The records of a file. @throws InputError with file and line for what is no record */
export async function readRecords(path: string, host: DataHost): Promise<Located<TextRecord>[]> {
  const [, ending] = /\.(csv|tsv|parquet)$/i.exec(path) ?? [];
  switch (ending?.toLowerCase()) {
    case 'csv':
      return csvRecords(await host.readText(path), path, ',');
    case 'tsv':
      return csvRecords(await host.readText(path), path, '\t');
    case 'parquet':
      return parquetRecords(await host.readBytes(path), path);
    default:
      return asObjects(parseRecords(await host.readText(path), path));
  }
}

/** Names of a table of captions within a folder of images, as Hugging Face's `imagefolder` has them. */
const TABLES = ['metadata.jsonl', 'metadata.csv', 'metadata.parquet'];
/** Endings of a text beside an image that is its caption. */
const CAPTIONS = ['.txt', '.caption'];

/**
 * The records `{image, caption}` of a folder: those of a table in it (`file_name` and `text`, or our own names), or every
 * picture with the text file of its name.
 * @param names of the files in the folder
 * @throws InputError for a picture without a caption, and a folder without pictures
 */
export async function folderRecords(
  folder: string,
  names: readonly string[],
  host: DataHost,
): Promise<Located<TextRecord>[]> {
  const inside = (name: string): string => `${folder.replace(/[/\\]$/, '')}/${name}`;
  const table = TABLES.find((name) => names.includes(name));
  if (table !== undefined) {
    const records = await readRecords(inside(table), host);
    return records.map(({ value: { file_name: image, text, ...rest }, where }) => ({
      value: {
        ...(image === undefined ? {} : { image }),
        ...(text === undefined ? {} : { caption: text }),
        ...rest,
      },
      where,
    }));
  }
  const pictures = names.filter((name) => /\.(png|jpe?g|webp)$/i.test(name)).sort();
  if (pictures.length === 0)
    throw new InputError(
      `${folder} holds no pictures`,
      'give a folder of PNG, JPEG or WebP files, each with a .txt of the same name beside it, or with a metadata.jsonl',
    );
  return Promise.all(
    pictures.map(async (name) => {
      const stem = name.replace(/\.[^.]*$/, '');
      const text = CAPTIONS.map((ending) => stem + ending).find((file) => names.includes(file));
      if (text === undefined)
        throw new InputError(
          `${inside(name)} has no caption: ${stem}.txt is not there`,
          'write its caption into that file, or list images and captions in a metadata.jsonl',
        );
      const caption = (await host.readText(inside(text))).trim();
      return { value: { image: name, caption }, where: () => inside(text) };
    }),
  );
}
