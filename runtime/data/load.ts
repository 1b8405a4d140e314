/**
 * Data sources of a spec, by format: `alpaca` and `instructions`, `chat`, `image_text`, `text`, `tokens`.
 */
import type { DataSource } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import {
  checkIds,
  countUnknown,
  encodePieces,
  type EncodeRules,
  type Example,
  label,
  packWindows,
} from './encode.ts';
import type { DataHost } from './host.ts';
import type { ImageStore } from './image-store.ts';
import { type BadPicture, besideFile, describeBad, isBad } from './picture-store.ts';
import { folderRecords, isTable, readRecords } from './record-files.ts';
import type { Located } from './records.ts';
import { refuseForeign } from './foreign.ts';
import { createRemarks, tellUnknown } from './remarks.ts';
import { conversationOf, isConversation, piecesOf } from './conversations.ts';
import { alpaca, type Template, type TextRecord } from './templates.ts';
import { streamOf, tokenRecords, tokensOf } from './token-files.ts';

export interface LoadOptions extends Partial<Pick<EncodeRules, 'ignoreId'>>, Omit<EncodeRules, 'ignoreId'> {
  readonly host: DataHost;
  /** Default: Alpaca's. */
  readonly template?: Template;
  /** The instruction of every `image_text` example. Default: the official caption prompt. */
  readonly ask?: string;
  /** Where the images of `image_text` go. Without one they are not looked at. */
  readonly pictures?: ImageStore;
  /** An example longer than the context: cut it (the official rule), leave it out, or stop. Default `truncate`. */
  readonly long?: 'truncate' | 'skip' | 'error';
  /** Tokens of a window of `text`. Default: the context. */
  readonly window?: number;
}

export interface Dataset {
  readonly name: string;
  readonly examples: readonly Example[];
  /** The record each example came from; empty for `text`, which has none. `image_text` has the picture in it. */
  readonly records: readonly TextRecord[];
  /** Number of each example's picture in the store it was loaded with. */
  readonly pictures?: Uint32Array;
  readonly report: DataReport;
}

export interface DataReport {
  readonly examples: number;
  /** Tokens without padding, and those of them that are labels. */
  readonly tokens: number;
  readonly labels: number;
  /** Tokens of the longest example, after cutting. */
  readonly longest: number;
  /** Longer than the context: cut, or left out with `long: skip`. */
  readonly truncated: number;
  readonly skipped: number;
  /** The prompt alone fills the context, so nothing is learned from these. */
  readonly unlabelled: number;
  /** What may not be meant, a sentence each: empty answers, text without tokens. Absent where there is nothing to say. */
  readonly remarks?: readonly string[];
  /** Records that were left out because their picture is damaged or no picture. */
  readonly bad?: readonly BadPicture[];
}

/** What the official code asks of every picture (llama_adapter_v2_multimodal7b/data/dataset.py). */
export const CAPTION_QUESTION = 'Generate caption of this image';

const formats: Readonly<Record<string, (source: Named, options: LoadOptions) => Promise<Loaded>>> = {
  alpaca: loadInstructions,
  instructions: loadInstructions,
  chat: loadChat,
  image_text: loadPictures,
  text: loadText,
  tokens: loadTokens,
};

type Named = Pick<DataSource, 'name' | 'format' | 'paths'>;
interface Loaded {
  readonly examples: Example[];
  readonly records: TextRecord[];
  readonly truncated: number;
  readonly skipped: number;
  readonly remarks?: readonly string[];
  readonly pictures?: Uint32Array;
  readonly bad?: readonly BadPicture[];
}

/**
 * Loads a data source into memory as tokens and labels.
 * @throws InputError for a missing file, malformed JSON (file:line:column), a missing field, an unknown format, a
 * token the base does not have, an example too long with `long: 'error'`, or a source without a single label
 */
