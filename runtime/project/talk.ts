/** A conversation whose history stays in the key-value cache: a turn costs its own tokens. */
import type { ChatTemplate, Message, Piece } from '../data/chat-template.ts';
import { piecesOf } from '../data/conversations.ts';
import { encodePrompt } from '../data/encode.ts';
import { fillPrompt, takesField, type Template } from '../data/templates.ts';
import { capacity, decode, type Decoder, extend, prefill, withoutForeign } from '../generate.ts';
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

export interface TalkOptions {
  readonly tokenizer: Tokenizer;
  /** What the system says before the first turn; empty: nothing. */
  readonly system: string;
  readonly maxTokens: number;
  readonly pick: (logits: Float32Array) => number;
}

/** What became of an answer. */
export interface Said {
  /** Tokens that were read before the answer: those that the cache did not hold yet. */
  readonly read: number;
  /** Tokens of the whole conversation. */
  readonly tokens: number;
  /** `end`: the model ended; `length`: the most tokens of an answer; `context`: there is no room for more; `stopped`. */
  readonly reason: 'end' | 'length' | 'context' | 'stopped';
}

export interface Talk {
  /**
   * Reads one turn of the user and answers.
   * @param onToken takes the answer's tokens as they come; true ends the answer
   * @throws InputError when the conversation does not fit; it then goes on as if the turn had not been said
   */
  say(text: string, onToken: (id: number) => boolean): Promise<Said>;
  /** Goes on with other programs or another template, as when an image is shown: everything is read again. */
  show(decoder: Decoder, template: Template): void;
  /** Begins a new conversation. */
  reset(): void;
}

/** A turn of the user, and the tokens that were answered. */
interface Turn {
  readonly asked: string;
  readonly answer: readonly number[];
}

export function createTalk(decoder: Decoder, template: Template, options: TalkOptions): Talk {
  let [d, form] = [decoder, template];
  let turns: Turn[] = [];
  /** Tokens whose keys and values the cache holds, in order. */
  let cached: number[] = [];
  return {
    async say(text, onToken) {
      const ids = promptOf(form, turns, text, options);
      const { context } = capacity(d);
      if (ids.length >= context)
        throw new InputError(
          `the context is full: with this turn the conversation has ${ids.length} tokens, and there is room for ${context}`,
          '/reset begins a new conversation; --context gives more room, as far as the base has it',
        );
      const same = commonPrefix(cached, ids);
      // The last token is read even if it is there: the logits behind it are wanted.
      const from = Math.min(same, ids.length - 1);
      cached = ids.slice(0, from);
      let row = await read(d, ids, from);
      cached = [...ids];
      const answer: number[] = [];
      const reasonFor = (id: number): Said['reason'] | null => {
        if (options.tokenizer.ends.has(id)) return 'end';
        answer.push(id);
        if (onToken(id)) return 'stopped';
        if (answer.length >= options.maxTokens) return 'length';
        return ids.length + answer.length >= context ? 'context' : null;
      };
      let reason: Said['reason'] | null = null;
      for (;;) {
        const id = options.pick(withoutForeign(row, options.tokenizer));
        reason = reasonFor(id);
        if (reason !== null) break;
        [row = new Float32Array()] = await decode(d, [id], [cached.length]);
        cached.push(id);
      }
      turns = [...turns, { asked: text, answer }];
      return { read: ids.length - from, tokens: ids.length + answer.length, reason };
    },
    show(next, how) {
      [d, form, cached] = [next, how, []];
    },
    reset() {
      [turns, cached] = [[], []];
    },
  };
}

/** Reads ids from number `from` on, in pieces as long as the programs take them. Returns the logits after the last. */
async function read(d: Decoder, ids: readonly number[], from: number): Promise<Float32Array> {
  const { prompt: most } = capacity(d);
  let rows: Float32Array[] = [];
  for (let at = from; at < ids.length; at += most) {
    const piece = ids.slice(at, at + most);
    rows = at === 0 ? await prefill(d, [piece]) : await extend(d, [piece], [at]);
  }
  return rows[0] ?? new Float32Array();
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/**
 * The tokens up to where the next answer begins. Earlier answers are the tokens that were answered, not their text encoded
 * again: those are the ones in the cache.
 */
function promptOf(
  template: Template,
  turns: readonly Turn[],
  text: string,
  { tokenizer, system }: TalkOptions,
): number[] {
  const pieces = piecesFor(template, turns, text, system, tokenizer);
  const ids: number[] = [];
  let [before, k] = ['', 0];
  for (const piece of pieces) {
    if (piece.learned) {
      ids.push(...(turns[k++]?.answer ?? []), ...endOf(template, piece.text, tokenizer));
    } else if (before === '') ids.push(...encodePrompt(tokenizer, piece.text, template));
    else ids.push(...tokenizer.encode(piece.text, { after: before }));
    before += piece.text;
  }
  return ids;
}

/** What stands behind an answer: the token that ends the turn in a chat template, else the end of a text. */
function endOf(template: Template, text: string, tokenizer: Tokenizer): readonly number[] {
  if (!template.chat) return tokenizer.eos === null ? [] : [tokenizer.eos];
  const end = template.chat.ends.find((token) => token !== '' && text.endsWith(token));
  return end === undefined ? [] : tokenizer.encode(end, { after: text });
}

function piecesFor(
  template: Template,
  turns: readonly Turn[],
  text: string,
  system: string,
  tokenizer: Tokenizer,
): readonly Piece[] {
  const messages: Message[] = [
    ...(system === '' ? [] : [{ role: 'system', content: system }]),
    ...turns.flatMap(({ asked, answer }) => [
      { role: 'user', content: asked },
      { role: 'assistant', content: tokenizer.decode(answer) },
    ]),
  ];
  const asked = { role: 'user', content: text };
  if (template.chat) return chatPieces(template.chat, [...messages, asked]);
  if (system !== '' && !takesField(template, 'system'))
    throw new InputError(
      'what the system says has no place in the template',
      'write {system} in the template of the task, or `template = chat`',
    );
  const first = turns.length === 0;
  const prompt = fillPrompt(template, { instruction: text, system: first ? system : '' });
  const earlier = first ? [] : piecesOf(template, { messages }, 'the conversation');
  return [...earlier, { text: prompt, learned: false }];
}

/** The conversation, and behind it what the template puts in front of an answer. */
function chatPieces(chat: ChatTemplate, messages: readonly Message[]): readonly Piece[] {
  const whole = chat.render(messages, true);
  const pieces = chat.pieces(messages);
  const told = pieces.map(({ text }) => text).join('');
  if (whole.startsWith(told)) return [...pieces, { text: whole.slice(told.length), learned: false }];
  // The template writes the last turn otherwise where an answer follows: what is not common to both is read anew.
  return [{ text: whole, learned: false }];
}
