/** Conversations as people have them: OpenAI's `messages`, ShareGPT's and LLaVA's `conversations`, as one list of messages. */
import { InputError } from '../input-error.ts';
import type { Message, Piece } from './chat-template.ts';
import { fill, messagesOf, takesField, type Template, type TextRecord } from './templates.ts';

/** Fields of a record that hold a conversation. */
export const FIELDS = ['messages', 'conversations', 'conversation'] as const;
/** Names of a turn's fields: `who` says whose the turn is, `said` has its text. */
export const FORMS = [
  { who: 'role', said: 'content' },
  { who: 'from', said: 'value' },
] as const;

/** Roles by the other names they go by. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ['human', 'user'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['bot', 'assistant'],
  ['model', 'assistant'],
]);

export interface Conversation {
  readonly messages: readonly Message[];
  /** Paths of pictures within the turns, in order. */
  readonly images: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a record holds a conversation, of whatever turns. */
export const isConversation = (record: TextRecord): boolean =>
  FIELDS.some((field) => Object.hasOwn(record, field) && Array.isArray(record[field]));

/**
 * The conversation that a record is; null where it is none.
 * @param place file and line of the record, for messages
 * @throws InputError for a turn that cannot be read
 */
export function conversationOf(record: TextRecord, place: string | (() => string)): Conversation | null {
  // Where a record stands is looked for only when something is wrong with it.
  const where = (): string => (typeof place === 'string' ? place : place());
  for (const field of FIELDS) {
    const list = Object.hasOwn(record, field) ? record[field] : undefined;
    if (!Array.isArray(list)) continue;
    if (list.length === 0)
      throw new InputError(`${where()}: \`${field}\` is empty`, 'give it turns, or take the record out');
    const turns = list.map((turn, i) => turnOf(turn, () => `${where()}: \`${field}\`, turn ${i + 1}`));
    return {
      messages: turns.map(({ role, content }) => ({ role, content })),
      images: turns.flatMap(({ images }) => images),
    };
  }
  return null;
}

interface Turn extends Message {
  readonly images: readonly string[];
}

function turnOf(turn: unknown, where: () => string): Turn {
  const form = isFields(turn) ? FORMS.find(({ who }) => typeof turn[who] === 'string') : undefined;
  if (!isFields(turn) || !form)
    throw new InputError(
      `${where()} does not say whose it is`,
      'write {"role": "user", "content": "..."} or {"from": "human", "value": "..."}',
    );
  const by = String(turn[form.who]);
  const role = ROLES.get(by) ?? by;
  const said = turn[form.said];
  if (isFields(said) || Array.isArray(turn['tool_calls']) || said === undefined || said === null)
    throw new InputError(
      `${where()} has no text in \`${form.said}\``,
      'take the turn out, or write its text',
    );
  if (typeof said === 'string') return { role, content: withoutMark(said), images: [] };
  if (!Array.isArray(said))
    throw new InputError(`${where()}: \`${form.said}\` is no text`, 'write it as text');
  return { role, ...partsOf(said, where) };
}

/** LLaVA marks where a picture was; here it is shown to the whole conversation. */
const withoutMark = (text: string): string =>
  text.replace(/\s*<image>\s*/g, (mark, at: number) =>
    at === 0 || at + mark.length === text.length ? '' : ' ',
  );

/** Content as a list: `{type: "text", text}`, and pictures as OpenAI or as Hugging Face writes them. */
function partsOf(
  parts: readonly unknown[],
  where: () => string,
): { readonly content: string; readonly images: string[] } {
  const texts: string[] = [];
  const images: string[] = [];
  for (const part of parts) {
    if (!isFields(part))
      throw new InputError(`${where()}: a part of it is no object`, 'write {"type": "text", "text": "..."}');
    const { type, text, image, image_url: address } = part;
    if (type === 'text' && typeof text === 'string') texts.push(text);
    else if (type === 'image_url' || type === 'image') {
      const path = isFields(address) ? address['url'] : (address ?? image ?? part['path']);
      if (path !== undefined) images.push(pathOf(path, where));
    } else
      throw new InputError(
        `${where()}: a part of type ${JSON.stringify(type)}, and only text and images are read`,
        'take it out',
      );
  }
  return { content: withoutMark(texts.join('\n')), images };
}

function pathOf(path: unknown, where: () => string): string {
  if (typeof path === 'string' && !/^(https?|data):/.test(path)) return path.replace(/^file:\/\//, '');
  const what = typeof path === 'string' ? `${path.slice(0, 40)}${path.length > 40 ? '...' : ''}` : 'no path';
  throw new InputError(
    `${where()}: the image is ${what}`,
    'save it as a file, and write its path from the data',
  );
}

/**
 * A record as its template makes text of it, in pieces. In a text of one's own each pair of turns fills it once, one
 * behind the other.
 * @param where file and line of the record, for messages
 * @throws InputError for a missing field, and a conversation that the template has no place for
 */
export function piecesOf(template: Template, record: TextRecord, where: string): readonly Piece[] {
  const conversation = conversationOf(record, where);
  if (template.chat)
    return chatPieces(template.chat, conversation?.messages ?? messagesOf(record, where), where);
  if (conversation) return turnPieces(template, conversation.messages, where);
  const { prompt, output } = fill(template, record, where);
  return [
    { text: prompt, learned: false },
    { text: output, learned: true },
  ];
}

function chatPieces(
  chat: NonNullable<Template['chat']>,
  messages: readonly Message[],
  where: string,
): readonly Piece[] {
  try {
    return chat.pieces(messages);
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw cause.at(where);
  }
}

function turnPieces(template: Template, messages: readonly Message[], where: string): Piece[] {
  const pieces: Piece[] = [];
  let [system, asked]: [string, string | null] = ['', null];
  messages.forEach(({ role, content }, i) => {
    const wrong = (why: string, help: string): InputError =>
      new InputError(`${where}: turn ${i + 1} (${role}) ${why}`, `${help}, or write \`template = chat\``);
    if (role === 'system' && i === 0) {
      if (!takesField(template, 'system'))
        throw wrong('has no place in the template', 'write {system} in the template');
      system = content;
    } else if (role === 'user' && asked === null) asked = content;
    else if (role === 'assistant' && asked !== null) {
      const record = { system, instruction: asked, output: content };
      const { prompt, output } = fill(template, record, where);
      pieces.push({ text: prompt, learned: false }, { text: output, learned: true });
      [system, asked] = ['', null];
    } else
      throw wrong(
        'comes out of turn',
        'a template of one question and one answer takes the user and the assistant by turns',
      );
  });
  return pieces;
}

/** The conversation up to its last answer, and that answer: what is asked of a model on held-out data, and what is right. */
export function lastAnswer(pieces: readonly Piece[]): {
  readonly before: readonly Piece[];
  readonly answer: string;
} {
  const at = pieces.findLastIndex(({ learned }) => learned);
  return { before: pieces.slice(0, Math.max(0, at)), answer: pieces[at]?.text ?? '' };
}
