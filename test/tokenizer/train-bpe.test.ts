import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { byteCharacters, preTokenize } from '../../runtime/tokenizer/byte-level.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';

const t = suite('train-bpe');

const corpus = [
  'the cat sat on the mat. The cat ate the rat, and the rat ate the malt.',
  "It's 1999 and there're 120 cats; naïve café owners don't mind.",
  'new\n\nlines and  double  spaces\tand tabs',
];

/** A slow encoder straight from the definition: apply the merges in order to every word. */
function encodeSlowly(json: ReturnType<typeof trainBpe>, text: string): string[] {
  const utf8 = new TextEncoder();
  return [...preTokenize(text)].flatMap((word) => {
    let pieces = Array.from(utf8.encode(word), (byte) => byteCharacters[byte]!);
    for (const [left, right] of json.model.merges) {
      const merged: string[] = [];
      for (let i = 0; i < pieces.length; i++) {
        if (pieces[i] === left && pieces[i + 1] === right) merged.push(left + pieces[++i]!);
        else merged.push(pieces[i]!);
      }
      pieces = merged;
    }
    return pieces;
  });
}

/** A slow trainer: count every pair anew for each merge. */
function trainSlowly(texts: readonly string[], merges: number): string[] {
  const words = texts.flatMap((text) => [...preTokenize(text)]);
  let split = words.map((word) =>
    Array.from(new TextEncoder().encode(word), (byte) => byteCharacters[byte]!),
  );
  const made: string[] = [];
  for (let n = 0; n < merges; n++) {
    const counts = new Map<string, number>();
    for (const pieces of split) {
      for (let i = 0; i + 1 < pieces.length; i++) {
        const pair = `${pieces[i]} ${pieces[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    made.push(String(Math.max(...counts.values())));
    const best = [...counts].filter(([, count]) => count === Math.max(...counts.values()));
    const [left, right] = best[0]![0].split(' ');
    // Only counts are compared: which of several equally frequent pairs comes first is a matter of ids.
    if (best.length > 1) break;
    split = split.map((pieces) => {
      const merged: string[] = [];
      for (let i = 0; i < pieces.length; i++) {
        if (pieces[i] === left && pieces[i + 1] === right) merged.push(left! + pieces[++i]!);
        else merged.push(pieces[i]!);
      }
      return merged;
    });
    made[n] = `${left} ${right}`;
  }
  return made;
}

t('merges the most frequent pair each time', () => {
  const texts = ['aaaaabdaaaabac aaab ab ab ab abdab', 'zzz zzz zz zzz'];
  const slow = trainSlowly(texts, 6);
  const fast = trainBpe(texts, { vocabSize: 200 }).model.merges.map((pair) => pair.join(' '));
  const unique = slow.filter((pair) => pair.includes(' '));
  assert.ok(unique.length > 0);
  assert.equal(fast.slice(0, unique.length), unique);
});

t('has the vocabulary asked for: special tokens, bytes, merges', () => {
  const json = trainBpe(corpus, { vocabSize: 140, minFrequency: 1 });
  const vocab = Object.entries(json.model.vocab).sort(([, a], [, b]) => a - b);
  assert.is(vocab.length, 140);
  assert.equal(vocab.slice(0, 3), [
    ['<unk>', 0],
    ['<s>', 1],
    ['</s>', 2],
  ]);
  assert.equal(
    vocab.map(([, id]) => id),
    [...Array(140).keys()],
  );
  for (const [left, right] of json.model.merges) assert.ok(left + right in json.model.vocab);
});

t('stops early when no pair is frequent enough', () => {
  const json = trainBpe(['ab ab cd'], { vocabSize: 500 });
  assert.equal(json.model.merges, [['a', 'b']]);
});

t('encodes through the library exactly as its merges say', () => {
  const json = trainBpe(corpus, { vocabSize: 170 });
  const tokenizer = huggingfaceTokenizer(json);
  for (const text of [...corpus, 'the naïve rat mats 2019 caf', '  spaces  ']) {
    const slow = encodeSlowly(json, text).map((piece) => json.model.vocab[piece]!);
    assert.equal(tokenizer.encode(text), slow);
    assert.is(tokenizer.decode(tokenizer.encode(text)), text);
  }
});

t('writes digits one by one and never merges across words', () => {
  const json = trainBpe(['1999 1999 1999 a b a b a b'], { vocabSize: 200 });
  const tokenizer = huggingfaceTokenizer(json);
  assert.is(tokenizer.encode('1999').length, 4);
  assert.not.ok(Object.keys(json.model.vocab).some((token) => /\d\d|\w\u0120/.test(token)));
});

t('a byte that was never seen becomes <unk>, unless all bytes are kept', () => {
  const seen = huggingfaceTokenizer(trainBpe(['plain text'], { vocabSize: 120 }));
  assert.equal(seen.encode('é'), [0, 0]);
  const all = huggingfaceTokenizer(trainBpe(['plain text'], { vocabSize: 300, bytes: 'all' }));
  assert.is(all.decode(all.encode('é 日本 🦙')), 'é 日本 🦙');
});

t('the same texts give the same file, and JSON keeps it', () => {
  const [a, b] = [trainBpe(corpus, { vocabSize: 150 }), trainBpe(corpus, { vocabSize: 150 })];
  assert.is(JSON.stringify(a), JSON.stringify(b));
  const read = huggingfaceTokenizer(JSON.parse(JSON.stringify(a)));
  assert.equal(read.encode(corpus[0]!), huggingfaceTokenizer(a).encode(corpus[0]!));
});

t('refuses a vocabulary without room for the bytes', () => {
  assert.throws(
    () => trainBpe(corpus, { vocabSize: 64 }),
    /no room for 3 special tokens and \d+ bytes[\s\S]*at least/,
  );
});

t.run();
