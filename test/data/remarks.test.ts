/** What a loader says of records that may not teach what was meant, with a real tokenizer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePrompt, IGNORE } from '../../runtime/data/encode.ts';
import { type Dataset, loadData } from '../../runtime/data/load.ts';
import { rulesFor } from '../../runtime/data/rules.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';

const t = suite('remarks');

const json = trainBpe(['say the word the word is the the the'], {
  vocabSize: 140,
  specialTokens: ['<unk>', '<s>', '</s>', '<|im_end|>'],
});
const plain = huggingfaceTokenizer(json);

const load = (
  records: readonly object[],
  fields: Readonly<Record<string, unknown>> = {},
  tokenizer: Tokenizer = plain,
): Promise<Dataset> => {
  const text = records.map((record) => JSON.stringify(record)).join('\n');
  const host = {
    readText: () => Promise.resolve(text),
    readBytes: () => Promise.reject(new Error('no bytes')),
  };
  const template = { template: '{instruction} {output}', ...fields };
  return loadData(
    { name: 'd', format: 'instructions', paths: ['d.jsonl'] },
    { host, context: 64, vocab: 140, ...rulesFor(template, false, tokenizer) },
  );
};
const the = { instruction: 'say', output: 'the' };
const labelsOf = ({ examples }: Dataset, i = 0): number[] =>
  Array.from(examples[i]!.labels).filter((id) => id !== IGNORE);

t('nothing to say of ordinary records', async () => {
  assert.is((await load([the])).report.remarks, undefined);
});

t('empty answers are counted, with the first', async () => {
  const { report } = await load([
    the,
    { instruction: 'say', output: '' },
    { instruction: 'say', output: ' \n' },
  ]);
  assert.is(report.remarks?.length, 1);
  assert.match(report.remarks?.[0] ?? '', /^2 of 3 answers are empty, the first at d\.jsonl:2: /);
});

t('text that became the unknown token is counted, with the first character', async () => {
  const { report, examples } = await load([the, { instruction: 'é', output: 'the 日' }]);
  assert.is(report.remarks?.length, 1);
  assert.match(
    report.remarks?.[0] ?? '',
    /^5 tokens in 1 of 2 examples are the unknown token \(id 0\), the first at d\.jsonl:2 \("é"\)/,
  );
  assert.is(examples.length, 2);
});

t('a border in the middle of a merge', async () => {
  const [t1, rest] = [plain.encode('the'), plain.encode(' the')];
  assert.is.not(t1.join(), rest.join(), 'the tokenizer merges the space');
  const apart = await load([the]);
  assert.equal(labelsOf(apart), [...plain.encode('the', { after: 'say ' }), 2]);
  // The prompt of training is that of generation.
  const prompt = encodePrompt(plain, 'say ');
  assert.equal(Array.from(apart.examples[0]!.tokens.slice(0, prompt.length)), prompt);
  const joined = await load([the, the], { border: 'joined' });
  assert.equal(labelsOf(joined), [2]);
  assert.match(
    joined.report.remarks?.[0] ?? '',
    /^in 2 of 2 examples a token runs over the border[^]*border = apart/,
  );
});

t('the end of a text is a label where it is the unknown and the padding token too', async () => {
  const model = { ...json.model, unk_token: '</s>' };
  const tokenizer = huggingfaceTokenizer(
    { ...json, model },
    { unk_token: '</s>', pad_token: '</s>', eos_token: '</s>' },
  );
  assert.equal([tokenizer.unk, tokenizer.eos, tokenizer.pad], [2, 2, 2]);
  const word = tokenizer.encode('the', { after: 'say ' });
  assert.equal(labelsOf(await load([the], {}, tokenizer)), [...word, 2]);
  // Within the answer the same id is text that was not known, which is no label.
  const odd = await load([{ instruction: 'say', output: 'the日' }], {}, tokenizer);
  assert.equal(labelsOf(odd), [...word, 2]);
  assert.match(odd.report.remarks?.[0] ?? '', /^3 tokens in 1 of 1/);
});

t('a template that writes begin and end', async () => {
  const written = await load(
    [the],
    { template: '<s>{instruction}<|im_end|>\n{output}<|im_end|>\n' },
    {
      ...huggingfaceTokenizer(json, { eos_token: '<|im_end|>' }),
    },
  );
  const [example] = written.examples;
  assert.is(Array.from(example!.tokens).filter((id) => id === 1).length, 1);
  // One end, and nothing behind it.
  assert.equal(labelsOf(written), [...plain.encode('the', { after: 'x' }), 3]);
});

t('a template for a tokenizer to which `</s>` is ordinary text', async () => {
  const { report } = await load(
    [the],
    { template: '{instruction}{output}</s>' },
    {
      ...plain,
      format: 'sentencepiece',
    },
  );
  assert.match(
    report.remarks?.[0] ?? '',
    /the template writes `<\/s>`, which to this tokenizer is ordinary text/,
  );
});

t('prompts that end with a space, and empty ones', async () => {
  const data = await load(
    [
      { instruction: '', output: 'the' },
      { instruction: 'say ', output: 'the' },
    ],
    { template: '{instruction}{output}' },
  );
  assert.equal(labelsOf(data, 0), [...plain.encode('the'), 2]);
  assert.equal(labelsOf(data, 1), [...plain.encode('the', { after: 'say ' }), 2]);
});

t('a tokenizer without begin and end', async () => {
  const bare = huggingfaceTokenizer(json, { bos_token: null, eos_token: null });
  const data = await load([the], {}, bare);
  assert.equal(Array.from(data.examples[0]!.tokens), [
    ...bare.encode('say '),
    ...bare.encode('the', { after: 'x' }),
  ]);
  assert.equal(labelsOf(data), bare.encode('the', { after: 'x' }));
});

t.run();
