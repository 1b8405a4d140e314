/** Records from tables: CSV by csv-parse, Parquet by hyparquet. Both are loaded when a table is read. */
import { InputError } from '../input-error.ts';
import type { Located } from './records.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a CSV file whose first line names the columns; quoted as RFC 4180 says, empty lines passed over.
 * @param delimiter what stands between two fields
 * @throws InputError with file and line where a row has another number of fields, or a quote is not closed
 */
export async function csvRecords(text: string, file: string, delimiter: string): Promise<Located<Fields>[]> {
  const { parse, CsvError } = await import('csv-parse/browser/esm/sync');
  const lines: number[] = [];
  try {
    const rows: Fields[] = parse(text, {
      bom: true,
      delimiter,
      skip_empty_lines: true,
      columns: (names: string[]) => distinct(names, file),
      on_record: (record: Fields, { lines: line }) => {
        lines.push(line);
        return record;
      },
    });
    if (rows.length === 0)
      throw new InputError(
        `${file} has no rows`,
        'give it a line with the names of the columns, and a row below',
      );
    return rows.map((value, i) => ({ value, where: () => `${file}:${lines[i] ?? 1}` }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const { lines: line } = cause as unknown as { readonly lines?: number };
    throw new InputError(
      `${file}:${line ?? 1}: ${cause.message}`,
      'put a text that holds a comma, a quote or a line break in quotes, and write a quote within it twice',
      { cause },
    );
  }
}

/** Of two columns of one name the last would count without a word. */
function distinct(names: readonly string[], file: string): string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return [...names];
  throw new InputError(`${file}:1: two columns are called \`${twice}\``, 'give them two names');
}

/** Reads a Parquet file of any compression. @throws InputError when it is none, or damaged */
export async function parquetRecords(bytes: Uint8Array, file: string): Promise<Located<Fields>[]> {
  const [{ parquetReadObjects }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ]);
  const buffer = bytes.slice().buffer;
  try {
    const rows = await parquetReadObjects({ file: buffer, compressors });
    return rows.map((value, i) => ({ value: value as Fields, where: () => `${file}, row ${i + 1}` }));
  } catch (cause) {
    throw new InputError(
      `${file} is not a Parquet file that can be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      'get the file again, or write its rows as JSON lines',
      { cause },
    );
  }
}
