/** Records of formats that other programs train on: what they are, and what to write instead. */
import { InputError } from '../input-error.ts';
import { FIELDS, FORMS } from './conversations.ts';
import type { TextRecord } from './templates.ts';

/**
 * @param record one that lacks what `format` needs
 * @throws InputError when it is recognised; otherwise it is left to whoever misses a field
 */
export function refuseForeign(record: TextRecord, format: string, where: string): void {
  const found = conversationIn(record);
  if (found !== null)
    throw new InputError(
      `${where}: ${found}, and \`${format}\` reads one question and one answer a record`,
      'image' in record
        ? 'write `data NAME = image_text("FILE")`, which shows the image with the conversation'
        : 'write `data NAME = chat("FILE")`, and `template = chat` in its task',
    );
  const pair = pairs.find(({ needs }) => needs.every((field) => typeof record[field] === 'string'));
  if (pair) throw new InputError(`${where}: ${pair.what}`, pair.help);
}

/** What a conversation of several turns is called: ShareGPT's and LLaVA's, or the `messages` of chats; null for anything else. */
function conversationIn(record: TextRecord): string | null {
  for (const field of FIELDS) {
    const list = record[field];
    if (!Array.isArray(list) || list.length === 0) continue;
    for (const { who: by, said: text } of FORMS) {
      if (!list.every((turn: unknown) => typeof (turn as TextRecord | null)?.[by] === 'string')) continue;
      const whose = by === 'role' ? 'the chat' : 'image' in record ? "LLaVA's" : "ShareGPT's";
      return `this is ${whose} format (\`${field}\`, a list of {"${by}", "${text}"})`;
    }
  }
  return null;
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