export async function loadData(source: Named, options: LoadOptions): Promise<Dataset> {
  const load = Object.hasOwn(formats, source.format) ? formats[source.format] : undefined;
  if (!load) {
    throw new InputError(
      `data \`${source.name}\`: no format \`${source.format}\``,
      `use one of ${Object.keys(formats).join(', ')}`,
    );
  }
  const { examples, records, truncated, skipped, remarks = [], pictures, bad } = await load(source, options);
  const sum = (of: (example: Example) => number): number =>
    examples.reduce((total, example) => total + of(example), 0);
  const report: DataReport = {
    examples: examples.length,
    tokens: sum((example) => example.tokens.length),
    labels: sum((example) => example.labelled),
    longest: examples.reduce((longest, { tokens }) => Math.max(longest, tokens.length), 0),
    truncated,
    skipped,
    unlabelled: examples.filter((example) => example.labelled === 0).length,
    ...(remarks.length > 0 ? { remarks } : {}),
    ...(bad ? { bad } : {}),
  };
  if (report.labels === 0) {
    throw new InputError(
      `data \`${source.name}\` (${source.paths.join(', ')}) has nothing to learn: ${report.examples} examples, no labels`,
      examples.length === 0
        ? 'it needs at least one example'
        : truncated > 0
          ? `the prompts fill the context of ${options.context} tokens: shorten the template`
          : 'an example needs a token after its prompt that is not ignored: give longer ones',
    );
  }
  return { name: source.name, examples, records, ...(pictures ? { pictures } : {}), report };
}

async function recordsOf(source: Named, host: DataHost): Promise<Located<TextRecord>[]> {
  const all: Located<TextRecord>[] = [];
  for (const path of source.paths) for (const record of await readRecords(path, host)) all.push(record);
  return all;
}

/** A record's fields as templates see them: a picture's are the question (`ask`) and its caption. */
export const fieldsOf = (format: string, record: TextRecord, ask: string = CAPTION_QUESTION): TextRecord =>
  format === 'image_text' && !isConversation(record)
    ? { instruction: ask, ...record, output: record['caption'] ?? record['output'] }
    : record;

async function loadInstructions(source: Named, options: LoadOptions): Promise<Loaded> {
  return encodeAll(await recordsOf(source, options.host), source.format, options);
}

/** Conversations, and instructions among them, which are conversations of one turn. */
async function loadChat(source: Named, options: LoadOptions): Promise<Loaded> {
  const records = await recordsOf(source, options.host);
  for (const { value, where } of records)
    if (typeof value['image'] === 'string' || (conversationOf(value, where)?.images.length ?? 0) > 0)
      throw new InputError(
        `${where()}: a conversation with an image, and \`${source.format}\` reads text alone`,
        'write `data NAME = image_text("FILE")` for those with an image',
      );
  return encodeAll(records, source.format, options);
}

/** A record {image, caption} and the path of its picture. */
interface Captioned {
  readonly record: Located<TextRecord>;
  readonly path: string;
}

/** Records {image, caption}; pictures are read when there is a store for them. */
async function loadPictures(source: Named, options: LoadOptions): Promise<Loaded> {
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
  source: Named,
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
    else if (number instanceof InputError)
      throw new InputError(`${where()}: ${number.message.split('\n  help: ')[0]}`, number.help, {
        cause: number,
      });
    else throw number;
  });
  if (numbers.size > 0 || captioned.length === 0) return { numbers, bad };
  throw new InputError(
    `data \`${source.name}\`: none of its ${captioned.length} pictures can be used\n  ${describeBad(bad).join('\n  ')}`,
    'give PNG, JPEG or WebP files',
  );
}

function encodeAll(records: readonly Located<TextRecord>[], format: string, options: LoadOptions): Loaded {
  const { template = alpaca, long = 'truncate', ignoreId = options.tokenizer.unk } = options;
  const loaded = { examples: [] as Example[], records: [] as TextRecord[], truncated: 0, skipped: 0 };
  const remarks = createRemarks(options.tokenizer, template);
  for (const record of records) {
    const { value, where } = record;
    const texts = fieldsOf(format, value, options.ask);
    // Where a record stands is looked for only when something is wrong with it.
    const isRead = isConversation(value) && ['chat', 'image_text'].includes(format);
    if (texts['output'] === undefined && !isRead) refuseForeign(value, format, where());
    const encoded = located(where, (at) =>
      encodePieces(piecesOf(template, texts, at), { ...options, template, ignoreId }, at),
    );
    const { example, length } = encoded;
    if (length > options.context) {
      if (long === 'error') {
        throw new InputError(
          `${where()}: the example has ${length} tokens, the context ${options.context}`,
          'shorten it, or let long examples be cut or skipped',
        );
      }
      if (long === 'skip') {
        loaded.skipped++;
        continue;
      }
      loaded.truncated++;
    }
    remarks.look(record, texts, encoded);
    loaded.examples.push(example);
    loaded.records.push(value);
  }
  return { ...loaded, remarks: remarks.sentences() };
}

