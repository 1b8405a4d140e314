/** Tokenizers: ids and texts as Hugging Face's tokenizers gives them. */
import { join } from 'node:path';
import { openTokenizer, readJson } from '../../files.ts';
import type { Report } from '../compare.ts';

interface Recorded {
  readonly special_ids: readonly number[];
  readonly strings: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly ids_without_special: readonly number[];
    readonly decoded: string;
  }[];
  readonly id_sequences: readonly { readonly ids: readonly number[]; readonly decoded: string }[];
  /** The text of each id by itself, special ones with them. */
  readonly single_ids: readonly string[];
}

/** Special tokens have no text in what Graft decodes; the others are compared one by one as well. */
export async function runTokenizer(folder: string, report: Report): Promise<void> {
  const tokenizer = await openTokenizer(join(folder, 'tokenizer.json'));
  const recorded = (await readJson(join(folder, 'expected.json'))) as Recorded;
  for (const { text, ids, ids_without_special: bare, decoded } of recorded.strings) {
    const shown = JSON.stringify(text);
    report.same('ids', tokenizer.encode(text), bare, shown);
    // A text that writes the begin token itself gets no second one from Graft, while Hugging Face puts another in front.
    if (bare[0] !== tokenizer.bos || tokenizer.bos === null)
      report.same('ids', tokenizer.encode(text, { bos: tokenizer.bos !== null }), ids, `${shown} with bos`);
    report.same('texts', tokenizer.decode(ids), decoded, shown);
  }
  for (const { ids, decoded } of recorded.id_sequences)
    report.same('texts', tokenizer.decode(ids), decoded, `ids ${ids.join(' ')}`);
  const special = new Set(recorded.special_ids);
  recorded.single_ids.forEach((text, id) =>
    report.same('texts', tokenizer.decode([id]), special.has(id) ? '' : text, `id ${id}`),
  );
}
