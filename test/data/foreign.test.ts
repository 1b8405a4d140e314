/** Data of other programs: what it is, and what to write instead. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refuseForeign } from '../../runtime/data/foreign.ts';

const t = suite('foreign records');

const said = (record: object, format = 'alpaca'): string => {
  try {
    refuseForeign(record as Record<string, unknown>, format, 'd.jsonl:3');
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};
const turns = [
  { from: 'system', value: 'Be kind.' },
  { from: 'human', value: 'How old is "it"?' },
  { from: 'gpt', value: 'Ten.' },
];

t('ShareGPT', () => {
  const message = said({ id: 'x', conversations: turns });
  assert.match(
    message,
    /^d\.jsonl:3: this is ShareGPT's format \(`conversations`, a list of \{"from", "value"\}\)/,
  );
  assert.match(message, /`data NAME = chat\("FILE"\)`, and `template = chat` in its task$/);
});

t('LLaVA: with a picture', () => {
  const record = { image: 'a.png', conversations: [{ from: 'human', value: '<image>\nWhat?' }, turns[2]] };
  const message = said(record);
  assert.match(message, /LLaVA's format/);
  assert.match(message, /image_text\("FILE"\)/);
});

t('messages of chats, also those that hold parts instead of text', () => {
  const messages = [
    { role: 'user', content: [{ type: 'image' }] },
    { role: 'assistant', content: 'y'.repeat(80) },
  ];
  const message = said({ messages });
  assert.match(message, /chat format \(`messages`, a list of \{"role", "content"\}\)/);
  assert.match(message, /chat\("FILE"\)/);
});

t('pairs under other names, preferences and plain text', () => {
  assert.match(
    said({ prompt: 'a', completion: 'b' }),
    /the answer is in `completion`[^]*"\{prompt\}\{output\}"/,
  );
  assert.match(said({ instruction: 'a', response: 'b' }), /call `response` `output`$/);
  assert.match(said({ prompt: 'a', chosen: 'b', rejected: 'c' }), /preferred/);
  assert.match(said({ text: 'a' }), /text\("FILE"\)/);
});

t('what is not recognised is left alone', () => {
  for (const record of [
    {},
    { messages: [] },
    { messages: 'x' },
    { conversations: [1] },
    { prompt: 1, completion: 2 },
  ])
    assert.is(said(record), '');
});

t.run();
