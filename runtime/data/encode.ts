/**
 * From text to tokens and labels, by the rules of the official code (LLaMA-Adapter, alpaca_finetuning_v1).
 *
 * `labels[t]` is the id the model must predict AT position t, that is token t + 1, or `IGNORE`: the loss needs no
 * further shift.
 */
import { IGNORE } from '../../compiler/package/constants.ts';
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

export { IGNORE };

export interface Example {
  readonly tokens: Uint32Array;
  /** As long as `tokens`. */
  readonly labels: Uint32Array;
  /** Positions that have a label. */
  readonly labelled: number;
}

export interface EncodeRules {
  readonly tokenizer: Tokenizer;
  /** Longest sequence in tokens; what is longer is cut on the right, which may cost the end token. */
  readonly context: number;
  /** Ids are below this: the base's vocabulary. */
  readonly vocab: number;
  /**
   * A token of this id is never a label. The official loss has `ignore_index=0`, so a real `<unk>` (id 0 in LLaMA)
   * is not learned; null learns every token.
   */
  readonly ignoreId: number | null;
  /** Whether the prompt is learned like the output (`mask = none`). Default: it carries no label. */
  readonly learnsPrompt?: boolean;
}

/**
 * Encodes one example: begin, prompt and output, end. Positions whose next token belongs to the prompt are not
 * labelled. The prompt is encoded alone to know its length, so a token that would span the border counts as prompt
 * by its position, as in the official code.
 * @returns the example, and whether it was cut
 * @throws InputError when an id is not in the base's vocabulary
 */
export function encodeExample(
  text: { readonly prompt: string; readonly output: string },
  rules: EncodeRules,
  where: string,
): { readonly example: Example; readonly length: number } {
  const { tokenizer } = rules;
  const bos = tokenizer.bos !== null;
  const eos = tokenizer.eos !== null;
  const ids = tokenizer.encode(text.prompt + text.output, { bos, eos });
  const prompt = tokenizer.encode(text.prompt, { bos }).length;
  return { example: label(ids, prompt, rules, where), length: ids.length };
}

/** Cuts ids to the context and labels those from number `prompt` on. */
export function label(
  ids: readonly number[],
  prompt: number,
  rules: Pick<EncodeRules, 'context' | 'vocab' | 'ignoreId' | 'learnsPrompt'>,
  where: string,
): Example {
  checkIds(ids, rules.vocab, where);
  const tokens = Uint32Array.from(ids.slice(0, rules.context));
  const labels = new Uint32Array(tokens.length).fill(IGNORE);
  let labelled = 0;
  for (let t = 0; t + 1 < tokens.length; t++) {
    if ((t + 1 < prompt && !rules.learnsPrompt) || tokens[t + 1] === rules.ignoreId) continue;
    labels[t] = tokens[t + 1]!;
    labelled++;
  }
  return { tokens, labels, labelled };
}

/** @throws InputError naming the first id that is not below `vocab` */
export function checkIds(ids: ArrayLike<number>, vocab: number, where: string): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (Number.isInteger(id) && id >= 0 && id < vocab) continue;
    throw new InputError(
      `${where}: token id ${id} at position ${i}, but the base has ${vocab} tokens`,
      'use the tokenizer the base was trained with',
    );
  }
}

/**
 * Cuts one long stream of tokens into windows that touch: every token is a label once. The tail that fills no window
 * is left out.
 * @param stream all documents, one after the other
 * @param length tokens of a window
 */
export function packWindows(stream: Uint32Array, length: number): Example[] {
  const windows: Example[] = [];
  // The label of the last position is the next window's first token. Views, not copies: a corpus is large.
  for (let start = 0; start + length < stream.length; start += length) {
    windows.push({
      tokens: stream.subarray(start, start + length),
      labels: stream.subarray(start + 1, start + length + 1),
      labelled: length,
    });
  }
  return windows;
}
