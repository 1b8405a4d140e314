/** What is learned of every format of data, as text: `[learned]`, special tokens included. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Example } from '../../runtime/data/encode.ts';
import { IGNORE } from '../../runtime/data/encode.ts';
import { loadData } from '../../runtime/data/load.ts';
import { rulesFor, type TaskFields } from '../../runtime/data/rules.ts';
import { dataHost } from '../../runtime/files.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';

const t = suite('masks');

const specialTokens = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>'];
const json = trainBpe(['some words of a chat, and a few more'], {
  vocabSize: 300,
  specialTokens,
  bytes: 'all',
});
/** ChatML with the begin token in front, which the template writes itself. */
const chatml =
  "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
// As a base has them: its texts end otherwise than the template's turns.
const config = { bos_token: '<s>', eos_token: '</s>', chat_template: chatml };
const tokenizer = huggingfaceTokenizer(json, config);

/** An example as text, what is learned in brackets. */
function shown({ tokens, labels }: Example, { chat, decode }: Tokenizer = tokenizer): string {
  const special = new Map([...(chat?.special ?? [])].map(([text, id]) => [id, text]));
  let text = '';
  tokens.forEach((id, t) => {
    const learned = t > 0 && labels[t - 1] !== IGNORE;
    if (learned) assert.is(labels[t - 1], id, 'a label is the next token');
    const before = t > 1 && labels[t - 2] !== IGNORE;
    text += `${learned && !before ? '[' : ''}${!learned && before ? ']' : ''}${special.get(id) ?? decode([id])}`;
  });
  return labels[tokens.length - 2] !== IGNORE && tokens.length > 1 ? `${text}]` : text;
}

const folder = mkdtempSync(join(tmpdir(), 'graft-masks-'));
t.after(() => rmSync(folder, { recursive: true }));

type Content = string | Uint8Array;
let count = 0;
/** Examples of a file as a task with these fields learns them. */
async function masks(
  format: string,
  name: string,
  content: Content | Readonly<Record<string, Content>>,
  fields: TaskFields = { template: 'chat' },
): Promise<string[]> {
  const own = join(folder, String(count++));
  await mkdir(own);
  const files = typeof content === 'string' || content instanceof Uint8Array ? { [name]: content } : content;
  for (const [file, text] of Object.entries(files)) writeFileSync(join(own, file), text);
  const { examples } = await loadData(
    { name: 'd', format, paths: [files === content ? '.' : name] },
    { host: dataHost(own), context: 400, vocab: 300, ...rulesFor(fields, format === 'text', tokenizer) },
  );
  return examples.map((example) => shown(example));
}

async function refused(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await promise.then(
    () => assert.unreachable(`should be refused: ${String(pattern)}`),
    (error: Error) => assert.match(error.message, pattern),
  );
}

/** ChatML of turns, answers in brackets. */
const turn = (role: string, text: string): string =>
  role === 'assistant'
    ? `<|im_start|>assistant\n[${text}<|im_end|>]\n`
    : `<|im_start|>${role}\n${text}<|im_end|>\n`;
const chat = (...turns: [string, string][]): string => `<s>${turns.map(([r, c]) => turn(r, c)).join('')}`;

const one = chat(['user', 'a few words'], ['assistant', 'some more']);
const two = chat(
  ['system', 'Be kind.'],
  ['user', 'a'],
  ['assistant', 'b'],
  ['user', 'c'],
  ['assistant', 'd d'],
);
const messages = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'b' },
  { role: 'user', content: 'c' },
  { role: 'assistant', content: 'd d' },
];

