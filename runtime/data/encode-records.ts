/** Records to examples: the fields that templates see, long examples, and what may not be meant. */
import { InputError } from '../input-error.ts';
import { isConversation, piecesOf } from './conversations.ts';
import { encodePieces, type Example } from './encode.ts';
import { refuseForeign } from './foreign.ts';
import type { Loaded, LoadOptions } from './formats.ts';
import type { Located } from './records.ts';
import { createRemarks } from './remarks.ts';
import { alpaca, type TextRecord } from './templates.ts';

/** What the official code asks of every picture (llama_adapter_v2_multimodal7b/data/dataset.py). */
export const CAPTION_QUESTION = 'Generate caption of this image';

/** A record's fields as templates see them: a picture's are the question (`ask`) and its caption. */
export const fieldsOf = (format: string, record: TextRecord, ask: string = CAPTION_QUESTION): TextRecord =>
  format === 'image_text' && !isConversation(record)
    ? { instruction: ask, ...record, output: record['caption'] ?? record['output'] }
    : record;

/**
 * Encodes the records of a source.
 * @throws InputError with the place of a record that its template or its format cannot take
 */
export function encodeAll(
  records: readonly Located<TextRecord>[],
  format: string,
  options: LoadOptions,
): Loaded {
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
export function located<T>(where: () => string, work: (at: string) => T): T {
  try {
    return work(PLACE);
  } catch (error) {
    if (error instanceof InputError && error.message.startsWith(PLACE)) return work(where());
    throw error;
  }
}
