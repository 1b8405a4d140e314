import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer } from '../../examples/base/tokens.ts';
import type { Instruction } from '../../examples/base/words.ts';
import { ask, firstOfEach, type Pair, type Pictured } from '../../examples/fusion/lists.ts';
import { designs } from '../../examples/fusion/designs.ts';
import { fusionReport, meanAndSpread, type Outcome, stepsText } from '../../examples/fusion/report.ts';
import {
  type Answerer,
  captionsRight,
  type Exam,
  type Figures,
  measure,
  openness,
  questionsRight,
  spread,
} from '../../examples/fusion/score.ts';
import { keyOf, type Line } from '../../examples/fusion/trials.ts';
import { reportHtml } from '../../runtime/report/html.ts';
import { reportText } from '../../runtime/report/text.ts';

const t = suite('fusion: figures and tables');

const pair = (caption: string, image = 'a.png'): Pair => ({ image, caption: ` ${caption}`, style: 'noto' });
const question = (task: string, output: string): Pictured => ({
  image: 'a.png',
  instruction: 'plural of what you see',
  output: ` ${output}`,
  task,
});

t('captions: the share of exact matches, spaces at the ends aside', () => {
  const pairs = [pair('cat'), pair('dog'), pair('key'), pair('owl')];
  assert.is(captionsRight(pairs, [' cat', 'dog', ' keys', '']), 0.5);
  assert.is(captionsRight(pairs, [' cat']), 0.25);
});

t('questions: each kind counts the same, however many there are', () => {
  const items = [
    question('see_plural', 'cats'),
    question('see_plural', 'dogs'),
    question('see_letter', 'c'),
    question('see_letter', 'd'),
    question('see_letter', 'k'),
    question('see_letter', 'o'),
  ];
  // Half of the plurals, a quarter of the letters; no articles were asked.
  assert.is(questionsRight(items, [' cats', ' dog', 'c', 'c', 'c', 'c']), 0.375);
});

t('gates: the mean of |tanh g|, and nothing where there are none', () => {
  assert.is(openness([0, 0]), 0);
  assert.ok(Math.abs((openness([1, -1]) ?? 0) - Math.tanh(1)) < 1e-12);
  assert.is(openness(null), null);
  assert.is(openness([]), null);
});

t('parts of the exam: the first of each task, and evenly from a list', () => {
  const tasks = ['a', 'a', 'b', 'a', 'b', 'b'].map((task, i) => ({ task, i }));
  assert.equal(
    firstOfEach(tasks, 2).map(({ i }) => i),
    [0, 1, 2, 4],
  );
  assert.equal(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5), [0, 2, 4, 6, 8]);
  assert.equal(spread([1, 2], 5), [1, 2]);
});

const item = (task: Instruction['task'], instruction: string, output: string): Instruction => ({
  task,
  instruction,
  output: ` ${output}`,
});
const instructions = [item('plural', 'plural of dog', 'dogs'), item('repeat', 'repeat dog', 'dog')];
const withImage = (image: string): Pictured[] => instructions.map((it) => ({ image, ...it }));
const exam: Exam = {
  instructions: [...instructions, item('define', 'define dog', 'an animal')],
  pictured: withImage('cat.png'),
  blank: withImage('blank.png'),
  questionsTrained: [question('see_plural', 'cats')],
  questionsHeld: [question('see_plural', 'bats')],
  trained: [pair('cat', 'cat.png')],
  heldStyle: [pair('cat', 'cat.png'), pair('dog', 'dog.png')],
  heldConcepts: [pair('bat', 'bat.png')],
};