t('instructions are conversations of one turn: JSON, JSON lines, CSV, TSV, Parquet', async () => {
  const record = { instruction: 'a few words', input: '', output: 'some more' };
  const files: Readonly<Record<string, Content>> = {
    'd.json': JSON.stringify([record]),
    'd.jsonl': `${JSON.stringify(record)}\n`,
    'd.csv': '\ufeffinstruction,input,output\r\n"a few words",,some more\r\n',
    'd.tsv': 'instruction\tinput\toutput\na few words\t\tsome more\n',
    'd.parquet': new Uint8Array(
      parquetWriteBuffer({
        columnData: Object.entries(record).map(([name, text]) => ({ name, data: [text], type: 'STRING' })),
      }),
    ),
  };
  for (const [name, content] of Object.entries(files))
    for (const format of ['alpaca', 'instructions', 'chat'])
      assert.equal(await masks(format, name, content), [one], `${format} ${name}`);
});

t('an input stands below the instruction, a system text before it', async () => {
  const record = { system: 'S', instruction: 'a', input: 'i', output: 'o' };
  assert.equal(await masks('alpaca', 'd.jsonl', JSON.stringify(record)), [
    chat(['system', 'S'], ['user', 'a\n\ni'], ['assistant', 'o']),
  ]);
});

t('messages, their content as text and as parts; several answers in one example', async () => {
  const parts = messages.map(({ role, content }) => ({ role, content: [{ type: 'text', text: content }] }));
  const lines = [messages, parts].map((of) => JSON.stringify({ messages: of })).join('\n');
  assert.equal(await masks('chat', 'd.jsonl', lines), [two, two]);
  const column = { name: 'messages', data: [messages], type: 'JSON' as const };
  const parquet = new Uint8Array(parquetWriteBuffer({ columnData: [column] }));
  assert.equal(await masks('chat', 'd.parquet', parquet), [two]);
});

t('ShareGPT', async () => {
  const names: Readonly<Record<string, string>> = { system: 'system', user: 'human', assistant: 'gpt' };
  const conversations = messages.map(({ role, content }) => ({ from: names[role], value: content }));
  assert.equal(await masks('chat', 'd.json', JSON.stringify([{ id: 'x', conversations }])), [two]);
});

t('LLaVA, and messages with an image in them', async () => {
  const llava = {
    image: 'a.png',
    conversations: [
      { from: 'human', value: '<image>\na few words' },
      { from: 'gpt', value: 'some more' },
    ],
  };
  const open = {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'a.png' } },
          { type: 'text', text: 'a few words' },
        ],
      },
      { role: 'assistant', content: 'some more' },
    ],
  };
  assert.equal(await masks('image_text', 'd.json', JSON.stringify([llava, open])), [one, one]);
  await refused(
    masks('chat', 'd.json', JSON.stringify([open])),
    /d\.json:1: a conversation with an image[^]*image_text/,
  );
  await refused(
    masks('image_text', 'd.json', JSON.stringify([{ conversations: llava.conversations }])),
    /no field `image`[^]*chat\("FILE"\)/,
  );
});

t('captions: of records, of a table in a folder, of texts beside the images', async () => {
  const fields = { template: 'chat', ask: 'a few words' };
  const record = JSON.stringify({ image: 'a.png', caption: 'some more' });
  assert.equal(await masks('image_text', 'd.jsonl', record, fields), [one]);
  const csv = { 'metadata.csv': 'file_name,text\na.png,some more\n', 'a.png': '' };
  assert.equal(await masks('image_text', '', csv, fields), [one]);
  const beside = { 'a.png': '', 'a.txt': 'some more\n', 'b.JPG': '', 'b.txt': 'some more' };
  assert.equal(await masks('image_text', '', beside, fields), [one, one]);
  await refused(
    masks('image_text', '', { 'a.png': '' }, fields),
    /a\.png has no caption: a\.txt is not there/,
  );
  await refused(masks('image_text', '', { 'a.txt': '' }, fields), /holds no pictures/);
});

