/**
 * A model's own chat template (`chat_template` of tokenizer_config.json, or chat_template.jinja), and which parts of a
 * conversation it renders are learned: the assistant's turns and the token that ends each, nothing else.
 *
 * Rendered by @huggingface/jinja, with the variables that transformers' `apply_chat_template` gives.
 */
import { Template } from '@huggingface/jinja';
import { InputError } from '../input-error.ts';

export interface Message {
  /** `system`, `user`, `assistant`, or what else the template knows. */
  readonly role: string;
  readonly content: string;
}

/** Text of a rendered conversation, in order; the pieces together are the whole. */
export interface Piece {
  readonly text: string;
  readonly learned: boolean;
}

export interface ChatTemplate {
  /** Texts of the tokens that end a turn of the assistant, the one that the template itself writes first. */
  readonly ends: readonly string[];
  /**
   * The conversation as text, special tokens included: nothing is to be put in front of it.
   * @param reply whether the text ends where the assistant's next turn begins
   * @param more further variables that the template may ask for, such as the tools that a model may call
   * @throws InputError when the template refuses the conversation, in the template's own words
   */
  render(messages: readonly Message[], reply?: boolean, more?: Readonly<Record<string, unknown>>): string;
  /**
   * The conversation in pieces. An answer begins where `render(..., true)` of the turns before it ends, so that
   * generation and training see the same prompt.
   * @throws InputError as `render` does, and when an answer cannot be found in what the template makes of it
   */
  pieces(messages: readonly Message[]): readonly Piece[];
}

/** What a template is given beside the messages. */
export interface ChatTokens {
  readonly bos: string | null;
  readonly eos: string | null;
  /** Texts of every token that ends an answer. */
  readonly ends: readonly string[];
  /** Texts of all special tokens: the one that the template writes right behind an answer ends the turn too. */
  readonly special?: readonly string[];
}

/**
 * Parses a template.
 * @param file what messages call its place
 * @throws InputError when it is no template that can be parsed
 */
export function chatTemplate(text: string, tokens: ChatTokens, file: string): ChatTemplate {
  const template = parse(text, file);
  const render: ChatTemplate['render'] = (messages, reply = false, more = {}) => {
    try {
      return template.render({
        messages,
        add_generation_prompt: reply,
        ...more,
        ...(tokens.bos === null ? {} : { bos_token: tokens.bos }),
        ...(tokens.eos === null ? {} : { eos_token: tokens.eos }),
      });
    } catch (cause) {
      throw new InputError(
        `${file}: the chat template refuses a conversation of ${roles(messages)}: ${words(cause)}`,
        'change the conversation, or write a template in the task',
        { cause },
      );
    }
  };
  const own = ownEnd(render, tokens.special ?? []);
  const ends = [...new Set([...own, ...tokens.ends])];
  return { ends, render, pieces: (messages) => cut(messages, render, ends, file) };
}

/** The special token right behind an answer: a base may end its texts with another than its template ends turns with. */
function ownEnd(render: Render, special: readonly string[]): string[] {
  const asked = { role: 'user', content: 'question' };
  const shown = attempt(() => render([asked, { role: 'assistant', content: MARK }, asked]));
  const at = shown?.indexOf(MARK) ?? -1;
  if (shown === null || at < 0) return [];
  const behind = shown.slice(at + MARK.length).trimStart();
  const found = special.filter((token) => token !== '' && behind.startsWith(token));
  return found.sort((a, b) => b.length - a.length).slice(0, 1);
}

function parse(text: string, file: string): Template {
  try {
    return new Template(text);
  } catch (cause) {
    throw new InputError(
      `${file}: the chat template cannot be read: ${words(cause)}`,
      'get the file again, or write a template in the task',
      { cause },
    );
  }
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const roles = (messages: readonly Message[]): string =>
  messages.map(({ role }) => role).join(', ') || 'no turns';

type Render = (messages: readonly Message[], reply?: boolean) => string;

function cut(
  messages: readonly Message[],
  render: Render,
  ends: readonly string[],
  file: string,
): readonly Piece[] {
  const whole = render(messages);
  const pieces: Piece[] = [];
  let done = 0;
  for (const [i, { role, content }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const start = startOf(messages, i, whole, render);
    const stop = start === null || start < done ? null : stopOf(whole, start, content, ends);
    if (start === null || stop === null)
      throw new InputError(
        `${file}: what the chat template makes of turn ${i + 1} (assistant) cannot be found in the conversation`,
        'the template rewrites earlier turns: write a template in the task, or give this conversation turn by turn',
      );
    pieces.push(
      { text: whole.slice(done, start), learned: false },
      { text: whole.slice(start, stop), learned: true },
    );
    done = stop;
  }
  pieces.push({ text: whole.slice(done), learned: false });
  return pieces.filter(({ text }) => text !== '');
}

/** A text that stands in no conversation and that no template changes. */
const MARK = '\ue000answer\ue001';

/** Where the answer of turn `i` begins in the whole. */
function startOf(messages: readonly Message[], i: number, whole: string, render: Render): number | null {
  const before = attempt(() => render(messages.slice(0, i), true));
  if (before !== null && whole.startsWith(before)) return before.length;
  // The template writes earlier turns otherwise when later ones follow: the whole with another answer has its place.
  const marked = attempt(() => render(messages.map((m, j) => (j === i ? { ...m, content: MARK } : m))));
  const at = marked?.indexOf(MARK) ?? -1;
  return marked !== null && at >= 0 && whole.startsWith(marked.slice(0, at)) ? at : null;
}

function attempt(run: () => string): string | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** Where an answer that begins at `start` ends, the token that ends it included. */
function stopOf(whole: string, start: number, content: string, ends: readonly string[]): number | null {
  // Templates trim answers, and drop what was thought before them.
  const spoken = content.slice(content.lastIndexOf('</think>') + (content.includes('</think>') ? 8 : 0));
  const forms = [content, content.trim(), spoken.trim()];
  const found = forms.map((text) => ({ text, at: whole.indexOf(text, start) })).filter(({ at }) => at >= 0);
  // The first place counts: an answer as it was written may also stand in a later turn that repeats it. No text is
  // everywhere, so an empty form counts only where no other is found.
  const [first] = found.sort(
    (a, b) => Number(a.text === '') - Number(b.text === '') || a.at - b.at || b.text.length - a.text.length,
  );
  if (first === undefined) return null;
  const stop = first.at + first.text.length;
  const behind = whole.slice(stop);
  const blank = behind.length - behind.trimStart().length;
  const end = ends.find((token) => token !== '' && behind.startsWith(token, blank));
  return stop + (end === undefined ? 0 : blank + end.length);
}
