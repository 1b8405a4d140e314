/**
 * What is measured of a model of the experiment. Nothing here runs one: it is given as callbacks, so the same figures
 * can be had of any, and of answers made by hand.
 */
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import type { Row } from '../../runtime/score.ts';
import { instructionRow, isRight, meanRight, promptOf, scoreAnswers } from '../base/evaluate.ts';
import type { Instruction } from '../base/words.ts';
import { ask, asked, firstOfEach, isScored, type Pair, type Pictured, questions } from './lists.ts';

/** A model as it is asked. `images` are paths, one for each prompt or row; without them it sees none. */
export interface Answerer {
  /** Greedy answers. */
  readonly answer: (prompts: readonly string[], images?: readonly string[]) => Promise<readonly string[]>;
  /** Mean cross-entropy in nats over all tokens to be predicted. */
  readonly lossOf: (rows: readonly Row[], images?: readonly string[]) => Promise<number>;
  /** The trained gates of a prompt, or null when it has none. */
  readonly gatesOf: (prompt: string) => Promise<readonly number[] | null>;
}

/** What is asked: the lists of lists.ts, read back. */
export interface Exam {
  readonly instructions: readonly Instruction[];
  /** The same instructions, each with a picture that has nothing to do with it. */
  readonly pictured: readonly Pictured[];
  /** The same with the blank picture, for designs that show one to text. */
  readonly blank: readonly Pictured[];
  readonly questionsTrained: readonly Pictured[];
  readonly questionsHeld: readonly Pictured[];
  readonly trained: readonly Pair[];
  readonly heldStyle: readonly Pair[];
  readonly heldConcepts: readonly Pair[];
}

/** The figures of one model at one time. Shares of exact matches unless they say otherwise. */
export interface Figures {
  /** Held-out words, mean of six tasks, and nats per answer token: with nothing else. */
  readonly text: number;
  readonly textLoss: number;
  /** With an irrelevant image. */
  readonly pictured: number;
  readonly picturedLoss: number;
  /** Questions that only the image answers: about concepts that were asked in training, and about others. */
  readonly questions: number;
  readonly questionsHeld: number;
  /** Names of pictures: those that were trained on, the same things in an unseen style, and things never shown. */
  readonly captions: number;
  readonly captionsHeldStyle: number;
  readonly captionsHeldConcepts: number;
  /** Mean |tanh g| of the image's own gates and of the words' gates; null where there are none. */
  readonly gateEarly: number | null;
  readonly gateLate: number | null;
}

export type Figure = keyof Figures;

export interface MeasureOptions {
  /** Show the blank picture to text, as in training of designs that do so. */
  readonly blank?: boolean;
  /** Most examples of each task and list. */
  readonly most?: number;
}

/** All figures of a model. */
export async function measure(
  model: Answerer,
  exam: Exam,
  tokenizer: Tokenizer,
  { blank = false, most = Infinity }: MeasureOptions = {},
): Promise<Figures> {
  const plain = blank ? exam.blank : exam.instructions;
  const text = await scoreInstructions(
    model,
    firstOfEach(plain.filter(isScored), Math.min(most, asked)),
    tokenizer,
  );
  const shown = await scoreInstructions(
    model,
    firstOfEach(exam.pictured.filter(isScored), Math.min(most, asked)),
    tokenizer,
  );
  return {
    text: text.right,
    textLoss: text.loss,
    pictured: shown.right,
    picturedLoss: shown.loss,
    questions: await scoreQuestions(model, firstOfEach(exam.questionsTrained, most)),
    questionsHeld: await scoreQuestions(model, firstOfEach(exam.questionsHeld, most)),
    captions: await scoreCaptions(model, spread(exam.trained, most)),
    captionsHeldStyle: await scoreCaptions(model, spread(exam.heldStyle, most)),
    captionsHeldConcepts: await scoreCaptions(model, spread(exam.heldConcepts, most)),
    gateEarly: openness(await model.gatesOf('image')),
    gateLate: openness(await model.gatesOf('words')),
  };
}

type Asked = Pick<Pictured, 'instruction' | 'output' | 'task'> & { readonly image?: string };

/** At most `most`, evenly from the whole: lists are ordered by concept. */
export function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}

const imagesOf = (items: readonly { readonly image?: string }[]): string[] | undefined =>
  items.some(({ image }) => image === undefined) ? undefined : items.map(({ image }) => image ?? '');

/** Exact matches, mean of the tasks, and the loss over all answers. */
async function scoreInstructions(
  model: Answerer,
  items: readonly Asked[],
  tokenizer: Tokenizer,
): Promise<{ right: number; loss: number }> {
  const own = items as readonly (Instruction & { readonly image?: string })[];
  const images = imagesOf(own);
  const answers = await model.answer(
    own.map((item) => promptOf(item.instruction)),
    images,
  );
  const rows = own.map((item) => instructionRow(item, tokenizer));
  return { right: meanRight(scoreAnswers(own, answers)), loss: await model.lossOf(rows, images) };
}

async function scoreQuestions(model: Answerer, items: readonly Pictured[]): Promise<number> {
  const answers = await model.answer(
    items.map((item) => promptOf(item.instruction)),
    items.map(({ image }) => image),
  );
  return questionsRight(items, answers);
}

/** The mean over the questions of the shares of exact matches: one letter counts as much as a whole plural. */
export function questionsRight(items: readonly Pictured[], answers: readonly string[]): number {
  const shares = questions.flatMap((question) => {
    const own = items.flatMap((item, i) =>
      item.task === question ? [isRight(item as Asked as Instruction, answers[i] ?? '')] : [],
    );
    return own.length === 0 ? [] : [own.filter(Boolean).length / own.length];
  });
  return mean(shares);
}

async function scoreCaptions(model: Answerer, pairs: readonly Pair[]): Promise<number> {
  const answers = await model.answer(
    pairs.map(() => promptOf(ask)),
    pairs.map(({ image }) => image),
  );
  return captionsRight(pairs, answers);
}

/** The share of exact matches. */
export function captionsRight(pairs: readonly Pair[], answers: readonly string[]): number {
  const right = pairs.filter(({ caption }, i) => (answers[i] ?? '').trim() === caption.trim()).length;
  return right / pairs.length;
}

/** Mean |tanh g|: how far the gates are open, whichever way. */
export const openness = (gates: readonly number[] | null): number | null =>
  gates === null || gates.length === 0 ? null : mean(gates.map((gate) => Math.abs(Math.tanh(gate))));

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
