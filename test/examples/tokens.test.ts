import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildCorpus, dictionaryLine, normalize, paragraphs } from '../../examples/base/corpus.ts';
import { random } from '../../examples/base/random.ts';
import {
  buildTokenizer,
  dictionaryLines,
  dictionaryRows,
  encodeStream,
  fastEncoder,
  instructionTokens,
  interleave,
  loadTokenizer,
  repeatedRow,
  repeatedRows,
  rowLength,
  textRows,
  tokenizerFile,
  vocabSize,
} from '../../examples/base/tokens.ts';
import { collectWords, heldOutWords, mentions } from '../../examples/base/words.ts';

const t = suite('base: corpus, tokenizer and token files');
const tokenizer = loadTokenizer();
const corpus = buildCorpus();
const words = collectWords();
const decode = (ids: ArrayLike<number>): string => tokenizer.decode(Array.from(ids));

t('text becomes plain ASCII with single spaces', () => {
  assert.is(normalize('“Ahab’s\n  leg”—na\u00efve\u0002'), '"Ahab\'s leg" -- naive');
});

t('a synset becomes a line of a dictionary', () => {
  const synset = {
    id: '',
    words: ['dog', 'domestic dog'],
    gloss: 'a member of the genus Canis',
    examples: ['the dog barked all night', 'Sit!'],
  };
  assert.is(
    dictionaryLine(synset),
    'dog, domestic dog: a member of the genus Canis. The dog barked all night. Sit!',
  );
});

t('paragraphs are whole sentences', () => {
  const text = `${'One sentence of some length, said again. '.repeat(20)}\n\nA block of its own.`;
  const found = [...paragraphs(text)];
  assert.is(found.length, 3);
  assert.ok(found.every((paragraph) => /^[A-Z].*\.$/.test(paragraph)));
});

t('the corpus is large, plain and split without overlap', () => {
  const total = corpus.train.length + corpus.heldout.length;
  assert.is(corpus.heldout.length, Math.floor(total * 0.02));
  const words = corpus.train.reduce((sum, line) => sum + line.split(' ').length, 0);
  assert.ok(words > 3.5e6, `${words}`);
  const train = new Set(corpus.train);
  assert.not(corpus.heldout.some((line) => train.has(line)));
  assert.not(corpus.heldout.some((line) => /[^ -~]|^ | $| {2}/.test(line)));
});

t('the tokenizer has the size the specs say, and fits', () => {
  assert.is(tokenizer.vocabSize, vocabSize);
  assert.equal([tokenizer.unk, tokenizer.bos, tokenizer.eos], [0, 1, 2]);
  assert.ok(readFileSync(tokenizerFile).length <= 200_000);
  const spec = readFileSync(new URL('../../examples/base/base.adapter', import.meta.url), 'utf8');
  assert.match(spec, new RegExp(`vocab += ${vocabSize}\\b`));
});

t('the tokenizer gives all held-out text back', () => {
  for (const line of corpus.heldout) assert.is(decode(tokenizer.encode(` ${line}`)), ` ${line}`);
});

t('piece by piece gives the same ids', () => {
  const encode = fastEncoder(tokenizer);
  for (const line of corpus.heldout.slice(0, 300)) assert.equal(encode(line), tokenizer.encode(line));
});

t('more than three characters a token', () => {
  const stream = encodeStream(corpus.heldout, tokenizer);
  const characters = corpus.heldout.reduce((sum, line) => sum + line.length, 0);
  assert.ok(characters / (stream.length - 2 * corpus.heldout.length) > 3);
});

t('most plurals begin with the tokens of their word', () => {
  const pairs = words.flatMap(({ word, plural }) =>
    plural?.form.startsWith(word) ? [[word, plural.form] as const] : [],
  );
  const shared = pairs.filter(([word, plural]) => {
    const ids = tokenizer.encode(` ${plural}`);
    return tokenizer.encode(` ${word}`).every((id, i) => id === ids[i]);
  });
  assert.ok(shared.length / pairs.length > 0.75, `${shared.length} of ${pairs.length}`);
});

