import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBatches, microBatches, sequenceLength, stepsAnEpoch } from '../../runtime/data/batches.ts';
import { encodePieces, encodePrompt, IGNORE, label } from '../../runtime/data/encode.ts';
import type { LoadOptions } from '../../runtime/data/formats.ts';
import { loadData } from '../../runtime/data/load.ts';
import { alpaca, fill, fillPrompt, templateOf } from '../../runtime/data/templates.ts';
import { dataHost } from '../../runtime/files.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { parseRecords } from '../../runtime/data/records.ts';
import { parseJsonStrict } from '../../runtime/json.ts';
import { withShared } from '../shared.ts';

const t = suite('data');

/** One token a character: its code, begin 1, end 2. */
const characters: Tokenizer = {
  format: 'huggingface',
  vocabSize: 1000,
  gaps: [],
  ends: new Set([2]),
  bos: 1,
  eos: 2,
  pad: null,
  unk: 0,
  encode: (text, options = {}) => [
    ...(options.bos ? [1] : []),
    ...Array.from(text, (c) => c.codePointAt(0)!),
    ...(options.eos ? [2] : []),
  ],
  decode: (ids) => String.fromCodePoint(...ids),
  decodeStream: () => ({ push: () => '', end: () => '' }),
};

const files = (map: Record<string, string>): LoadOptions['host'] => ({
  readText: (path) => (path in map ? Promise.resolve(map[path]!) : Promise.reject(new Error(`no ${path}`))),
  readBytes: (path) => Promise.resolve(new TextEncoder().encode(map[path] ?? '')),
});

const short = templateOf('### {instruction}###{output}');
const load = (
  format: string,
  text: string,
  options: Partial<LoadOptions> = {},
  path = 'd.jsonl',
): ReturnType<typeof loadData> =>
  loadData(
    { name: 'd', format, paths: [path] },
    {
      tokenizer: characters,
      context: 40,
      vocab: 1000,
      template: short,
      host: files({ [path]: text }),
      ...options,
    },
  );

async function refused(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await promise.then(
    () => assert.unreachable(`${pattern} was not thrown`),
    (error: Error) => assert.match(error.message, pattern),
  );
}

t("Alpaca's templates, byte for byte", () => {
  assert.equal(fill(alpaca, { instruction: 'Do it.', input: '', output: 'Done.' }, 'x'), {
    prompt:
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nDo it.\n\n### Response:',
    output: 'Done.',
  });
  assert.equal(fill(alpaca, { instruction: 'Do it.', input: 'this', output: 'Done.' }, 'x'), {
    prompt:
      'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nDo it.\n\n### Input:\nthis\n\n### Response:',
    output: 'Done.',
  });
  assert.is(
    fill(alpaca, { instruction: 'a', output: 'b' }, 'x').prompt,
    fill(alpaca, { instruction: 'a', input: '', output: 'b' }, 'x').prompt,
  );
});

t('templates as strings', () => {
  assert.equal(fill(short, { instruction: 'plural of dog', output: 'dogs' }, 'x'), {
    prompt: '### plural of dog###',
    output: 'dogs',
  });
  const after = templateOf('{{{instruction}}} -> {output}!');
  assert.equal(fill(after, { instruction: '{output}', output: 'x' }, 'x'), {
    prompt: '{{output}} -> ',
    output: 'x!',
  });
  assert.is(fillPrompt(short, { instruction: 'hi' }), '### hi###');
  assert.is(templateOf('alpaca'), alpaca);
  assert.throws(() => templateOf('no field'), /has no `\{output\}`[\s\S]*alpaca/);
  assert.throws(() => templateOf('{output}{output}'), /2 times/);
  assert.throws(
    () => fill(short, { output: 'x' }, 'f:3'),
    /f:3: no field `instruction`[\s\S]*the record has output/,
  );
  assert.throws(
    () => fill(short, { instruction: ['a'], output: 'x' }, 'f:3'),
    /`instruction` is a list, not text/,
  );
});

const pieces = (prompt: string, answer: string) => [
  { text: prompt, learned: false },
  { text: answer, learned: true },
];