const PLACE = '\u0000place';

/** Runs `work` with a placeholder for the place, which is filled in if it throws. */
function located<T>(where: () => string, work: (at: string) => T): T {
  try {
    return work(PLACE);
  } catch (error) {
    if (error instanceof InputError && error.message.startsWith(PLACE)) return work(where());
    throw error;
  }
}

/** Plain text (a document a file) or JSON lines with `text` (a document a line), packed into windows. */
async function loadText(source: Named, options: LoadOptions): Promise<Loaded> {
  const { tokenizer } = options;
  const stream: number[] = [];
  let unknown = 0;
  let first = '';
  for (const path of source.paths) {
    for (const document of await documentsOf(path, options.host)) {
      const ids = tokenizer.encode(document, { bos: tokenizer.bos !== null, eos: tokenizer.eos !== null });
      checkIds(ids, options.vocab, path);
      const found = countUnknown(ids, tokenizer);
      if (found > 0) first ||= path;
      unknown += found;
      for (const id of ids) stream.push(id);
    }
  }
  const loaded = packed(Uint32Array.from(stream), options);
  const remarks = unknown === 0 ? [] : [tellUnknown(unknown, `a text of ${stream.length}`, first, tokenizer)];
  return { ...loaded, remarks: [...remarks, ...(loaded.remarks ?? [])] };
}

async function documentsOf(path: string, host: DataHost): Promise<string[]> {
  if (!/\.jsonl?$/.test(path) && !isTable(path)) return [await host.readText(path)];
  return (await readRecords(path, host)).map(({ value, where }) => {
    if (typeof value['text'] === 'string') return value['text'];
    throw new InputError(`${where()}: no field \`text\``, 'each record is {"text": "..."}');
  });
}

function packed(stream: Uint32Array, options: LoadOptions): Loaded {
  const length = Math.min(options.window ?? options.context, options.context);
  const examples = packWindows(stream, length);
  // A text shorter than one window is still an example.
  if (examples.length === 0) {
    examples.push(label([...stream], 0, { ...options, ignoreId: null }, 'text'));
    return { examples, records: [], truncated: 0, skipped: 0 };
  }
  // The first token of a text is nobody's label.
  const left = stream.length - 1 - examples.length * length;
  const remarks =
    left === 0
      ? []
      : [
          `the last ${left} of ${stream.length} tokens fill no window of ${length}, and are left out of every epoch`,
        ];
  return { examples, records: [], truncated: 0, skipped: 0, remarks };
}

/** Token ids: JSON lines `[1, 2, 3]` or `{"tokens": [...], "prompt": 2}`, or a .bin of little-endian uint16. */
async function loadTokens(source: Named, options: LoadOptions): Promise<Loaded> {
  const loaded = { examples: [] as Example[], records: [] as TextRecord[], truncated: 0, skipped: 0 };
  const remarks: string[] = [];
  for (const path of source.paths) {
    if (path.endsWith('.bin')) {
      const stream = packed(streamOf(await options.host.readBytes(path), options.vocab, path), options);
      // One by one: a corpus has more windows than a call takes arguments.
      for (const example of stream.examples) loaded.examples.push(example);
      remarks.push(...(stream.remarks ?? []).map((remark) => `${path}: ${remark}`));
      continue;
    }
    for (const { value, where } of tokenRecords(await options.host.readText(path), path)) {
      const { tokens, prompt } = tokensOf(value, where);
      if (tokens.length > options.context) loaded.truncated++;
      const last = tokens.length - 1;
      const end = options.tokenizer.ends.has(tokens[last] ?? -1) ? last : -1;
      const rules = { ...options, ignoreId: options.ignoreId ?? null, end };
      loaded.examples.push(located(where, (at) => label(tokens, prompt, rules, at)));
      loaded.records.push(Array.isArray(value) ? {} : (value as TextRecord));
    }
  }
  return { ...loaded, remarks };
}