t('a text of one’s own, turn by turn: one begin, an end behind each answer', async () => {
  const fields = { template: '{system}U: {instruction} A: {output}' };
  const line = JSON.stringify({ messages });
  assert.equal(await masks('chat', 'd.jsonl', line, fields), ['<s>Be kind.U: a A: [b</s>]U: c A: [d d</s>]']);
  assert.equal(await masks('alpaca', 'd.jsonl', '{"instruction": "a", "output": "b"}', fields), [
    '<s>U: a A: [b</s>]',
  ]);
  const noSystem = { template: '{instruction} {output}' };
  await refused(
    masks('chat', 'd.jsonl', line, noSystem),
    /d\.jsonl:1: turn 1 \(system\) has no place in the template[^]*\{system\}[^]*template = chat/,
  );
  const twice = JSON.stringify({ messages: [messages[1], messages[1]] });
  await refused(masks('chat', 'd.jsonl', twice, noSystem), /turn 2 \(user\) comes out of turn/);
});

t('text and windows of it: every token', async () => {
  assert.equal(await masks('text', 'd.txt', 'a few words', {}), ['<s>[a few words</s>]']);
  const texts = ['d.jsonl', '{"text": "a few words"}'] as const;
  assert.equal(await masks('text', ...texts, {}), ['<s>[a few words</s>]']);
  assert.equal(await masks('text', 'd.csv', 'text\na few words\n', {}), ['<s>[a few words</s>]']);
});

t('joined: the chat as one text', async () => {
  assert.equal(
    await masks('chat', 'd.jsonl', JSON.stringify({ messages }), { template: 'chat', border: 'joined' }),
    [two],
  );
  const fields = { template: '{system}{instruction} {output}', border: 'joined' };
  await refused(
    masks('chat', 'd.jsonl', JSON.stringify({ messages }), fields),
    /cannot be encoded as one text/,
  );
});

t('tables that are no tables', async () => {
  const csv = (text: string): Promise<unknown> => masks('alpaca', 'd.csv', text);
  await refused(csv('instruction,output\na,b,c\n'), /d\.csv:2: [^]*put a text that holds a comma/);
  await refused(csv('instruction,output\na,"b\n'), /d\.csv:\d: [^]*[Qq]uote/);
  await refused(csv('a,a\n1,2\n'), /d\.csv:1: two columns are called `a`/);
  await refused(
    csv('instuction,output\n\n"x\ny",z\na,b\n'),
    /d\.csv:\d: no field `instruction`[^]*the record has instuction, output/,
  );
  await refused(csv('instruction,output\n'), /d\.csv has no rows/);
  await refused(masks('alpaca', 'd.parquet', 'PAR'), /d\.parquet is not a Parquet file/);
});

t('turns that cannot be read', async () => {
  const talk = (turns: unknown): Promise<unknown> =>
    masks('chat', 'd.jsonl', JSON.stringify({ messages: turns }));
  await refused(talk([]), /d\.jsonl:1: `messages` is empty/);
  await refused(talk([{ content: 'a' }]), /turn 1 does not say whose it is/);
  await refused(talk([{ role: 'assistant', content: null }]), /turn 1 has no text/);
  await refused(
    masks(
      'image_text',
      'd.jsonl',
      JSON.stringify({
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/a.png' } }] }],
      }),
    ),
    /the image is https:\/\/x\/a\.png[^]*save it as a file/,
  );
  await refused(talk([{ role: 'user', content: [{ type: 'audio' }] }]), /a part of type "audio"/);
});

t('a model without a chat template, a list of them, and a template that lies beside', async () => {
  const none = huggingfaceTokenizer(json, {}, 'm/tokenizer.json');
  assert.throws(
    () => rulesFor({ template: 'chat' }, false, none),
    /m\/tokenizer\.json has no chat template[^]*chat_template\.jinja/,
  );
  const several = [
    { name: 'tool_use', template: 'x' },
    { name: 'default', template: chatml },
  ];
  assert.is(huggingfaceTokenizer(json, { chat_template: several }).chat?.template, chatml);
});

t('the token that ends a turn ends an answer, whatever the model’s files say', () => {
  assert.equal([...tokenizer.ends], [2]);
  assert.equal(
    [...rulesFor({ template: 'chat' }, false, tokenizer).tokenizer.ends].sort((a, b) => a - b),
    [2, 4],
  );
});

t.run();
