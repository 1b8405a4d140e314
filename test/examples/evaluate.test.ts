import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bigram, meanCost, unigram } from '../../examples/base/baselines.ts';
import {
  baseTable,
  evaluateBase,
  evaluateInstructions,
  isRight,
  meanRight,
  promptOf,
  repeatedSpans,
  scoreAnswers,
  table,
  taskTable,
  windows,
} from '../../examples/base/evaluate.ts';
import { loadTokenizer } from '../../examples/base/tokens.ts';
import type { Instruction } from '../../examples/base/words.ts';

const t = suite('base: evaluation');
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

const items: Instruction[] = [
  { instruction: 'plural of dog', output: ' dogs', task: 'plural' },
  { instruction: 'plural of cat', output: ' cats', task: 'plural' },
  { instruction: 'repeat sun', output: ' sun', task: 'repeat' },
  { instruction: 'past of go', output: ' went', task: 'past_irregular' },
  { instruction: 'define sun', output: ' a star', task: 'define' },
];

t('unigram and bigram, by hand', () => {
  const stream = Uint16Array.of(0, 1, 0, 1, 0, 2);
  near(unigram(stream, 4, 1)(9, 0), -Math.log(4 / 10));
  near(unigram(stream, 4, 1)(9, 3), -Math.log(1 / 10));
  near(bigram(stream, 4, 0.5)(0, 1), -Math.log(2.5 / 5));
  near(bigram(stream, 4, 0.5)(2, 3), -Math.log(0.5 / 2));
});

t('both are distributions', () => {
  const stream = Uint16Array.of(3, 1, 0, 1, 2, 2, 1);
  for (const cost of [unigram(stream, 5), bigram(stream, 5)]) {
    for (let before = 0; before < 5; before++) {
      let sum = 0;
      for (let token = 0; token < 5; token++) sum += Math.exp(-cost(before, token));
      near(sum, 1);
    }
  }
});

t('costs are averaged over tokens, not rows', () => {
  const rows = [
    { tokens: [0, 1], from: 1 },
    { tokens: [0, 2, 2, 2], from: 1 },
  ];
  near(
    meanCost(rows, (_, token) => token),
    (1 + 6) / 4,
  );
});

t('windows are spread over the whole stream', () => {
  const stream = Uint16Array.from({ length: 100 }, (_, i) => i);
  const rows = windows(stream, 10, 4);
  assert.equal(
    rows.map((row) => row.tokens[0]),
    [0, 30, 60, 90],
  );
  assert.ok(rows.every((row) => row.tokens.length === 10 && row.from === 1));
});

t('an answer is right when it says the same, spaces aside', () => {
  assert.ok(isRight(items[0]!, 'dogs'));
  assert.ok(isRight(items[0]!, '  dogs '));
  assert.not(isRight(items[0]!, 'Dogs'));
  assert.not(isRight(items[0]!, 'dogs.'));
});

t('scores by task; the mean takes the scored tasks only', () => {
  const scores = scoreAnswers(items, [' dogs', ' cat', ' sun', ' goed', '']);
  assert.equal(
    scores.map(({ task, count, right }) => [task, count, right]),
    [
      ['plural', 2, 0.5],
      ['repeat', 1, 1],
      ['past_irregular', 1, 0],
      ['define', 1, null],
    ],
  );
  assert.is(meanRight(scores), 0.75);
});

t('instructions are asked in their template, definitions are not generated', async () => {
  const tokenizer = loadTokenizer();
  const asked: string[] = [];
  const generate = (prompts: readonly string[]): string[] =>
    prompts.map((prompt) => (asked.push(prompt), ' dogs'));
  const counts: number[] = [];
  const lossOf = (rows: readonly { readonly tokens: ArrayLike<number>; readonly from: number }[]): number =>
    counts.push(rows.reduce((sum, row) => sum + row.tokens.length - row.from, 0));
  const scores = await evaluateInstructions(items, tokenizer, { lossOf, generate }, 1);
  assert.equal(asked, ['plural of dog', 'repeat sun', 'past of go'].map(promptOf));
  assert.is(promptOf('repeat sun'), '### repeat sun###');
  assert.equal(
    scores.map(({ right }) => right),
    [1, 0, 0, null],
  );
  // The answer's tokens and the end.
  assert.equal(
    counts,
    [' dogs', ' sun', ' went', ' a star'].map((text) => tokenizer.encode(text).length + 1),
  );
});

t('a base that copies is accepted, whatever its loss on text', async () => {
  const tokenizer = loadTokenizer();
  const stream = Uint16Array.from({ length: 4000 }, (_, i) => 3 + ((i * i) % 97));
  const streams = { train: stream, heldout: stream.slice(0, 2000) };
  const judge = (heldout: number, repeats: number) =>
    evaluateBase(streams, tokenizer, (rows) => (rows[0]?.from === 1 ? heldout : repeats), { count: 8 });
  const figures = await judge(0.1, 0.3);
  assert.ok(figures.accepted && figures.unigram > figures.bigram);
  assert.not((await judge(0.1, 0.6)).accepted);
  assert.ok((await judge(figures.bigram + 0.1, 0.3)).accepted);
  assert.match(baseTable(figures), /repeated spans \(accepted below 0\.5\) +\| 0\.300/);
});

t('repeated spans are the same every time', () => {
  const tokenizer = loadTokenizer();
  const stream = Uint16Array.from({ length: 500 }, (_, i) => 3 + (i % 50));
  assert.equal(repeatedSpans(stream, tokenizer, 6), repeatedSpans(stream, tokenizer, 6));
});

t('tables are aligned Markdown', () => {
  assert.is(
    table(
      ['a', 'bcde'],
      [
        ['1', '2'],
        ['long', ''],
      ],
    ),
    '| a    | bcde |\n| ---- | ---- |\n| 1    | 2    |\n| long |      |',
  );
  const text = taskTable([
    { name: 'V2', scores: scoreAnswers(items, [' dogs', ' cats', ' sun', ' went', '']) },
  ]);
  assert.match(text, /^\| method \| plural /);
  assert.match(text, /\| V2 +\| 1\.00 /);
});

t.run();
