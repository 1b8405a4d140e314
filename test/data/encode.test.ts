/** A prompt and an answer as tokens and labels. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePieces, encodePrompt, IGNORE, label } from '../../runtime/data/encode.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { characters } from './loading.ts';

const t = suite('encoding of examples');

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

t.run();
