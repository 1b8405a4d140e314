/** What a trained model scores on its tasks' test data: the loss, and the share of greedy answers that are right. */
import { compile } from '../../compiler/compile.ts';
import { shapeOf } from '../../compiler/check/data.ts';
import { type Model, type Task, testsOf } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { sequenceLength, fillBatch } from '../data/batches.ts';
import { fieldsOf } from '../data/encode-records.ts';
import type { Dataset } from '../data/load.ts';
import type { ImageStore } from '../data/image-store.ts';
import { plainImagesOf } from '../data/image-batches.ts';
import { templateFor } from '../data/rules.ts';
import { lastAnswer, piecesOf } from '../data/conversations.ts';
import { idsOf } from '../data/encode.ts';
import type { Device } from '../device/device.ts';
import { requireFit } from '../device/fit.ts';
import { capacity, type Decoder, generate, makeDecoder, showImages } from '../generate.ts';
import { argmax } from '../sample.ts';
import { programFor, readParameter, type Session } from '../session.ts';
import { closingEnd, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { evaluate, makeTrainer, type Trainer } from '../train/trainer.ts';
import { askOf } from './questions.ts';
import { capacityOf, openCompiled } from './session.ts';
import type { HostedModel } from './spec.ts';
import { startOf } from './start.ts';
import { type DataCache, emptyCache, readTaskData, sourceNamed } from './task-data.ts';

/** One task on one of its test sources. */
export interface TestScore {
  readonly task: string;
  readonly data: string;
  readonly examples: number;
  /** Mean cross-entropy over all labels, in nats. */
  readonly loss: number;
  /** Share of greedy answers that are right, spaces at the ends and in a row aside; null where there are no answers. */
  readonly accuracy: number | null;
}

/** A test source with what is to be asked of it. */
interface Test {
  readonly task: Task;
  readonly dataset: Dataset;
  /** Where its pictures are; null for text. */
  readonly store: ImageStore | null;
  /** The source has images, and the task itself has none. */
  readonly attached: boolean;
  /** One for each example; none for plain text. */
  readonly questions: readonly Question[];
}

interface Question {
  readonly example: number;
  readonly prompt: readonly number[];
  readonly answer: string;
  /** Tokens of the answer, the end included. */
  readonly length: number;
}

export interface ScoreOptions {
  /** Values of what was trained, and of whatever else did not start from the base's file or the seed. */
  readonly initial: ReadonlyMap<string, Float32Array>;
  /** Whether the base started from nothing. */
  readonly scratch?: boolean;
  /** As many sequences are scored at once as it trains. */
  readonly recipe: Pick<Recipe, 'batch' | 'seed'>;
  /** Default true. Without it nothing is generated. */
  readonly accuracy?: boolean;
  readonly cache?: DataCache;
  /** Called with each session once it is closed: whoever keeps it has its pipelines found again. */
  readonly onClosed?: (session: Session) => void;
}

/** Scores on the test data of every task; nothing where no task has any. @throws InputError as loading data does */
export async function scoreTests(
  device: Device,
  hosted: HostedModel,
  tokenizer: Tokenizer,
  options: ScoreOptions,
): Promise<TestScore[]> {
  const { accuracy = true, cache = emptyCache(), onClosed } = options;
  const tests = await loadTests(hosted, tokenizer, accuracy, cache);
  if (tests.length === 0) return [];
  const session = await openTests(device, hosted, tests, options);
  try {
    const trainer = makeTrainer(session);
    const scores: TestScore[] = [];
    for (const test of tests) {
      const { task, dataset } = test;
      const loss = await lossOf(trainer, test);
      const right = await shareRight(session, tokenizer, test);
      const examples = dataset.examples.length;
      scores.push({ task: task.name, data: dataset.name, examples, loss, accuracy: right });
    }
    return scores;
  } finally {
    session.executor.destroy();
    onClosed?.(session);
  }
}

/** `instruct on heldout: 811 examples, loss 0.4321, 65.2% right`. */
export const printScore = ({ task, data, examples, loss, accuracy }: TestScore): string =>
  `${task} on ${data}: ${examples} examples, loss ${loss.toFixed(4)}${accuracy === null ? '' : `, ${(100 * accuracy).toFixed(1)}% right`}`;

/** Whether there is anything to score on. */
export const hasTests = ({ tasks }: Model): boolean => tasks.some((task) => testsOf(task).length > 0);

/** What a session trains, in file order. */
export async function trainedValues(session: Session): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const p of session.manifest.parameters)
    if (p.cell !== null) values.set(p.name, await readParameter(session, p));
  return values;
}

async function loadTests(
  hosted: HostedModel,
  tokenizer: Tokenizer,
  accuracy: boolean,
  cache: DataCache,
): Promise<Test[]> {
  const { model } = hosted;
  const tests: Test[] = [];
  for (const task of model.tasks) {
    const own = sourceNamed(model, task.data);
    for (const name of testsOf(task)) {
      const source = sourceNamed(model, name);
      const { dataset, store } = await readTaskData(hosted, task, tokenizer, { cache, seed: 0, data: name });
      const attached = store !== null && shapeOf(own) !== 'images';
      const answers = accuracy && shapeOf(own) !== 'text';
      const questions = answers ? questionsOf(task, source.format, dataset, tokenizer) : [];
      tests.push({ task, dataset, store, attached, questions });
    }
  }
  return tests;
}