t('labels by the official rules', () => {
  const rules = { tokenizer: characters, context: 100, vocab: 1000, ignoreId: 0 };
  const { example } = encodePieces(pieces('ab', 'cd'), rules, 'x');
  assert.equal([...example.tokens], [1, 97, 98, 99, 100, 2]);
  // Position 2 (the last of the prompt) predicts c; the end token is learned; the last position has no next token.
  assert.equal([...example.labels], [IGNORE, IGNORE, 99, 100, 2, IGNORE]);
  assert.is(example.labelled, 3);
});

t('a real token of the ignored id is not learned', () => {
  assert.equal(
    [...label([1, 5, 0, 6], 1, { context: 9, vocab: 9, ignoreId: 0 }, 'x').labels],
    [5, IGNORE, 6, IGNORE],
  );
  assert.equal(
    [...label([1, 5, 0, 6], 1, { context: 9, vocab: 9, ignoreId: null }, 'x').labels],
    [5, 0, 6, IGNORE],
  );
});

t('a merge over the border shifts the mask as in the official code where border = joined', () => {
  // "b" + "c" is one token (500), so the whole has one token less than prompt and output alone.
  const merging: Tokenizer = {
    ...characters,
    encode: (text, options) => characters.encode(text.replace('bc', '\u01f4'), options),
  };
  const rules = { tokenizer: merging, context: 9, vocab: 1000, ignoreId: 0 };
  const text = pieces('ab', 'cd');
  const joined = encodePieces(text, { ...rules, border: 'joined' }, 'x');
  assert.equal([...joined.example.tokens], [1, 97, 500, 100, 2]);
  assert.equal([...joined.example.labels], [IGNORE, IGNORE, 100, 2, IGNORE]);
  assert.is(joined.spanned, true);
  // By default each is encoded by itself: all of the answer is learned, and the prompt is that of generation.
  const apart = encodePieces(text, rules, 'x');
  assert.equal([...apart.example.tokens], [...encodePrompt(merging, 'ab'), 99, 100, 2]);
  assert.equal([...apart.example.labels], [IGNORE, IGNORE, 99, 100, 2, IGNORE]);
  assert.is(apart.spanned, false);
});

t('JSON lines and JSON arrays give the same', async () => {
  const records = [
    { instruction: 'a', output: 'b' },
    { instruction: 'c', output: 'd' },
  ];
  const lines = await load('instructions', `${records.map((r) => JSON.stringify(r)).join('\n\n')}\n`);
  const array = await load('alpaca', JSON.stringify(records, null, 2));
  assert.equal(lines.examples, array.examples);
  assert.equal(lines.records, records);
  assert.equal(lines.report, {
    examples: 2,
    tokens: 22,
    labels: 4,
    longest: 11,
    truncated: 0,
    skipped: 0,
    unlabelled: 0,
  });
});

t('malformed data is told by file, line and column', async () => {
  const good = '{"instruction": "a", "output": "b"}';
  await refused(
    load('alpaca', `${good}\n{"instruction": "a", output: "b"}`),
    /^d\.jsonl:2:22: not valid JSON: /,
  );
  await refused(load('alpaca', `[\n  ${good},\n  {"instruction": tru}\n]`), /^d\.jsonl:3:19: not valid JSON/);
  await refused(
    load('alpaca', `${good}\n{"instruction": "a"}`),
    /^d\.jsonl:2: no field `output`[\s\S]*the record has instruction/,
  );
  await refused(load('alpaca', `[\n${good},\n{"output": "a"}]`), /^d\.jsonl:3: no field `instruction`/);
  await refused(load('alpaca', `${good}\n3`), /^d\.jsonl:2: not an object/);
  await refused(load('alpaca', ' \n'), /d\.jsonl is empty/);
  await refused(load('alpaca', '[]'), /nothing to learn: 0 examples/);
  await refused(load('poems', good), /no format `poems`[\s\S]*alpaca, instructions/);
});

t('lists in one another without end are refused, in data and in headers of files', () => {
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  for (const read of [parseRecords, parseJsonStrict])
    for (const text of [deep, deep.slice(0, 90_000)])
      assert.throws(
        () => read(text, 'some.jsonl'),
        /^some\.jsonl: lists and objects lie in one another too deep/,
      );
});