t('what stands around a word in an instruction costs few tokens', () => {
  const cost = (instruction: string): number => tokenizer.encode(`### ${instruction}###`).length;
  const word = tokenizer.encode(' lantern').length;
  assert.is(cost('plural of lantern') - word, 4);
  assert.is(cost('past of lantern') - word, 4);
  assert.is(cost('first letter of lantern') - word, 5);
  assert.is(cost('repeat lantern') - word, 3);
  assert.is(cost('a or an lantern') - word, 5);
  assert.is(cost('define lantern') - word, 3);
  for (const letter of 'abcdefghijklmnopqrstuvwxyz')
    assert.is(tokenizer.encode(` ${letter}`).length, 1, letter);
});

t('prompt and answer are the same tokens apart and together', () => {
  const { tokens, prompt } = instructionTokens(
    { instruction: 'plural of lantern', output: ' lanterns', task: 'plural' },
    tokenizer,
  );
  assert.equal(tokens, tokenizer.encode('### plural of lantern### lanterns', { bos: true, eos: true }));
  assert.is(decode(tokens.slice(prompt)), ' lanterns');
});

t('training a tokenizer twice gives the same', () => {
  const few = corpus.heldout.slice(0, 400);
  assert.is(JSON.stringify(buildTokenizer(few)), JSON.stringify(buildTokenizer(few)));
});

t('no dictionary line has anything of a held-out word in it', () => {
  const held = heldOutWords(words).forms;
  const lines = dictionaryLines(words, 21);
  const seen = new Set<string>();
  for (let i = 0; i < 60_000; i++) {
    const line = lines.next().value!;
    assert.not(mentions(line, held), line);
    seen.add(line.slice(0, line.indexOf(':')));
  }
  // All the other words do come, save those whose own forms another, held-out word shares.
  assert.ok(seen.size > 0.85 * words.length, `${seen.size} of ${words.length}`);
});

t('dictionary rows begin with a line and are full', () => {
  const rows = dictionaryRows(dictionaryLines(words, 21), tokenizer, 50);
  for (let at = 0; at < rows.length; at += rowLength) {
    assert.is(rows[at], tokenizer.bos);
    assert.match(decode(rows.subarray(at, at + rowLength)), /^ [a-z]+: /);
  }
  assert.equal(rows, dictionaryRows(dictionaryLines(words, 21), tokenizer, 50));
  // Not in the words of the instructions.
  assert.not(/###| of | or an /.test(decode(rows)));
});

t('repeated rows repeat a span of 2 to 14 tokens', () => {
  const stream = encodeStream(corpus.heldout.slice(0, 200), tokenizer);
  const next = random(5);
  for (let i = 0; i < 500; i++) {
    const { tokens, from } = repeatedRow(stream, tokenizer, next);
    const period = from - 1;
    assert.is(tokens.length, rowLength);
    assert.ok(period >= 2 && period <= 15);
    for (let j = from; j < rowLength; j++) assert.is(tokens[j], tokens[j - period]);
    assert.not(tokens.slice(1).some((id) => id < 3));
  }
  assert.equal(repeatedRows(stream, tokenizer, 20, 9), repeatedRows(stream, tokenizer, 20, 9));
});

t('every batch has its share of each kind of row', () => {
  const fill = (value: number, rows: number): Uint16Array => new Uint16Array(rows * rowLength).fill(value);
  const mixed = interleave([
    { rows: fill(7, 14), share: 7 },
    { rows: fill(5, 10), share: 5 },
    { rows: fill(8, 16), share: 8 },
  ]);
  for (const batch of [0, 1]) {
    const own = [...mixed.subarray(batch * 20 * rowLength, (batch + 1) * 20 * rowLength)];
    for (const kind of [7, 5, 8]) assert.is(own.filter((id) => id === kind).length, kind * rowLength);
  }
});

t('text rows are cut from the stream', () => {
  const stream = Uint16Array.from({ length: 1000 }, (_, i) => i);
  const rows = textRows(stream, 30, 4);
  for (let at = 0; at < rows.length; at += rowLength) {
    for (let i = 1; i < rowLength; i++) assert.is(rows[at + i], rows[at]! + i);
  }
});

t.run();
