/**
 * The lists of examples with pictures: captions, questions about a picture, and instructions that have nothing to do
 * with the picture they come with. Each is a file of JSON lines that a spec reads as `image_text`.
 */
import { hash, random, shuffle } from '../base/random.ts';
import { type Instruction, scoredTasks } from '../base/words.ts';
import { type Concept, withRole } from './concepts.ts';
import { heldStyle, type Style, styles, trainedStyles } from './icons.ts';
import { blankPath, copies, picturePath } from './draw.ts';

/** What is asked of every picture; short, since a batch costs what its tokens cost. */
export const ask = 'name this';

/** A picture and its name. */
export interface Pair {
  /** Relative to the list. */
  readonly image: string;
  /** Begins with a space, as every answer does: its first word is then spelled as inside of a sentence. */
  readonly caption: string;
  readonly style: Style;
}

/** An instruction that comes with a picture. */
export interface Pictured {
  readonly image: string;
  readonly instruction: string;
  readonly output: string;
  readonly task: string;
}

const pair = ({ name }: Concept, style: Style, copy = 0): Pair => ({
  image: picturePath(style, name, copy),
  caption: ` ${name}`,
  style,
});

const numbers = Array.from({ length: copies }, (_, i) => i + 1);

/** Questions that only the picture answers. Each name of a question is also that of its share in the table. */
export const questions = ['see_plural', 'see_letter', 'see_article'] as const;
export type Question = (typeof questions)[number];

/** The words of the text instructions, with "what you see" for the word they are about. */
function questionAbout(concept: Concept, question: Question, image: string): Pictured {
  const { name, plural, article } = concept;
  const [instruction, output] = {
    see_plural: ['plural of what you see', plural],
    see_letter: ['first letter of what you see', name.slice(0, 1)],
    see_article: ['a or an what you see', `${article} ${name}`],
  }[question] as [string, string];
  return { image, instruction, output: ` ${output}`, task: question };
}

/** How a caption is put before a question; `say` of the experts in fusion.adapter has the same words. */
export const seen = (text: string): string => `seen ${text}, `;

/** An instruction with what an expert says of the picture in front of it. */
export interface Contextual {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
  readonly task: string;
}

/** Longest text example in tokens: batches are as wide as their longest row, and few are longer than this. */
const longestText = 16;

/** Held-out instructions asked of each task: 360 in all, a standard error of 0.02. All would take most of a trial. */
export const asked = 60;

/** Whether a task has one right answer that can be worked out for a word never seen. */
export const isScored = ({ task }: { readonly task: string }): boolean =>
  (scoredTasks as readonly string[]).includes(task);

/** The first `most` of each task. */
export function firstOfEach<T extends { readonly task: string }>(items: readonly T[], most: number): T[] {
  const seen = new Map<string, number>();
  return items.filter(({ task }) => {
    seen.set(task, (seen.get(task) ?? 0) + 1);
    return (seen.get(task) ?? 0) <= most;
  });
}

/** All lists, by file name. Those of `train` are trained on; the others are only asked. */
export function buildLists(
  concepts: readonly Concept[],
  instructions: { readonly train: readonly Instruction[]; readonly heldout: readonly Instruction[] },
  tokensOf: (item: Instruction) => number,
): Readonly<Record<string, readonly (Pair | Pictured | Instruction | Contextual)[]>> {
  const text = instructions.train.filter((it) => isScored(it) && tokensOf(it) <= longestText);
  const shown = withRole(concepts, 'asked', 'named');
  const changed = shown.flatMap((c) => trainedStyles.flatMap((s) => numbers.map((n) => pair(c, s, n))));
  const clean = shown.flatMap((c) => trainedStyles.map((style) => pair(c, style)));
  const pictured = withPictures(instructions.heldout, clean, 44);
  return {
    'tests.text.jsonl': firstOfEach(instructions.heldout.filter(isScored), asked),
    'tests.pictured.jsonl': firstOfEach(pictured.filter(isScored), asked),
    'instructions.train.jsonl': text,
    'contexts.train.jsonl': text.flatMap(inContext),
    'pairs.train.jsonl': shuffle(changed, 41),
    'pairs.trained.jsonl': clean,
    'pairs.heldstyle.jsonl': shown.map((c) => pair(c, heldStyle)),
    'pairs.heldconcepts.jsonl': withRole(concepts, 'unseen').flatMap((c) => styles.map((s) => pair(c, s))),
    'questions.train.jsonl': trainQuestions(withRole(concepts, 'asked')),
    'questions.trained.jsonl': askedOnce(withRole(concepts, 'asked')),
    'questions.heldconcepts.jsonl': askedOfAll(withRole(concepts, 'named')),
    'instructions.pictured.train.jsonl': withPictures(text, changed, 43),
    'instructions.pictured.heldout.jsonl': pictured,
    'instructions.blank.train.jsonl': text.map((it) => ({ image: blankPath, ...it })),
    'instructions.blank.heldout.jsonl': instructions.heldout.map((it) => ({ image: blankPath, ...it })),
  };
}

/**
 * A text instruction as a question about something unseen that an expert has named: `plural of dog` becomes
 * `seen dog, plural of what you see`. It teaches to read what an expert says, of any word and without a picture.
 */
function inContext({ instruction, output, task }: Instruction): Contextual[] {
  const [, asked, word] = /^(plural of|first letter of|a or an) ([a-z]+)$/.exec(instruction) ?? [];
  return asked && word ? [{ instruction: `${asked} what you see`, input: seen(word), output, task }] : [];
}

/** One question about each changed picture. */
function trainQuestions(concepts: readonly Concept[]): Pictured[] {
  const all = concepts.flatMap((concept) =>
    trainedStyles.flatMap((style) =>
      numbers.map((copy) => {
        const question = questions[hash(`${style} ${concept.name} ${copy} question`) % questions.length];
        return questionAbout(concept, question ?? 'see_plural', picturePath(style, concept.name, copy));
      }),
    ),
  );
  return shuffle(all, 42);
}

/** Each question about each concept once, the styles in turn. */
const askedOnce = (concepts: readonly Concept[]): Pictured[] =>
  concepts.flatMap((concept, i) =>
    questions.map((question, k) => {
      const style = trainedStyles[(i + k) % trainedStyles.length] ?? trainedStyles[0];
      return questionAbout(concept, question, picturePath(style, concept.name));
    }),
  );

/** Each question about each drawing of a trained style. */
const askedOfAll = (concepts: readonly Concept[]): Pictured[] =>
  concepts.flatMap((concept) =>
    trainedStyles.flatMap((style) =>
      questions.map((question) => questionAbout(concept, question, picturePath(style, concept.name))),
    ),
  );

/** Instructions about a word, each with some picture that has nothing to do with it. */
function withPictures(items: readonly Instruction[], pairs: readonly Pair[], seed: number): Pictured[] {
  const next = random(seed);
  return items.map(({ instruction, output, task }) => {
    const { image } = pairs[Math.floor(next() * pairs.length)]!;
    return { image, instruction, output, task };
  });
}

export const toLines = (items: readonly object[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join('');
