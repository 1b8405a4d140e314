/** Data files of each format, and what is wrong with them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IGNORE } from '../../runtime/data/encode.ts';
import { loadData } from '../../runtime/data/load.ts';
import { dataHost } from '../../runtime/files.ts';
import { parseRecords } from '../../runtime/data/records.ts';
import { parseJsonStrict } from '../../runtime/json.ts';
import { withShared } from '../shared.ts';
import { characters, load, refused, short } from './loading.ts';

const t = suite('data');

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
