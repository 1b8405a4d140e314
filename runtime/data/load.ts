/**
 * Data sources of a spec, by format: `alpaca` and `instructions`, `chat`, `image_text`, `text`, `tokens`.
 */
import { InputError } from '../input-error.ts';
import { conversationOf } from './conversations.ts';
import type { Example } from './encode.ts';
import { encodeAll } from './encode-records.ts';
import type { Loaded, LoadOptions, Source } from './formats.ts';
import type { DataHost } from './host.ts';
import { loadImageText } from './image-text.ts';
import type { BadPicture } from './picture-store.ts';
import { readRecords } from './record-files.ts';
import type { Located } from './records.ts';
import { loadText, loadTokens } from './streams.ts';
import type { TextRecord } from './templates.ts';

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

const formats: Readonly<Record<string, (source: Source, options: LoadOptions) => Promise<Loaded>>> = {
  alpaca: loadInstructions,
  instructions: loadInstructions,
  chat: loadChat,
  image_text: loadImageText,
  text: loadText,
  tokens: loadTokens,
};

/**
 * Loads a data source into memory as tokens and labels.
 * @throws InputError for a missing file, malformed JSON (file:line:column), a missing field, an unknown format, a
 * token the base does not have, an example too long with `long: 'error'`, or a source without a single label
 */
export async function loadData(source: Source, options: LoadOptions): Promise<Dataset> {
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

async function recordsOf(source: Source, host: DataHost): Promise<Located<TextRecord>[]> {
  const all: Located<TextRecord>[] = [];
  for (const path of source.paths) for (const record of await readRecords(path, host)) all.push(record);
  return all;
}

async function loadInstructions(source: Source, options: LoadOptions): Promise<Loaded> {
  return encodeAll(await recordsOf(source, options.host), source.format, options);
}

/** Conversations, and instructions among them, which are conversations of one turn. */
async function loadChat(source: Source, options: LoadOptions): Promise<Loaded> {
  const records = await recordsOf(source, options.host);
  for (const { value, where } of records)
    if (typeof value['image'] === 'string' || (conversationOf(value, where)?.images.length ?? 0) > 0)
      throw new InputError(
        `${where()}: a conversation with an image, and \`${source.format}\` reads text alone`,
        'write `data NAME = image_text("FILE")` for those with an image',
      );
  return encodeAll(records, source.format, options);
}
