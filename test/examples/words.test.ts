import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFamily, regularPast, regularPlural } from '../../examples/base/inflect.ts';
import { instructionTokens, loadTokenizer } from '../../examples/base/tokens.ts';
import {
  articleOf,
  buildInstructions,
  collectWords,
  countTasks,
  heldOutWords,
  longest,
  mentions,
  scoredTasks,
  sideTasks,
  toJsonl,
  type Instruction,
} from '../../examples/base/words.ts';

const t = suite('base: words and instructions');
const tokenizer = loadTokenizer();
const words = collectWords();
const held = heldOutWords(words);
const tokensOf = (item: Instruction): number => instructionTokens(item, tokenizer).tokens.length;
const built = buildInstructions(words, tokensOf);
const committed = (name: string): string =>
  readFileSync(new URL(`../../examples/base/data/instructions.${name}.jsonl`, import.meta.url), 'utf8');
/** The word an instruction is about: its last. */
const subject = (item: Instruction): string => item.instruction.split(' ').at(-1)!;
const answer = (instruction: string): string | undefined =>
  [...built.train, ...built.heldout].find((item) => item.instruction === instruction)?.output;

t('the committed files are what the lists give', () => {
  assert.is(toJsonl(built.train), committed('train'));
  assert.is(toJsonl(built.heldout), committed('heldout'));
});

t('there are at least 8,000 examples, and every task has some on both sides', () => {
  assert.ok(built.train.length >= 8000, `${built.train.length}`);
  const [train, heldout] = [countTasks(built.train), countTasks(built.heldout)];
  for (const task of scoredTasks) assert.ok(train[task]! >= 600 && heldout[task]! >= 80, task);
  for (const task of sideTasks) assert.ok(train[task]! > 0 && heldout[task]! > 0, task);
  assert.is(Object.keys(train).length, scoredTasks.length + sideTasks.length);
  assert.ok(Buffer.byteLength(committed('train') + committed('heldout')) < 1.5e6);
});

t('the split is by word: nothing of a held-out word is in any training example', () => {
  for (const item of built.heldout) assert.ok(held.words.has(subject(item)), item.instruction);
  for (const item of built.train) {
    assert.not(
      mentions(`${item.instruction} ${item.output}`, held.forms),
      `${item.instruction}:${item.output}`,
    );
  }
  const trained = new Set(built.train.map(subject));
  assert.not([...held.words].some((word) => trained.has(word)));
});

t('one word in ten is held out', () => {
  const share = held.words.size / words.length;
  assert.ok(share > 0.08 && share < 0.12, `${share}`);
});

t('no question is asked twice, and each has one answer', () => {
  const all = [...built.train, ...built.heldout].map((item) => item.instruction);
  assert.is(new Set(all).size, all.length);
});

t('every output begins with one space, as its words inside an instruction do', () => {
  for (const { output, instruction } of [...built.train, ...built.heldout]) {
    assert.match(output, /^ \S/);
    assert.is(output, ` ${output.trim()}`);
    assert.is(instruction, instruction.trim());
  }
});

t('no example is longer than the specs allow', () => {
  const lengths = [...built.train, ...built.heldout].map(tokensOf);
  assert.is(Math.max(...lengths), longest);
  assert.ok(lengths.reduce((sum, length) => sum + length, 0) / lengths.length < 14);
});

t('answers, task by task, checked by hand', () => {
  const samples: readonly (readonly [string, string])[] = [
    ['plural of paperback', ' paperbacks'],
    ['plural of witch', ' witches'],
    ['plural of cavity', ' cavities'],
    ['plural of goose', ' geese'],
    ['plural of diagnosis', ' diagnoses'],
    ['past of pay', ' paid'],
    ['a or an chemistry', ' a chemistry'],
    ['a or an acceptance', ' an acceptance'],
    ['first letter of legendary', ' l'],
    ['repeat calculus', ' calculus'],
  ];
  for (const [instruction, output] of samples) {
    const found = answer(instruction);
    if (found !== undefined) assert.is(found, output);
  }
  const asked = samples.filter(([instruction]) => answer(instruction) !== undefined);
  assert.ok(asked.length >= 6, `${asked.length} of the samples are in the data`);
  for (const item of [...built.train, ...built.heldout]) {
    if (item.task === 'repeat') assert.is(item.output, ` ${subject(item)}`);
    if (item.task === 'first_letter') assert.is(item.output, ` ${subject(item)[0]}`);
    if (item.task === 'article') assert.match(item.output, new RegExp(`^ an? ${subject(item)}$`));
  }
});

t('a and an come equally often', () => {
  for (const items of [built.train, built.heldout]) {
    const articles = items.filter((item) => item.task === 'article');
    assert.is(articles.filter((item) => item.output.startsWith(' an ')).length, articles.length / 2);
  }
});

t('regular plurals', () => {
  const right = {
    dog: 'dogs',
    box: 'boxes',
    church: 'churches',
    glass: 'glasses',
    city: 'cities',
    boy: 'boys',
    radio: 'radios',
    cuff: 'cuffs',
  };
  for (const [noun, plural] of Object.entries(right)) assert.is(regularPlural(noun), plural);
  for (const noun of [
    'leaf',
    'knife',
    'hero',
    'woman',
    'quiz',
    'bus',
    'trousers',
    'tooth',
    'stomach',
    'grandchild',
  ]) {
    assert.is(regularPlural(noun), null, noun);
  }
});

t('irregular plurals of a family, and slips of the list', () => {
  for (const [noun, plural] of [
    ['stratum', 'strata'],
    ['larva', 'larvae'],
    ['fireman', 'firemen'],
    ['wolf', 'wolves'],
  ] as const) {
    assert.ok(inFamily(noun, plural), noun);
  }
  for (const [noun, plural] of [
    ['cry', 'cryings'],
    ['duodenum', 'duonas'],
    ['irs', 'irs'],
  ] as const) {
    assert.not(inFamily(noun, plural), noun);
  }
});

t('regular past tenses', () => {
  const irregular = new Set(['go', 'take', 'read']);
  const doubled = new Set(['admit']);
  const right = {
    walk: 'walked',
    bake: 'baked',
    try: 'tried',
    play: 'played',
    stop: 'stopped',
    admit: 'admitted',
    panic: 'panicked',
    fix: 'fixed',
    need: 'needed',
  };
  for (const [verb, past] of Object.entries(right)) assert.is(regularPast(verb, irregular, doubled), past);
  for (const verb of ['go', 'undergo', 'overtake', 'reread', 'visit', 'prefer']) {
    assert.is(regularPast(verb, irregular, doubled), null, verb);
  }
});

t('articles', () => {
  const an = new Set(['apple', 'emir', 'hour', 'bill']);
  const right = {
    apple: 'an',
    emir: 'an',
    dog: 'a',
    unicorn: 'a',
    user: 'a',
    european: 'a',
    hour: 'an',
  } as const;
  for (const [word, article] of Object.entries(right)) assert.is(articleOf(word, an), article, word);
  // Not in the list though it begins with a vowel; h; a plural; a slip of the list.
  for (const word of ['oak', 'house', 'cats', 'bill']) assert.is(articleOf(word, an), null, word);
});

t('words are collected the same way twice', () => {
  assert.equal(collectWords().slice(0, 500), words.slice(0, 500));
});

t.run();
