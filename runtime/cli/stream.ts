/** Shows answers as their tokens come: one answer flows, several are shown one below the other when all have ended. */
import { createStopFilter } from '../sample.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

export interface AnswerStream {
  /** Takes a token; true when the answer met a stop string. */
  readonly token: (sequence: number, id: number) => boolean;
  /** Shows what is left and ends the lines. */
  readonly end: () => void;
}

/** `texts` are the prompts; each answer is written after a line with the prompt's number when there are several. */
export function streamAnswers(
  tokenizer: Tokenizer,
  texts: readonly string[],
  stops: readonly string[],
  out: NodeJS.WritableStream,
): AnswerStream {
  const rows = texts.map(() => ({
    decoder: tokenizer.decodeStream(),
    filter: createStopFilter(stops),
    text: '',
  }));
  const single = rows.length === 1;
  const show = (row: (typeof rows)[number], text: string) => {
    row.text += text;
    if (single) out.write(text);
  };
  return {
    token: (sequence, id) => {
      const row = rows[sequence];
      if (!row) return true;
      show(row, row.filter.push(row.decoder.push(id)));
      return row.filter.stopped;
    },
    end: () => {
      rows.forEach((row, i) => {
        show(row, row.filter.push(row.decoder.end()) + row.filter.end());
        if (!single) out.write(`[${i + 1}] ${row.text.trim()}\n`);
      });
      if (single) out.write('\n');
    },
  };
}
