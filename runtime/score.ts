/** Scoring a session: losses of rows of any lengths, and greedy answers to any number of prompts. */
import { encodePrompt, IGNORE } from './data/encode.ts';
import { capacity, type Decoder, generate, showImages } from './generate.ts';
import { InputError } from './input-error.ts';
import { argmax } from './sample.ts';
import { programFor } from './session.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';
import { evaluate, type Trainer } from './train/trainer.ts';

/** Tokens of which those from index `from` on (at least 1) are to be predicted. */
export interface Row {
  readonly tokens: ArrayLike<number>;
  readonly from: number;
}

/** Images of rows number `start` to `start + count - 1`, as the program takes them; rows beyond the last need some too. */
export type ImagesFor = (start: number, count: number) => Float32Array;

/** Mean cross-entropy in nats over all predicted tokens of all rows, by the program `loss:TASK`. */
export async function lossOfRows(
  trainer: Trainer,
  task: string,
  rows: readonly Row[],
  imagesFor?: ImagesFor,
): Promise<number> {
  const { batch, tokens } = programFor(trainer.session, { kind: 'loss', task, attached: false });
  let [total, count] = [0, 0];
  for (let start = 0; start < rows.length; start += batch) {
    const made = batchOf(rows.slice(start, start + batch), batch, tokens);
    const image = imagesFor ? { image: imagesFor(start, batch) } : {};
    total += (await evaluate(trainer, task, { ...made, ...image })) * made.labelled;
    count += made.labelled;
  }
  return total / count;
}

function batchOf(rows: readonly Row[], batch: number, length: number) {
  const tokens = new Uint32Array(batch * length);
  const labels = new Uint32Array(batch * length).fill(IGNORE);
  let labelled = 0;
  rows.forEach((row, b) => {
    if (row.tokens.length > length)
      throw new InputError(
        `a row of ${row.tokens.length} tokens, the program takes ${length}`,
        'compile it for longer sequences',
      );
    for (let t = 0; t < row.tokens.length; t++) {
      tokens[b * length + t] = row.tokens[t] ?? 0;
      if (t + 1 < row.from || t + 1 >= row.tokens.length) continue;
      labels[b * length + t] = row.tokens[t + 1] ?? 0;
      labelled++;
    }
  });
  return { tokens, labels, labelled };
}

/** Greedy answers, up to a token that ends an answer or `maxTokens`. */
export async function answerAll(
  decoder: Decoder,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  maxTokens: number,
  imagesFor?: ImagesFor,
): Promise<string[]> {
  const { batch } = capacity(decoder);
  const answers: string[] = [];
  for (let start = 0; start < prompts.length; start += batch) {
    const encoded = prompts.slice(start, start + batch).map((prompt) => encodePrompt(tokenizer, prompt));
    if (imagesFor) showImages(decoder, imagesFor(start, batch));
    const ids = await generate(decoder, encoded, { maxTokens, tokenizer, pick: argmax });
    answers.push(...ids.map((answer) => tokenizer.decode(answer)));
  }
  return answers;
}
