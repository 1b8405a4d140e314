/** Remarks on records that load but may be mistakes in the data: their number, and the place of the first. */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Encoded } from './encode.ts';
import type { Located } from './records.ts';
import type { Template, TextRecord } from './templates.ts';

export interface Remarks {
  /** Looks at one record as it was encoded. */
  look(record: Located, fields: TextRecord, encoded: Encoded): void;
  /** One sentence for each kind of record that was found. */
  sentences(): string[];
}

interface Found {
  records: number;
  tokens: number;
  first: { readonly where: () => string; readonly fields: TextRecord } | null;
}

/** @param template of all records */
export function createRemarks(tokenizer: Tokenizer, template: Template): Remarks {
  const nothing = (): Found => ({ records: 0, tokens: 0, first: null });
  const [empty, unknown, spanned] = [nothing(), nothing(), nothing()];
  const add = (found: Found, record: Located, fields: TextRecord, tokens: number): void => {
    found.records++;
    found.tokens += tokens;
    found.first ??= { where: record.where, fields };
  };
  let all = 0;
  return {
    look(record, fields, encoded) {
      all++;
      const { output } = fields;
      if (typeof output === 'string' && output.trim() === '') add(empty, record, fields, 0);
      if (encoded.unknown > 0) add(unknown, record, fields, encoded.unknown);
      if (encoded.spanned) add(spanned, record, fields, 0);
    },
    sentences: () => [
      ...(empty.first
        ? [
            `${empty.records} of ${all} answers are empty, the first at ${empty.first.where()}: the model learns to say nothing there; leave such records out if that is not meant`,
          ]
        : []),
      ...(unknown.first
        ? [
            tellUnknown(
              unknown.tokens,
              `${unknown.records} of ${all} examples`,
              `${unknown.first.where()}${sample(unknown.first.fields, tokenizer)}`,
              tokenizer,
            ),
          ]
        : []),
      ...(spanned.first
        ? [
            `in ${spanned.records} of ${all} examples a token runs over the border of prompt and answer, the first at ${spanned.first.where()}: the beginning of the answer is not learned there; write \`border = apart\`, or end the prompt of the template where a token ends`,
          ]
        : []),
      ...plainNames(tokenizer, template),
    ],
  };
}

/** Text without a token of its own. `among` is what it was counted in, `first` the first place. */
export const tellUnknown = (tokens: number, among: string, first: string, { unk }: Tokenizer): string =>
  `${tokens} tokens in ${among} are the unknown token (id ${unk}), the first at ${first}: the tokenizer has no token for that text, so the model does not see it; change the text, or use a base that knows it`;

/** The first character that has no token, such as `: "😀"`. */
function sample(fields: TextRecord, tokenizer: Tokenizer): string {
  const texts = Object.values(fields).filter((value) => typeof value === 'string');
  const character = Array.from(texts.join('')).find(
    (c) => tokenizer.unk !== null && tokenizer.encode(c, { after: ' ' }).includes(tokenizer.unk),
  );
  return character === undefined ? '' : ` (${JSON.stringify(character)})`;
}

/** In SentencePiece's and llama2.c's files the name of a special token is ordinary text, which a template seldom means. */
function plainNames({ format }: Tokenizer, { text }: Template): string[] {
  const names = format === 'huggingface' ? [] : ['<s>', '</s>'].filter((name) => text.includes(name));
  return names.length === 0
    ? []
    : [
        `the template writes ${names.map((name) => `\`${name}\``).join(' and ')}, which to this tokenizer is ordinary text: take it out, since begin and end are put there anyway, or use the model's tokenizer.json`,
      ];
}
