/**
 * What is measured of a base and of an adapter on it. Nothing here runs a model: it is given as two callbacks, so the
 * same figures can be had of any of them.
 */
import { tableText } from '../../runtime/report/text.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { bigram, meanCost, unigram } from './baselines.ts';
import { random } from './random.ts';
import { instructionTokens, repeatedRow, rowLength } from './tokens.ts';
import { scoredTasks, sideTasks, template, type Instruction, type TaskName } from './words.ts';

/** Tokens of which those from index `from` on (at least 1) are to be predicted. */
export interface Row {
  readonly tokens: ArrayLike<number>;
  readonly from: number;
}

/** Mean cross-entropy in nats over all predicted tokens of all rows; rows differ in length. */
export type LossOf = (rows: readonly Row[]) => number | Promise<number>;
/** Greedy answers to prompts, up to the end-of-sequence token. */
export type Generate = (prompts: readonly string[]) => readonly string[] | Promise<readonly string[]>;

/** A base is accepted when it predicts repeated spans better than this: one that cannot copy cannot be adapted. */
const copyingLimit = 0.5;

/** Windows spread evenly over a stream; all but the first token of each are predicted. */
export function windows(stream: Uint16Array, length: number, count: number): Row[] {
  const apart = (stream.length - length) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(i * apart);
    return { tokens: stream.subarray(at, at + length), from: 1 };
  });
}

/** Rows that repeat a span; predicted from the second time on, which includes the token where it is not yet clear. */
export function repeatedSpans(stream: Uint16Array, tokenizer: Tokenizer, count: number, seed = 31): Row[] {
  const next = random(seed);
  return Array.from({ length: count }, () => repeatedRow(stream, tokenizer, next));
}

export interface BaseFigures {
  /** All in nats per token; the first three on the same tokens. */
  readonly unigram: number;
  readonly bigram: number;
  readonly heldout: number;
  /** Held-out text in rows as short as those of the second stage. */
  readonly short: number;
  readonly repeats: number;
  /** Whether it can copy; its loss on text says little of whether it can be adapted. */
  readonly accepted: boolean;
}

export interface Streams {
  readonly train: Uint16Array;
  readonly heldout: Uint16Array;
}

/** The figures a base is judged by. */
export async function evaluateBase(
  streams: Streams,
  tokenizer: Tokenizer,
  lossOf: LossOf,
  { length = 128, count = 256 } = {},
): Promise<BaseFigures> {
  const rows = windows(streams.heldout, length, count);
  const repeats = await lossOf(repeatedSpans(streams.heldout, tokenizer, count));
  const heldout = await lossOf(rows);
  const short = await lossOf(windows(streams.heldout, rowLength, count));
  const counted = {
    unigram: meanCost(rows, unigram(streams.train, tokenizer.vocabSize)),
    bigram: meanCost(rows, bigram(streams.train, tokenizer.vocabSize)),
  };
  return { ...counted, heldout, short, repeats, accepted: repeats < copyingLimit };
}

export const promptOf = (instruction: string): string => template.replace('{instruction}', instruction);

/** Spaces at the ends and in a row make no difference, case does. */
const plain = (text: string): string => text.trim().replace(/\s+/g, ' ');
export const isRight = (item: Instruction, answer: string): boolean => plain(item.output) === plain(answer);

export interface Score {
  readonly task: TaskName;
  readonly count: number;
  /** Share of exact matches; null for tasks without one right answer. */
  readonly right: number | null;
  /** Nats per answer token, the end of sequence included; null where it was not asked for. */
  readonly loss: number | null;
}

/** Shares of exact matches, task by task; tasks that do not occur are left out. */
export function scoreAnswers(items: readonly Instruction[], answers: readonly string[]): Score[] {
  return [...scoredTasks, ...sideTasks].flatMap((task) => {
    const own = items.flatMap((item, i) => (item.task === task ? [isRight(item, answers[i] ?? '')] : []));
    if (own.length === 0) return [];
    const right = task === 'define' ? null : own.filter(Boolean).length / own.length;
    return [{ task, count: own.length, right, loss: null }];
  });
}

/** The mean over the six scored tasks, each counting the same. */
export function meanRight(scores: readonly Score[]): number {
  const scored = scores.filter(({ task }) => (scoredTasks as readonly TaskName[]).includes(task));
  return scored.reduce((sum, { right }) => sum + (right ?? 0), 0) / scored.length;
}

/** An example of which the answer and the end are predicted. */
export function instructionRow(item: Instruction, tokenizer: Tokenizer): Row {
  const { tokens, prompt } = instructionTokens(item, tokenizer);
  return { tokens, from: prompt };
}

/** Exact matches and losses of all tasks on held-out words. `perTask` bounds how many of each are asked. */
export async function evaluateInstructions(
  items: readonly Instruction[],
  tokenizer: Tokenizer,
  model: { readonly lossOf: LossOf; readonly generate: Generate },
  perTask = Infinity,
): Promise<Score[]> {
  const seen = new Map<TaskName, number>();
  const asked = items.filter(({ task }) => {
    seen.set(task, (seen.get(task) ?? 0) + 1);
    return seen.get(task)! <= perTask;
  });
  // A definition is not scored by its words, so none is generated.
  const closed = asked.filter(({ task }) => task !== 'define');
  const answers = await model.generate(closed.map(({ instruction }) => promptOf(instruction)));
  const byItem = new Map(closed.map((item, i) => [item, answers[i] ?? '']));
  const scores: Score[] = [];
  for (const score of scoreAnswers(
    asked,
    asked.map((item) => byItem.get(item) ?? ''),
  )) {
    const rows = asked
      .filter(({ task }) => task === score.task)
      .map((item) => instructionRow(item, tokenizer));
    scores.push({ ...score, loss: await model.lossOf(rows) });
  }
  return scores;
}

/** A Markdown table. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  tableText({ kind: 'table', columns: header.map((title) => ({ title })), rows });

export function baseTable(figures: BaseFigures): string {
  return table(
    ['model', 'data', 'nats/token'],
    [
      ['unigram', 'held-out text', figures.unigram.toFixed(3)],
      ['bigram', 'held-out text', figures.bigram.toFixed(3)],
      ['base', 'held-out text', figures.heldout.toFixed(3)],
      ['base', `held-out text, rows of ${rowLength}`, figures.short.toFixed(3)],
      ['base', `repeated spans (accepted below ${copyingLimit})`, figures.repeats.toFixed(3)],
    ],
  );
}

/** One row a model, one column a task: exact matches on held-out words. The side tasks stand behind the mean. */
export function taskTable(
  models: readonly { readonly name: string; readonly scores: readonly Score[] }[],
): string {
  const header = ['method', ...scoredTasks, 'mean of six', 'past_irregular', 'define (nats/token)'];
  const share = (score: Score | undefined): string => score?.right?.toFixed(2) ?? '';
  const rows = models.map(({ name, scores }) => {
    const of = (task: TaskName): Score | undefined => scores.find((score) => score.task === task);
    const side = [share(of('past_irregular')), of('define')?.loss?.toFixed(2) ?? ''];
    return [name, ...scoredTasks.map((task) => share(of(task))), meanRight(scores).toFixed(3), ...side];
  });
  return table(header, rows);
}