t('a name that is given twice, in a line or in an array', async () => {
  const twice = '{"instruction": "a", "output": "b", "output": "c"}';
  await refused(
    load('alpaca', `{"instruction": "a", "output": "b"}\n${twice}`),
    /^d\.jsonl:2:37: `output` is given twice/,
  );
  await refused(load('alpaca', `[\n${twice}\n]`), /^d\.jsonl:2:37: `output` is given twice in one record/);
  await refused(load('tokens', '{"tokens": [1, 5], "tokens": [1, 6]}'), /`tokens` is given twice/);
  // The same name in two objects is no mistake.
  await load('alpaca', '{"instruction": "a", "output": "b", "meta": {"output": "x"}}');
});

t('data of other programs is told what it is', async () => {
  const chat = JSON.stringify({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ],
  });
  await refused(load('instructions', chat), /^d\.jsonl:1: this is the chat format/);
  await refused(load('image_text', chat), /^d\.jsonl:1: no field `image`[^]*chat\("FILE"\)/);
  await refused(
    load('alpaca', '{"image": "a.png", "conversations": [{"from": "human", "value": "a"}]}'),
    /LLaVA[^]*image_text\("FILE"\)/,
  );
});

t('a missing file says which path was tried', async () => {
  const { host, ...rest } = { tokenizer: characters, context: 40, vocab: 1000, host: dataHost('/nowhere') };
  const wanted = loadData({ name: 'd', format: 'text', paths: ['a/b.txt'] }, { ...rest, host });
  await refused(wanted, /cannot read \/nowhere\/a\/b\.txt: there is no such file/);
});

