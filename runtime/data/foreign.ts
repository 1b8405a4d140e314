/** Records of formats that other programs train on: what they are, and what to write instead. */
import { InputError } from '../input-error.ts';
import type { TextRecord } from './templates.ts';

/** One turn of a conversation, by whoever it is of. */
interface Turn {
  readonly by: string;
  readonly text: string;
}

/**
 * @param record one that lacks what `format` needs
 * @throws InputError when it is recognised; otherwise it is left to whoever misses a field
 */
export function refuseForeign(record: TextRecord, format: string, where: string): void {
  const found = conversationOf(record);
  if (found !== null) {
    const [what, picture] = [found.name, 'image' in record];
    throw new InputError(
      `${where}: ${what}, and \`${format}\` reads one question and one answer a record`,
      `write a record for each answer, ${example(found.turns, picture ? record['image'] : undefined)}${
        picture && format !== 'image_text' ? ', and `image_text("FILE")` for its data' : ''
      }; turns before the question can stand in it`,
    );
  }
  const pair = pairs.find(({ needs }) => needs.every((field) => typeof record[field] === 'string'));
  if (pair) throw new InputError(`${where}: ${pair.what}`, pair.help);
}

/** ShareGPT's and LLaVA's `conversations`, or the `messages` of chat data; null for anything else. */
function conversationOf(
  record: TextRecord,
): { readonly name: string; readonly turns: readonly Turn[] } | null {
  for (const field of ['conversations', 'conversation', 'messages'] as const) {
    const list = record[field];
    if (!Array.isArray(list) || list.length === 0) continue;
    for (const [by, text] of [
      ['from', 'value'],
      ['role', 'content'],
    ] as const) {
      const turns = list.map((turn: unknown) => turnOf(turn, by, text));
      if (!turns.every((turn) => turn !== null)) continue;
      const whose = by === 'role' ? 'the chat' : 'image' in record ? "LLaVA's" : "ShareGPT's";
      return { name: `this is ${whose} format (\`${field}\`, a list of {"${by}", "${text}"})`, turns };
    }
  }
  return null;
}

function turnOf(turn: unknown, by: string, text: string): Turn | null {
  if (typeof turn !== 'object' || turn === null) return null;
  const fields = turn as Readonly<Record<string, unknown>>;
  const [who, said] = [fields[by], fields[text]];
  if (typeof who !== 'string') return null;
  // Chat messages may hold parts, such as pictures, instead of text.
  return { by: who, text: typeof said === 'string' ? said : '...' };
}

/** The first question of the record and its answer as a record of ours. */
function example(turns: readonly Turn[], image: unknown): string {
  const at = turns.findIndex(({ by }) => ['gpt', 'assistant', 'model', 'bot'].includes(by));
  const short = (text: string | undefined): string => {
    const plain = (text ?? '...').replace(/\s*<image>\s*/g, '');
    return plain.length > 60 ? `${plain.slice(0, 57)}...` : plain;
  };
  const [question, answer] = [short(turns[at - 1]?.text), short(turns[at]?.text)];
  return JSON.stringify(
    typeof image === 'string'
      ? { image, instruction: question, caption: answer }
      : { instruction: question, output: answer },
  );
}

const pairs: readonly { readonly needs: readonly string[]; readonly what: string; readonly help: string }[] =
  [
    {
      needs: ['chosen', 'rejected'],
      what: 'a pair of answers of which one is preferred (`chosen`, `rejected`), which no format reads',
      help: 'write the preferred answer alone, as {"instruction": "...", "output": "..."}',
    },
    ...[
      ['prompt', 'completion'],
      ['prompt', 'response'],
      ['question', 'answer'],
      ['query', 'response'],
      ['instruction', 'response'],
    ].map((needs) => ({
      needs,
      what: `the answer is in \`${needs[1]}\`, and is read from \`output\``,
      help: `call \`${needs[1]}\` \`output\`${needs[0] === 'instruction' ? '' : `, and write a template with the question in it, such as "{${needs[0]}}{output}"`}`,
    })),
    {
      needs: ['text'],
      what: 'a text without a question (`text`)',
      help: 'write `data NAME = text("FILE")`, which learns all of it, or records {"instruction": "...", "output": "..."}',
    },
  ];
