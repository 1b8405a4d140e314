/** `graft generate`: continues texts with a base and its trained parts, as the tokens come. */
import { parseArgs } from 'node:util';
import { hasImage } from '../../compiler/kinds/images.ts';
import { sharedDevice } from '../device/device.ts';
import { capacity, generate, makeDecoder, showImages } from '../generate.ts';
import { createSampler, type Sampling } from '../sample.ts';
import { type Command, EXIT, UsageError, wholeNumber } from './command.ts';
import {
  consultExperts,
  describeAnswer,
  expertOptions,
  type ExpertSettings,
  expertUsage,
  readExpertSettings,
} from './experts.ts';
import { imageInputOf, readImages } from '../project/image-input.ts';
import { nodeHost } from '../hosts/node.ts';
import { type HostedModel, loadModel } from '../project/spec.ts';
import { tokenizerOf } from '../project/tokenizer.ts';
import { openAnswering } from '../project/answering.ts';
import { makePrompt, type Prompt } from '../project/prompts.ts';
import { type Question, questionFor, tellImage } from '../project/questions.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { readSampling, samplingOptions } from './sampling.ts';
import { adapterOptions, checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { streamAnswers } from './stream.ts';

const options = {
  ...adapterOptions,
  ask: { type: 'string', multiple: true },
  prompt: { type: 'string', multiple: true },
  image: { type: 'string', multiple: true },
  task: { type: 'string' },
  ...specOptions,
  'max-tokens': { type: 'string', default: '64' },
  ...samplingOptions,
  stop: { type: 'string', multiple: true },
  ...expertOptions,
  verbose: { type: 'boolean', default: false },
} as const;

export const command: Command = {
  name: 'generate',
  summary: 'generate text with a base and its parts',
  usage: `usage: graft generate SPEC[:ADAPTER] [--adapter FILE [--allow-changes]] (--ask TEXT | --prompt TEXT)...
                   [--image FILE]... [--task NAME] [--max-tokens N] [--temperature T] [--top-k K] [--top-p P] [--seed N]
                   [--stop TEXT]... [--no-experts] [--expert NAME=TEXT]... [--allow http,command] [--verbose]

  --adapter FILE   trained parameters (adapter.safetensors of a run, or an official checkpoint as safetensors)
  --allow-changes  also where attributes (alpha, a gate's function, a template, ...) were others when it was trained
  --ask TEXT       an instruction, put into the task's template; several are answered as one batch
  --prompt TEXT    text to go on from, as it is
  --image FILE     a PNG, JPEG or WebP to look at, or features where the encoder takes them: one for all texts, or one
                   for each. Without a text the task's own question (\`ask\`) is put to each
  --stop TEXT      ends an answer before this text
${expertUsage}
  --verbose        shows what each expert said, and the prompts as the model gets them
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [spec] = positionals;
    if (positionals.length !== 1 || spec === undefined) throw new UsageError('give one spec');
    const model = loadModel(nodeHost, spec, checkOptions(values));
    const hosted = { host: nodeHost, model };
    const images = values.image ?? [];
    const questions = questionsOf(hosted, values, images.length);
    const experts = readExpertSettings(model, values);
    if (experts.given.size > 0 && questions.every(({ task }) => task === null))
      throw new UsageError('--expert goes with --ask: a --prompt is taken as it is');
    const sampling = readSampling(values);
    const maxTokens = wholeNumber(values['max-tokens'], '--max-tokens', 1);
    const { adapter = null, 'allow-changes': allowChanges, stop: stops = [], verbose } = values;
    const given = { sampling, maxTokens, stops, adapter, allowChanges, images, experts, verbose };
    await answer(hosted, questions, given);
    return EXIT.ok;
  },
};

interface Asked {
  readonly ask?: string[] | undefined;
  readonly prompt?: string[] | undefined;
  readonly task?: string | undefined;
}

/** What is to be continued; without a text the task's own question is put to each image. */
function questionsOf(
  hosted: HostedModel,
  { ask = [], prompt = [], task }: Asked,
  images: number,
): Question[] {
  const { model } = hosted;
  const given = ask.length + prompt.length;
  if (given === 0 && images === 0)
    throw new UsageError('give something to answer with --ask, or to go on from with --prompt');
  const instructions = given > 0 ? ask : Array.from({ length: images }, () => null);
  const questions: Question[] = [
    ...instructions.map((text) => questionFor(model, text, { task, image: images > 0 })),
    ...prompt.map((text) => ({ task: null, text })),
  ];
  // Looking needs someone who can: the model, or experts, whose texts have no place in a prompt as it is.
  if (images > 0 && (model.experts.length === 0 || prompt.length === questions.length)) imageInputOf(model);
  if (images === 0) tellImage(hosted);
  if (images > 1 && images !== questions.length)
    throw new UsageError(
      `${images} images for ${questions.length} text${questions.length === 1 ? '' : 's'}: give one for all, or one for each`,
    );
  return questions;
}

interface AnswerOptions {
  readonly sampling: Sampling;
  readonly maxTokens: number;
  readonly stops: readonly string[];
  readonly adapter: string | null;
  readonly allowChanges: boolean;
  readonly images: readonly string[];
  readonly experts: ExpertSettings;
  readonly verbose: boolean;
}

async function answer(
  hosted: HostedModel,
  questions: readonly Question[],
  given: AnswerOptions,
): Promise<void> {
  const { model } = hosted;
  const tokenizer = await tokenizerOf(hosted);
  const texts = await promptsOf(hosted, questions, given, tokenizer);
  const prompts = texts.map(({ ids }) => ids);
  const longest = Math.max(...prompts.map((ids) => ids.length));
  const looks = given.images.length > 0 && hasImage(model);
  const image = looks ? await readImages(hosted, given.images, prompts.length) : null;
  const device = await sharedDevice();
  const session = await openAnswering(device, hosted, {
    batch: prompts.length,
    tokens: longest,
    maxTokens: given.maxTokens,
    image: looks,
    adapter: given.adapter,
    tasks: questions.flatMap(({ task }) => task?.name ?? []),
    tokenizer,
    allowChanges: given.allowChanges,
  });
  const decoder = makeDecoder(session, { image: looks });
  if (image) showImages(decoder, image);
  const stream = streamAnswers(
    tokenizer,
    texts.map(({ text }) => text),
    given.stops,
    process.stdout,
  );
  const samplers = prompts.map((_, sequence) => createSampler(given.sampling, sequence));
  const { context: limit } = capacity(decoder);
  if (limit < longest + given.maxTokens) console.error(`answers end at the context of ${limit} tokens`);
  await generate(decoder, prompts, {
    maxTokens: given.maxTokens,
    tokenizer,
    pick: (logits, sequence) => samplers[sequence]?.(logits) ?? 0,
    onToken: stream.token,
  });
  stream.end();
  session.executor.destroy();
}

/** The prompts, with the experts' texts in those that have a place for them; tells what came of the experts. */
async function promptsOf(
  hosted: HostedModel,
  questions: readonly Question[],
  { images, experts, verbose }: AnswerOptions,
  tokenizer: Tokenizer,
): Promise<Prompt[]> {
  const placed = questions.some(({ task }) => task !== null);
  const rows = placed ? await consultExperts(hosted.model, images, experts) : [];
  rows.forEach((row, i) => {
    for (const answer of row) {
      const told = describeAnswer(answer, verbose);
      if (told !== null) console.error(rows.length > 1 ? `${images[i]}: ${told}` : told);
    }
  });
  const prompts = questions.map((question, i) =>
    makePrompt(hosted, tokenizer, question, (rows.length > 1 ? rows[i] : rows[0]) ?? []),
  );
  if (verbose)
    for (const { text, bare } of prompts) {
      if (bare !== text) console.error(`without experts: ${JSON.stringify(bare)}`);
      console.error(JSON.stringify(text));
    }
  return prompts;
}