/** Right about text unless it sees something; names what it sees; and says what it was asked. */
function fake(): Answerer & { readonly seen: (string | undefined)[][] } {
  const seen: (string | undefined)[][] = [];
  return {
    seen,
    answer: async (prompts, images) => {
      seen.push(prompts.map((_, i) => images?.[i]));
      return prompts.map((prompt, i) => {
        if (prompt.includes(ask)) return images?.[i] === 'cat.png' ? ' cat' : ' bat';
        if (prompt.includes('what you see')) return ' cats';
        if (images) return '';
        return prompt.includes('plural') ? ' dogs' : ' dog';
      });
    },
    lossOf: async (rows, images) => {
      assert.ok(images === undefined || images.length === rows.length);
      return images ? 3 : 0.5;
    },
    gatesOf: async (prompt) => (prompt === 'words' ? [0.5, -0.5] : null),
  };
}

t('all figures of a model', async () => {
  const model = fake();
  const figures = await measure(model, exam, loadTokenizer());
  assert.equal(figures, {
    text: 1,
    textLoss: 0.5,
    pictured: 0,
    picturedLoss: 3,
    questions: 1,
    questionsHeld: 0,
    captions: 1,
    captionsHeldStyle: 0.5,
    captionsHeldConcepts: 1,
    gateEarly: null,
    gateLate: Math.tanh(0.5),
  });
  assert.equal(model.seen[0], [undefined, undefined], 'definitions are not asked, and text has no image');
});

t('designs that show a blank image to text are measured with it', async () => {
  const model = fake();
  const { textLoss } = await measure(model, exam, loadTokenizer(), { blank: true });
  assert.equal(model.seen[0], ['blank.png', 'blank.png']);
  assert.is(textLoss, 3);
});

const figures = (text: number, captions: number): Figures => ({
  text,
  textLoss: 1 - text,
  pictured: 0.25,
  picturedLoss: 2,
  questions: 0.5,
  questionsHeld: 0.125,
  captions,
  captionsHeldStyle: 0.25,
  captionsHeldConcepts: 0,
  gateEarly: null,
  gateLate: 0.3,
});
const outcome = (texts: readonly number[]): Outcome => ({
  points: texts.map((text, i) => ({
    steps: i === 0 ? { instruct: 400 } : { instruct: 400, caption: 450 * i - 300 },
    figures: figures(text, i / 2),
  })),
  trained: 86_224,
  training: 120,
  device: 'a device',
  commit: 'abc',
});
const trialOf = (design: string, schedule: string, seed: number) => {
  const trial = { design, schedule, seed };
  return { trial: keyOf(trial), ...trial, started: '2026-01-01T00:00:00.000Z', seconds: 9 };
};
const lines: Line<Outcome>[] = [
  { ...trialOf('late-shared', 'sequential', 0), result: outcome([0.75, 0.25, 0.125]) },
  { ...trialOf('late-shared', 'sequential', 1), result: outcome([0.65, 0.15, 0.125]) },
  { ...trialOf('early-disjoint', 'joint', 0), error: 'the device was lost' },
];

t('a table has means and spreads, a row for each time of measuring, and says what failed', () => {
  const report = fusionReport(lines, { specs: { 'a.adapter': 'adapter A {}' } });
  const text = reportText(report);
  const row = text.split('\n').find((line) => line.includes(designs['late-shared']?.title ?? '?')) ?? '';
  assert.match(row, /\| 400 instruct +\| +2 \| 0\.70 \(0\.65-0\.75\)/);
  assert.match(text, /400 instruct, 150 caption +\| +2 \| 0\.20 \(0\.15-0\.25\)/);
  assert.match(text, /400 instruct, 600 caption +\| +2 \| +0\.13 /);
  assert.match(text, /failed: early-disjoint joint 0: the device was lost/);
  assert.match(text, /86,224/);
  assert.match(text, /Instructions right, held-out words, no image \(exact matches\)/);
  const page = reportHtml(report);
  for (const part of ['late, shared', 'adapter A {}', '<svg', 'abc']) assert.ok(page.includes(part), part);
});

t('means and spreads', () => {
  assert.is(meanAndSpread([0.5]), '0.50');
  assert.is(meanAndSpread([0.5, 0.7, null]), '0.60 (0.50-0.70)');
  assert.is(meanAndSpread([null]), '');
  assert.is(stepsText({ instruct_blank: 400, caption: 0 }), '400 instruct');
});

t.run();