t('text that is no UTF-8 is refused with its line, and a byte order mark is passed over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-data-'));
  try {
    const host = dataHost(folder);
    const record = (word: string) => `{"instruction": "a", "output": "${word}"}\r\n`;
    writeFileSync(join(folder, 'latin.jsonl'), Buffer.from(record('a') + record('caf\u00e9'), 'latin1'));
    writeFileSync(join(folder, 'wide.jsonl'), Buffer.from(`\ufeff${record('a')}`, 'utf16le'));
    writeFileSync(join(folder, 'mark.jsonl'), `\ufeff${record('caf\u00e9')}`);
    const read = (path: string) =>
      loadData({ name: 'd', format: 'alpaca', paths: [path] }, { ...options, host });
    const options = { tokenizer: characters, context: 40, vocab: 1000, template: short };
    await refused(read('latin.jsonl'), /latin\.jsonl:2: not UTF-8 text/);
    await refused(read('wide.jsonl'), /wide\.jsonl:1: not UTF-8 text/);
    assert.is((await read('mark.jsonl')).records[0]?.['output'], 'caf\u00e9');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

t('tokens that teach nothing, and prompts that are no counts', async () => {
  await refused(load('tokens', '[1]\n[2]'), /nothing to learn: 2 examples[^]*after its prompt/);
  await refused(load('tokens', '{"tokens": [1, 2], "prompt": -1}'), /d\.jsonl:1: no list of token ids/);
  await refused(load('tokens', '{"tokens": [1, 2], "prompt": 0.5}'), /d\.jsonl:1: no list of token ids/);
});

t('long examples are cut, left out or refused', async () => {
  const lines = [
    { instruction: 'a', output: 'b'.repeat(60) },
    { instruction: 'a', output: 'b' },
    { instruction: 'c'.repeat(80), output: 'b' },
  ]
    .map((record) => JSON.stringify(record))
    .join('\n');
  const cut = await load('alpaca', lines);
  assert.equal([cut.report.truncated, cut.report.longest, cut.report.unlabelled], [2, 40, 1]);
  // The end token is lost with the rest.
  assert.is(cut.examples[0]!.tokens.at(-1), 98);
  assert.is(cut.examples[0]!.labels.at(-1), IGNORE);
  const skipped = await load('alpaca', lines, { long: 'skip' });
  assert.equal([skipped.report.examples, skipped.report.skipped], [1, 2]);
  await refused(
    load('alpaca', lines, { long: 'error' }),
    /^d\.jsonl:1: the example has 70 tokens, the context 40/,
  );
  await refused(load('alpaca', lines.split('\n')[2]!), /nothing to learn: 1 examples[\s\S]*fill the context/);
});

t('ids the base does not have', () =>
  refused(
    load('alpaca', '{"instruction": "a", "output": "é"}', { vocab: 200 }),
    /^d\.jsonl:1: token id 233 at position 9, but the base has 200/,
  ),
);

t('captions take the instruction from the task', async () => {
  const data = await load('image_text', '{"image": "a.png", "caption": "dog"}', { ask: 'name this' });
  assert.is(characters.decode(data.examples[0]!.tokens), '\u0001### name this###dog\u0002');
  assert.is(data.records[0]!['image'], 'a.png');
  await refused(load('image_text', '{"caption": "dog"}'), /no field `image`/);
});

t('text is packed into windows that touch', async () => {
  const data = await load('text', 'abcdefghij', { window: 4 }, 'd.txt');
  // 12 tokens with begin and end; the third window would lack its last label.
  const [remark, ...more] = data.report.remarks ?? [];
  assert.equal(more, []);
  assert.is(remark, 'the last 3 of 12 tokens fill no window of 4, and are left out of every epoch');
  for (const text of ['abcdefg', 'abc'])
    assert.is(
      (await load('text', text, { window: 4 }, 'd.txt')).report.remarks,
      undefined,
      'nothing is left',
    );
  assert.equal(
    data.examples.map(({ tokens }) => [...tokens]),
    [
      [1, 97, 98, 99],
      [100, 101, 102, 103],
    ],
  );
  assert.equal(
    data.examples.map(({ labels }) => [...labels]),
    [
      [97, 98, 99, 100],
      [101, 102, 103, 104],
    ],
  );
  const lines = await load('text', '{"text": "ab"}\n{"text": "c"}', { window: 3 });
  assert.equal([...lines.examples[0]!.tokens, ...lines.examples[1]!.tokens], [1, 97, 98, 2, 1, 99]);
  const tiny = await load('text', 'ab', {}, 'd.txt');
  assert.equal([...tiny.examples[0]!.labels], [97, 98, 2, IGNORE]);
});

t('text that became the unknown token is counted in plain text too', async () => {
  const data = await load('text', 'ab\u0000\u0000cd', {}, 'd.txt');
  assert.match(
    data.report.remarks?.[0] ?? '',
    /^2 tokens in a text of 8 are the unknown token \(id 0\), the first at d\.txt/,
  );
  assert.is((await load('text', 'abcd', {}, 'd.txt')).report.remarks, undefined);
});

t('tokens as they are', async () => {
  const data = await load('tokens', '[1, 5, 6]\n{"tokens": [1, 5, 6], "prompt": 2}');
  assert.equal(
    data.examples.map(({ labels }) => [...labels]),
    [
      [5, 6, IGNORE],
      [IGNORE, 6, IGNORE],
    ],
  );
  await refused(load('tokens', '[1, 5]\n[1, 2000]'), /^d\.jsonl:2: token id 2000 at position 1/);
  await refused(load('tokens', '[1, 2.5]'), /token id 2\.5/);
  await refused(load('tokens', '{"ids": [1]}'), /d\.jsonl:1: no list of token ids/);
  const stream = await load(
    'tokens',
    String.fromCharCode(...Array(24).fill(5)),
    { window: 4, vocab: 2000 },
    'd.bin',
  );
  assert.equal([stream.examples.length, stream.examples[0]!.tokens[0]], [2, 0x0505]);
});

const many = (count: number): string =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ instruction: 'x'.repeat(i % 5), output: String(i) }),
  ).join('\n');

t('batches are a function of their number', async () => {
  const data = await load('alpaca', many(23));
  const make = (seed: number): ReturnType<typeof createBatches> =>
    createBatches(data, { batch: 4, seed, context: 40 });
  const [a, b] = [make(7), make(7)];
  assert.is(a.perEpoch, 6);
  const later = b.batchAt(13);
  assert.equal(a.batchAt(13), later);
  for (let i = 0; i < 13; i++) a.batchAt(i);
  assert.equal(a.batchAt(13), later, 'going on from 13 is the same as coming to it');
  assert.is.not(make(8).batchAt(0).examples.join(), a.batchAt(0).examples.join());
});

