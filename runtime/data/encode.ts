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
import type { Piece } from './chat-template.ts';
import type { Template } from './templates.ts';

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

/**
 * A prompt as training and generation give it to the model: behind the begin token, if there is one.
 * @param template one that is a chat template writes its begin itself, or wants none
 */
export const encodePrompt = (tokenizer: Tokenizer, prompt: string, template?: Template): number[] =>
  tokenizer.encode(prompt, { bos: begins(tokenizer, template) });

const begins = ({ bos }: Tokenizer, template: Template | undefined): boolean =>
  bos !== null && template?.chat === undefined;

/**
 * Encodes one example of any number of pieces: the begin, the pieces, an end behind each that is learned. A begin or an end
 * that the text itself writes is not doubled, and a chat template writes all of its own. Positions whose next token belongs
 * to a prompt are not labelled, nor what stands behind a written end.
 * @param template what the pieces were made by; default: a text
 * @throws InputError when an id is not in the base's vocabulary, or several answers are to be joined with their prompts
 */
export function encodePieces(
  pieces: readonly Piece[],
  rules: EncodeRules & { readonly template?: Template },
  where: string,
): Encoded {
  const { ids, learned } =
    rules.border === 'joined' ? idsJoined(pieces, rules, where) : idsApart(pieces, rules);
  const { tokenizer } = rules;
  const ends = new Set(learned.map(({ end }) => end));
  const prompt = learned[0]?.from ?? ids.length;
  return {
    example: labelSpans(ids, learned, rules, where),
    length: ids.length,
    prompt,
    unknown: countUnknown(ids, tokenizer, ends),
    spanned: rules.border === 'joined' && runsOver(ids, pieces, rules),
  };
}

/** The ids of pieces, each encoded by itself: the prompt of an answer that follows them. */
export const idsOf = (pieces: readonly Piece[], rules: Rules): readonly number[] =>
  idsApart(pieces, rules).ids;

/** Tokens that are learned: from number `from`, up to number `to`; `end`: the one that ends them, -1: none does. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

interface Spanned {
  readonly ids: readonly number[];
  readonly learned: readonly Span[];
}

type Rules = Pick<EncodeRules, 'tokenizer'> & { readonly template?: Template };

/** Each piece by itself. */
function idsApart(pieces: readonly Piece[], { tokenizer, template }: Rules): Spanned {
  const ids: number[] = [];
  const learned: Span[] = [];
  let before = '';
  pieces.forEach(({ text, learned: isLearned }, i) => {
    const own = tokenizer.encode(text, {
      bos: i === 0 && begins(tokenizer, template),
      eos: isLearned && tokenizer.eos !== null && template?.chat === undefined,
      after: before,
    });
    if (isLearned) learned.push(spanFrom(ids.length, own, tokenizer));
    for (const id of own) ids.push(id);
    before += text;
  });
  return { ids, learned };
}

/** What is learned of ids that begin at number `from`: nothing behind an end that closes them. */
function spanFrom(from: number, ids: readonly number[], tokenizer: Tokenizer): Span {
  const at = closingEnd(ids, tokenizer);
  return { from, to: from + (at < 0 ? ids.length : at + 1), end: at < 0 ? -1 : from + at };
}

/** All pieces as one text: a piece begins behind the tokens that the text before it has alone. */
function idsJoined(pieces: readonly Piece[], { tokenizer, template }: Rules, where: string): Spanned {
  const chat = template?.chat !== undefined;
  if (!chat && pieces.filter(({ learned }) => learned).length > 1)
    throw new InputError(
      `${where}: several answers, each with its end, cannot be encoded as one text`,
      'take `border = joined` away, or write `template = chat`',
    );
  const whole = pieces.map(({ text }) => text).join('');
  const eos = !chat && tokenizer.eos !== null && pieces.at(-1)?.learned === true;
  const ids = tokenizer.encode(whole, { bos: begins(tokenizer, template), eos });
  let before = '';
  const starts = pieces.map(({ text }) => {
    const start = before === '' && chat ? 0 : encodePrompt(tokenizer, before, template).length;
    before += text;
    return start;
  });
  const learned = pieces.flatMap((piece, i) => {
    const [from, to] = [starts[i] ?? 0, starts[i + 1] ?? ids.length];
    return piece.learned ? [spanFrom(from, ids.slice(from, to), tokenizer)] : [];
  });
  return { ids, learned };
}

/** Whether a token runs over the border of the first prompt and its answer. */
function runsOver(ids: readonly number[], pieces: readonly Piece[], { tokenizer, template }: Rules): boolean {
  const first = pieces.findIndex(({ learned }) => learned);
  const text = pieces.slice(0, Math.max(0, first)).map((piece) => piece.text);
  return encodePrompt(tokenizer, text.join(''), template).some((id, at) => ids[at] !== id);
}

/**
 * Tokens that stand for text the tokenizer has no token for: neither the begin nor the end, which may have the same id.
 * @param ends indices of the ends; default: of the one that closes the text
 */
export function countUnknown(
  ids: readonly number[],
  tokenizer: Tokenizer,
  ends: ReadonlySet<number> = new Set([closingEnd(ids, tokenizer)]),
): number {
  const { unk, bos } = tokenizer;
  if (unk === null) return 0;
  return ids.filter((id, at) => id === unk && !ends.has(at) && !(at === 0 && id === bos)).length;
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
  const { end = -1 } = rules;
  const to = end < 0 ? ids.length : end + 1;
  return labelSpans(ids, [{ from: prompt, to, end }], rules, where);
}

/** Cuts ids to the context and labels those in the spans; a span's end is a label whatever its id is. */
function labelSpans(
  ids: readonly number[],
  spans: readonly Span[],
  { context, vocab, ignoreId }: Pick<EncodeRules, 'context' | 'vocab' | 'ignoreId'>,
  where: string,
): Example {
  checkIds(ids, vocab, where);
  const tokens = Uint32Array.from(ids.slice(0, context));
  const labels = new Uint32Array(tokens.length).fill(IGNORE);
  let labelled = 0;
  for (const { from, to, end } of spans)
    // Nothing predicts the first token of all.
    for (let next = Math.max(1, from); next < Math.min(to, tokens.length); next++) {
      if (tokens[next] === ignoreId && next !== end) continue;
      labels[next - 1] = tokens[next] ?? IGNORE;
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
