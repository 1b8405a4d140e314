/**
 * From text to tokens and labels, by the rules of the official code (LLaMA-Adapter, alpaca_finetuning_v1) but for the
 * border of prompt and answer, where those rules are one of two ways.
 *
 * `labels[t]` is the id the model must predict AT position t, that is token t + 1, or `IGNORE`: the loss needs no
 * further shift.
 */
import { IGNORE } from '../../compiler/package/constants.ts';
import { InputError } from '../input-error.ts';
import { type Tokenizer, closingEnd } from '../tokenizer/tokenizer.ts';

export { IGNORE };

export interface Example {
  readonly tokens: Uint32Array;
  /** As long as `tokens`. */
  readonly labels: Uint32Array;
  /** Positions that have a label. */
  readonly labelled: number;
}

/**
 * What happens where prompt and answer meet. `apart`: each is tokenised by itself, so that the first token of the answer is
 * learned, and generation reads the prompt as training did. `joined`: they are tokenised as one text, as the official code
 * does; a token that runs over the border then counts as prompt.
 */
export type Border = 'apart' | 'joined';

export interface EncodeRules {
  readonly tokenizer: Tokenizer;
  /** Longest sequence in tokens; what is longer is cut on the right, which may cost the end token. */
  readonly context: number;
  /** Ids are below this: the base's vocabulary. */
  readonly vocab: number;
  /**
   * A token of this id is no label, unless it is the end of the text. The official loss has `ignore_index=0`, so a real
   * `<unk>` (id 0 in LLaMA) is not learned; null learns every token.
   */
  readonly ignoreId: number | null;
  /** Default `apart`. */
  readonly border?: Border;
}

export interface Encoded {
  readonly example: Example;
  /** Tokens before cutting. */
  readonly length: number;
  /** Tokens of the prompt alone, its begin included. */
  readonly prompt: number;
  /** Tokens of the example that stand for text the tokenizer has no token for. */
  readonly unknown: number;
  /** Whether a token runs over the border of prompt and answer; only `joined` has such. */
  readonly spanned: boolean;
}

/** A prompt as training and generation give it to the model: behind the begin token, if there is one. */
export const encodePrompt = (tokenizer: Tokenizer, prompt: string): number[] =>
  tokenizer.encode(prompt, { bos: tokenizer.bos !== null });

/**
 * Encodes one example: begin, prompt, output, end; a begin or an end that the text itself writes is not doubled.
 * Positions whose next token belongs to the prompt are not labelled, nor what stands behind a written end.
 * @throws InputError when an id is not in the base's vocabulary
 */
export function encodeExample(
  { prompt, output }: { readonly prompt: string; readonly output: string },
  rules: EncodeRules,
  where: string,
): Encoded {
  const { tokenizer, border = 'apart' } = rules;
  const eos = tokenizer.eos !== null;
  const head = encodePrompt(tokenizer, prompt);
  const ids =
    border === 'apart'
      ? head.concat(tokenizer.encode(output, { eos, after: prompt }))
      : tokenizer.encode(prompt + output, { bos: tokenizer.bos !== null, eos });
  const end = endIn(ids, head.length, tokenizer);
  return {
    example: label(ids, head.length, { ...rules, end }, where),
    length: ids.length,
    prompt: head.length,
    unknown: countUnknown(ids, tokenizer, end),
    spanned: border === 'joined' && head.some((id, at) => ids[at] !== id),
  };
}

/**
 * Tokens that stand for text the tokenizer has no token for: neither the begin nor the end, which may have the same id.
 * @param end index of the end; default: of the one that closes the text
 */
export function countUnknown(
  ids: readonly number[],
  tokenizer: Tokenizer,
  end = closingEnd(ids, tokenizer),
): number {
  const { unk, bos } = tokenizer;
  if (unk === null) return 0;
  return ids.filter((id, at) => id === unk && at !== end && !(at === 0 && id === bos)).length;
}

/** Index of the end that closes the answer; -1 where nothing ends it. */
function endIn(ids: readonly number[], prompt: number, tokenizer: Tokenizer): number {
  const at = closingEnd(ids, tokenizer);
  return at >= prompt ? at : -1;
}

/**
 * Cuts ids to the context and labels those from number `prompt` on.
 * @param rules.end index of the token that ends the text, which is a label whatever its id is, and the last one; -1: none
 */
export function label(
  ids: readonly number[],
  prompt: number,
  rules: Pick<EncodeRules, 'context' | 'vocab' | 'ignoreId'> & { readonly end?: number },
  where: string,
): Example {
  const { context, vocab, ignoreId, end = -1 } = rules;
  checkIds(ids, vocab, where);
  const tokens = Uint32Array.from(ids.slice(0, context));
  const labels = new Uint32Array(tokens.length).fill(IGNORE);
  let labelled = 0;
  for (let t = 0; t + 1 < tokens.length; t++) {
    const next = t + 1;
    if (next < prompt || (end >= 0 && next > end) || (tokens[next] === ignoreId && next !== end)) continue;
    labels[t] = tokens[next]!;
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