t('an epoch has each example once, and another order each time', async () => {
  const data = await load('alpaca', many(23));
  const batches = createBatches(data, { batch: 4, seed: 1, context: 40 });
  const epoch = (e: number): number[] =>
    [...Array(6).keys()].flatMap((i) => [...batches.batchAt(e * 6 + i).examples].slice(0, i === 5 ? 3 : 4));
  for (const e of [0, 1, 7])
    assert.equal(
      epoch(e).sort((a, b) => a - b),
      [...Array(23).keys()],
    );
  assert.equal([batches.batchAt(5).epoch, batches.batchAt(6).epoch], [0, 1]);
  assert.is.not(epoch(0).join(), epoch(1).join());
});

t('rows that an epoch leaves over repeat an example, and nothing is learned from them', async () => {
  const data = await load('alpaca', many(23));
  const last = createBatches(data, { batch: 4, seed: 1, context: 40, tokens: 16 }).batchAt(5);
  assert.is(last.examples[3], last.examples[0]);
  assert.equal(last.tokens.slice(48), last.tokens.slice(0, 16));
  assert.ok(last.labels.slice(48).every((id) => id === IGNORE));
  const own = [...last.examples].slice(0, 3).map((i) => data.examples[i]!.labelled);
  assert.is(
    last.labelled,
    own.reduce((a, b) => a + b, 0),
  );
  assert.is(last.labelled, last.labels.filter((id) => id !== IGNORE).length);
});

t('micro-batches of a step are of one epoch', async () => {
  const data = await load('alpaca', many(10));
  const batches = createBatches(data, { batch: 2, seed: 1, context: 40 });
  const steps = (accumulate: number, count: number): number[][] =>
    Array.from({ length: count }, (_, step) =>
      microBatches(batches, accumulate, step).map(({ examples, epoch }) => {
        const index = [...Array(20).keys()].find(
          (i) => batches.batchAt(i).examples.join() === examples.join() && batches.batchAt(i).epoch === epoch,
        );
        return index ?? -1;
      }),
    );
  assert.equal(steps(1, 6), [[0], [1], [2], [3], [4], [5]]);
  assert.equal(steps(2, 6), [[0, 1], [2, 3], [4], [5, 6], [7, 8], [9]]);
  assert.equal(steps(8, 2), [
    [0, 1, 2, 3, 4],
    [5, 6, 7, 8, 9],
  ]);
  assert.equal(
    [1, 2, 5, 8].map((accumulate) => stepsAnEpoch(batches, accumulate)),
    [5, 3, 1, 1],
  );
});

t('rows are padded to the longest example, a multiple of four, at most the context', async () => {
  const data = await load('alpaca', many(8));
  assert.is(data.report.longest, 14);
  assert.is(sequenceLength(data, 40), 16);
  assert.is(sequenceLength(data, 14), 14);
  const batches = createBatches(data, { batch: 2, seed: 1, context: 40, shuffle: false });
  const { tokens, labels, labelled, examples } = batches.batchAt(0);
  assert.equal([...examples], [0, 1]);
  assert.is(tokens.length, 32);
  const first = data.examples[0]!;
  assert.equal(Array.from(tokens.slice(0, 16)), [
    ...first.tokens,
    ...Array(16 - first.tokens.length).fill(0),
  ]);
  assert.equal(Array.from(labels.slice(0, 16)), [
    ...first.labels,
    ...Array(16 - first.tokens.length).fill(IGNORE),
  ]);
  assert.is(labelled, labels.filter((id) => id !== IGNORE).length);
});

t('fewer examples than a batch', async () => {
  const data = await load('alpaca', many(3));
  assert.throws(
    () => createBatches(data, { batch: 4, seed: 1, context: 40 }),
    /has 3 examples, one batch takes 4[\s\S]*`batch = 3`/,
  );
});

withShared(t, 'real instruction files load', async (folder) => {
  const host = dataHost(join(folder, 'data'));
  const rules = { tokenizer: characters, context: 512, vocab: 0x110000, host };
  const array = await loadData({ name: 'a', format: 'alpaca', paths: ['alpaca_en_demo.json'] }, rules);
  assert.is(array.report.examples, 999);
  const own = JSON.parse(readFileSync(join(folder, 'data/alpaca_en_demo.json'), 'utf8')) as {
    input: string;
    instruction: string;
  }[];
  const with_ = own.findIndex((record) => record.input !== '');
  const text = characters.decode(array.examples[with_]!.tokens);
  assert.ok(text.startsWith('\u0001Below is an instruction that describes a task, paired with'));
});

t.run();
