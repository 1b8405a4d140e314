import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Report } from '../../runtime/golden/compare.ts';
import { runTokenizer } from '../../runtime/golden/hf/tokenizers.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { withShared } from '../shared.ts';

const t = suite('tokenizers of Hugging Face, exactly');

const byteTokens = Array.from(
  { length: 256 },
  (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`,
);

/** As Gemma's, in small: spaces become U+2581, bytes stand for what has no piece, two spaces are an added token. */
function gemmaLike(): ReturnType<typeof huggingfaceTokenizer> {
  const tokens = ['<unk>', ...byteTokens, '\u2581', 'a', 'b', '\u2581\u2581'];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return huggingfaceTokenizer({
    added_tokens: [{ id: vocab['\u2581\u2581'], content: '\u2581\u2581', normalized: false, special: false }],
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
      ],
    },
    model: { type: 'BPE', unk_token: '<unk>', byte_fallback: true, fuse_unk: true, vocab, merges: [] },
  });
}

t('an added token of U+2581 stands for that character and not for spaces', () => {
  const tokenizer = gemmaLike();
  const [space, a, b, two] = [257, 258, 259, 260];
  assert.equal(tokenizer.encode('  '), [space, space]);
  assert.equal(tokenizer.encode('a  b'), [a, space, space, b]);
  assert.equal(tokenizer.encode('a\u2581\u2581b'), [a, two, b]);
  assert.equal(tokenizer.encode('a\u2581\u2581\u2581b'), [a, two, space, b]);
  assert.is(tokenizer.decode([a, two, b]), 'a  b');
});

t('a run of bytes that is no UTF-8 becomes U+FFFD byte for byte', () => {
  const tokenizer = gemmaLike();
  const id = (byte: number): number => byte + 1;
  assert.is(tokenizer.decode([id(0x41)]), 'A');
  assert.is(tokenizer.decode([id(0xe4), id(0xb8), id(0xad)]), '中');
  // The A by itself would be a character.
  assert.is(tokenizer.decode([id(0xe4), id(0x41)]), '\ufffd\ufffd');
  assert.is(tokenizer.decode([id(0xe4), 258, id(0x41)]), '\ufffdaA');
});

withShared(t, 'recorded ids and texts of five families', async (shared) => {
  const root = join(shared, 'golden-hf', 'tokenizers');
  const names = readdirSync(root);
  assert.ok(names.length >= 5);
  for (const name of names) {
    const report = new Report();
    await runTokenizer(join(root, name), report);
    assert.equal(report.failures, [], name);
    assert.equal([...report.worst.keys()], ['ids', 'texts'], name);
  }
});

t.run();