/** Prompts as training has them; a template without one asks nothing. */
function questionsOf(task: Task, format: string, dataset: Dataset, tokenizer: Tokenizer): Question[] {
  const template = templateFor(task.fields, tokenizer);
  const ask = askOf(task.fields);
  return dataset.records.map((record, example) => {
    const { before, answer } = lastAnswer(piecesOf(template, fieldsOf(format, record, ask), dataset.name));
    const prompt = before.map(({ text }) => text).join('');
    const own = tokenizer.encode(answer, { after: prompt, eos: !template.chat && tokenizer.eos !== null });
    const end = closingEnd(own, tokenizer);
    const ids = end < 0 ? own : own.slice(0, end);
    // Text the tokenizer has no tokens for is no answer that can be given.
    const known = tokenizer.unk === null || !ids.includes(tokenizer.unk);
    return {
      example,
      prompt: idsOf(before, { tokenizer, template }),
      answer: plain(known ? tokenizer.decode(ids) : answer),
      length: Math.max(1, ids.length) + 1,
    };
  });
}

/** Spaces at the ends and in a row make no difference, case does. */
const plain = (text: string): string => text.trim().replace(/\s+/g, ' ');

async function openTests(
  device: Device,
  hosted: HostedModel,
  tests: readonly Test[],
  { recipe: { batch, seed }, initial, scratch = false }: ScoreOptions,
): Promise<Session> {
  const { host, model } = hosted;
  const { context } = model.base;
  const lengths = (attached: boolean) => {
    const longest: Record<string, number> = {};
    for (const { task, dataset, attached: own } of tests)
      if (own === attached)
        longest[task.name] = Math.max(longest[task.name] ?? 0, sequenceLength(dataset, context));
    return longest;
  };
  const questions = tests.flatMap((test) => asked(test, context));
  const longest = Math.max(0, ...questions.map(({ prompt }) => prompt.length));
  const room = Math.max(0, ...questions.map(({ prompt, length }) => prompt.length + length));
  const generation = {
    batch,
    tokens: longest,
    context: Math.min(context, room),
    image: tests.some((test) => test.store !== null && test.questions.length > 0),
  };
  const compiled = compile(model, {
    profile: device.profile,
    evaluation: { batch, tokens: lengths(false), attached: lengths(true) },
    ...(questions.length === 0 ? {} : { generation }),
  });
  requireFit(compiled.manifest, capacityOf(host, device));
  const start = await startOf(hosted, seed, { initial, scratch });
  return (await openCompiled(device, compiled, start)).session;
}

/** Questions that leave room for an answer; the others count as wrong. */
const asked = ({ questions }: Test, context: number): Question[] =>
  questions.filter(({ prompt }) => prompt.length > 0 && prompt.length < context);

async function lossOf(
  trainer: Trainer,
  { task: { name: task }, dataset, store, attached }: Test,
): Promise<number> {
  const { batch, tokens } = programFor(trainer.session, { kind: 'loss', task, attached });
  let [total, count] = [0, 0];
  for (let start = 0; start < dataset.examples.length; start += batch) {
    const rows = Math.min(batch, dataset.examples.length - start);
    const own = Uint32Array.from({ length: rows }, (_, i) => start + i);
    const filled = fillBatch(dataset, own, tokens, batch);
    if (filled.labelled === 0) continue;
    const image = store ? { image: plainImagesOf(dataset, store)(filled.examples) } : {};
    total += filled.labelled * (await evaluate(trainer, task, { ...filled, ...image }, attached));
    count += filled.labelled;
  }
  return total / count;
}

/** Null where nothing is asked. */
async function shareRight(session: Session, tokenizer: Tokenizer, test: Test): Promise<number | null> {
  if (test.questions.length === 0) return null;
  const decoder = makeDecoder(session, { image: test.store !== null });
  const limit = capacity(decoder);
  const questions = asked(test, limit.context);
  let right = 0;
  for (let start = 0; start < questions.length; start += limit.batch) {
    const some = questions.slice(start, start + limit.batch);
    if (test.store) showTo(decoder, test.dataset, test.store, some);
    const maxTokens = Math.max(...some.map(({ length }) => length));
    const prompts = some.map(({ prompt }) => prompt);
    const answers = await generate(decoder, prompts, { maxTokens, tokenizer, pick: argmax });
    some.forEach(({ answer, length }, i) => {
      // A tokenizer without an end never ends: then the answer has to begin right.
      const ids = tokenizer.ends.size === 0 ? answers[i]?.slice(0, length - 1) : answers[i];
      if (plain(tokenizer.decode(ids ?? [])) === answer) right++;
    });
  }
  return right / test.questions.length;
}

function showTo(decoder: Decoder, dataset: Dataset, store: ImageStore, questions: readonly Question[]): void {
  const { batch } = capacity(decoder);
  const examples = Uint32Array.from(
    { length: batch },
    (_, i) => questions[i]?.example ?? questions[0]?.example ?? 0,
  );
  showImages(decoder, plainImagesOf(dataset, store)(examples));
}
