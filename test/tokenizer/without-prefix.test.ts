/** Text that goes on from other text: nothing is put in front of it, whatever a tokenizer does with a text's beginning. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { sentencepieceTokenizer } from '../../runtime/tokenizer/sentencepiece.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';
import { withoutPrefix } from '../../runtime/tokenizer/without-prefix.ts';
import { withShared } from '../shared.ts';

const t = suite('without prefix');

const pieces = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', '▁a', '▁b', 'ab'];
/** A SentencePiece-like vocabulary with `ab` and the words that begin with a space. */
const spaced = (steps: object): object => ({
  version: '1.0',
  added_tokens: pieces.slice(0, 3).map((content, id) => ({ id, content, special: true, normalized: false })),
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    merges: [
      ['▁', 'a'],
      ['▁', 'b'],
      ['a', 'b'],
    ],
  },
  ...steps,
});
const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const prepend = { type: 'Prepend', prepend: '▁' };
const kinds: Readonly<Record<string, object>> = {
  'normalizers Prepend and Replace': { normalizer: { type: 'Sequence', normalizers: [prepend, replace] } },
  'Metaspace, always': { pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true } },
  'Metaspace, first': { pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' } },
};

const text = (tokenizer: Tokenizer, ids: readonly number[]): string =>
  ids.map((id) => pieces[id] ?? `(${id} of ${tokenizer.vocabSize})`).join(' ');

for (const [name, steps] of Object.entries(kinds))
  t(name, () => {
    const tokenizer = huggingfaceTokenizer(spaced(steps));
    const encode = (given: string, after?: string): string =>
      text(tokenizer, tokenizer.encode(given, after === undefined ? {} : { after }));
    assert.is(encode('b'), '▁b');
    assert.is(encode('b', 'a'), 'b');
    assert.is(encode(' b', 'a'), '▁b');
    // Behind an empty prompt the answer is the beginning of the text.
    assert.is(encode('b', ''), '▁b');
    // The merge `ab` does not cross the border, and is made within the answer.
    assert.is(encode('ab', 'a'), 'ab');
    // What stands behind a special token within the answer is encoded as it is in any text.
    const whole = text(tokenizer, tokenizer.encode('b</s>a'));
    assert.is(encode('b</s>a', 'a'), whole.replace('▁b', 'b'));
  });

t('ByteLevel with a prefix; without one the tokenizer is used as it is', () => {
  const json = trainBpe(['a b a b a b'], { vocabSize: 110 });
  const prefixed = {
    ...json,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  };
  const tokenizer = huggingfaceTokenizer(prefixed);
  assert.equal(tokenizer.encode('b'), tokenizer.encode(' b', { after: 'a' }));
  assert.equal(tokenizer.decode(tokenizer.encode('b', { after: 'a' })), 'b');
  assert.is(withoutPrefix(json), null);
  assert.is(withoutPrefix({ ...json, pre_tokenizer: null }), null);
});

withShared(t, 'SentencePiece: the two halves of a text are the text', (folder) => {
  const path = join(folder, 'data/tokenizer.model');
  const tokenizer = sentencepieceTokenizer(readFileSync(path), path);
  const [prompt, answer] = ['### Response:', 'The capital'];
  const ids = tokenizer.encode(prompt).concat(tokenizer.encode(answer, { after: prompt }));
  assert.is(tokenizer.decode(ids), prompt + answer);
  assert.equal(tokenizer.encode(answer), tokenizer.encode(` ${answer}`, { after: prompt }));
  for (const text of ['a prompt that ends with a space ', '日本', 'x  '])
    assert.is(
      tokenizer.decode(tokenizer.encode(text).concat(tokenizer.encode('so', { after: text }))),
      `${text}so`,
    );
});

t.run();
