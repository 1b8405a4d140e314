/** `graft generate`: continues texts with a base and its trained parts, as the tokens come. */
import { parseArgs } from 'node:util';
import { compile, showsImages } from '../../compiler/compile.ts';
import type { Model, Task } from '../../compiler/model/model.ts';
import { CAPTION_QUESTION } from '../data/load.ts';
import { templateFor } from '../data/rules.ts';
import { fillPrompt } from '../data/templates.ts';
import { openDevice } from '../device.ts';
import { openWeights } from '../files.ts';
import { capacity, generate, makeDecoder, showImages } from '../generate.ts';
import { requireFit } from '../fit.ts';
import { InputError } from '../input-error.ts';
import { createSampler, type Sampling } from '../sample.ts';
import { importAdapter } from '../weights/adapter.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { imageInputOf, readImages } from './pictures.ts';
import { capacityOf, loadProject, openCompiled, projectOptions, startOf, tokenizerOf } from './project.ts';
import { specOptions, specUsage } from './spec-arguments.ts';
import { streamAnswers } from './stream.ts';

const options = {
  adapter: { type: 'string' },
  ask: { type: 'string', multiple: true },
  prompt: { type: 'string', multiple: true },
  image: { type: 'string', multiple: true },
  task: { type: 'string' },
  ...specOptions,
  'max-tokens': { type: 'string', default: '64' },
  temperature: { type: 'string', default: '0' },
  'top-k': { type: 'string', default: '0' },
  'top-p': { type: 'string', default: '1' },
  seed: { type: 'string', default: '0' },
  stop: { type: 'string', multiple: true },
  verbose: { type: 'boolean', default: false },
} as const;

export const command: Command = {
  name: 'generate',
  summary: 'generate text with a base and its parts',
  usage: `usage: graft generate SPEC[:ADAPTER] [--adapter FILE] (--ask TEXT | --prompt TEXT)...
                   [--image FILE]... [--task NAME] [--max-tokens N] [--temperature T] [--top-k K] [--top-p P] [--seed N]
                   [--stop TEXT]... [--verbose]

  --adapter FILE   trained parameters (adapter.safetensors of a run, or an official checkpoint as safetensors)
  --ask TEXT       an instruction, put into the task's template; several are answered as one batch
  --prompt TEXT    text to go on from, as it is
  --image FILE     a PNG, JPEG or WebP to look at, or features where the encoder takes them: one for all texts, or one
                   for each. Without a text the task's own question (\`ask\`) is put to each
  --stop TEXT      ends an answer before this text
  --verbose        shows the prompts as the model gets them
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [spec] = positionals;
    if (positionals.length !== 1 || spec === undefined) throw new UsageError('give one spec');
    const { model } = loadProject(spec, projectOptions(values));
    const images = values.image ?? [];
    const texts = textsOf(model, values, images.length);
    if (values.verbose) for (const text of texts) console.error(JSON.stringify(text));
    const sampling: Sampling = {
      temperature: Number(values.temperature),
      topK: Number(values['top-k']),
      topP: Number(values['top-p']),
      seed: Number(values.seed),
    };
    const maxTokens = Number(values['max-tokens']);
    if (!Number.isInteger(maxTokens) || maxTokens < 1)
      throw new UsageError(`--max-tokens takes a whole number from 1, not \`${values['max-tokens']}\``);
    const stops = values.stop ?? [];
    await answer(model, texts, { sampling, maxTokens, stops, adapter: values.adapter, images });
    return EXIT.ok;
  },
};

interface Asked {
  readonly ask?: string[] | undefined;
  readonly prompt?: string[] | undefined;
  readonly task?: string | undefined;
}

/** What is to be continued: instructions in the task's template, and texts as they are. */
function textsOf(model: Model, { ask = [], prompt = [], task: name }: Asked, images: number): string[] {
  if (ask.length + prompt.length === 0 && images === 0)
    throw new UsageError('give something to answer with --ask, or to go on from with --prompt');
  // Looking needs a model that can, whatever the texts say.
  if (images > 0) imageInputOf(model);
  else tellImage(model);
  const questions =
    ask.length + prompt.length > 0
      ? ask
      : Array.from({ length: images }, () => questionOf(taskNamed(model, name, true)));
  const texts = [...questions.map((text) => inTemplate(model, name, text, images > 0)), ...prompt];
  if (images > 1 && images !== texts.length)
    throw new UsageError(
      `${images} images for ${texts.length} text${texts.length === 1 ? '' : 's'}: give one for all, or one for each`,
    );
  return texts;
}

/** The task of this name; without one the first that shows images if there is one, and the first that does not if not. */
function taskNamed(model: Model, name: string | undefined, image: boolean): Task | undefined {
  if (name !== undefined) return model.tasks.find((t) => t.name === name);
  return model.tasks.find((t) => showsImages(model, t.name) === image) ?? model.tasks[0];
}

/** Answering without an image is possible everywhere, and seldom meant where all that was learned had one. */
function tellImage(model: Model): void {
  if (model.tasks.length > 0 && model.tasks.every((task) => showsImages(model, task.name)))
    console.error(
      `no image is given, although every task of \`${model.name}\` shows one: give one with --image FILE`,
    );
}

const questionOf = (task: Task | undefined): string => {
  const ask = task?.fields['ask'];
  return typeof ask === 'string' ? ask : CAPTION_QUESTION;
};

/** The text before {output}, with this instruction. */
function inTemplate(model: Model, name: string | undefined, instruction: string, image: boolean): string {
  const task = taskNamed(model, name, image);
  if (!task)
    throw new InputError(
      name === undefined
        ? `\`${model.name}\` has no task, so no template`
        : `\`${model.name}\` has no task \`${name}\``,
      'use --prompt for text as it is',
    );
  return fillPrompt(templateFor(task.fields), { instruction });
}

interface AnswerOptions {
  readonly sampling: Sampling;
  readonly maxTokens: number;
  readonly stops: readonly string[];
  readonly adapter: string | undefined;
  readonly images: readonly string[];
}

async function answer(model: Model, texts: readonly string[], given: AnswerOptions): Promise<void> {
  const tokenizer = await tokenizerOf(model.base);
  const prompts = texts.map((text) => tokenizer.encode(text, { bos: tokenizer.bos !== null }));
  const longest = fits(prompts, model, texts);
  const image = given.images.length > 0 ? await readImages(model, given.images, prompts.length) : null;
  const device = await openDevice();
  const context = Math.min(model.base.context, longest + given.maxTokens);
  const compiled = compile(model, {
    profile: device.profile,
    generation: { batch: prompts.length, tokens: longest, context, image: image !== null },
  });
  requireFit(compiled.manifest, capacityOf(device));
  const plain = await startOf(model, 0);
  const start =
    given.adapter === undefined
      ? plain
      : await startOf(model, 0, { initial: await readAdapter(given.adapter, model, plain.fingerprint) });
  if (start !== plain) await plain.close();
  const session = await openCompiled(device, compiled, start);
  const decoder = makeDecoder(session, { image: image !== null });
  if (image) showImages(decoder, image);
  const stream = streamAnswers(tokenizer, texts, given.stops, process.stdout);
  const samplers = prompts.map((_, sequence) => createSampler(given.sampling, sequence));
  const { context: limit } = capacity(decoder);
  if (limit < longest + given.maxTokens) console.error(`answers end at the context of ${limit} tokens`);
  await generate(decoder, prompts, {
    maxTokens: given.maxTokens,
    eos: tokenizer.eos,
    pick: (logits, sequence) => samplers[sequence]?.(logits) ?? 0,
    onToken: stream.token,
  });
  stream.end();
  session.executor.destroy();
}

function fits(prompts: readonly (readonly number[])[], model: Model, texts: readonly string[]): number {
  prompts.forEach((prompt, i) => {
    if (prompt.length === 0) throw new InputError('a prompt has no tokens', 'give at least one character');
    if (prompt.length >= model.base.context)
      throw new InputError(
        `the prompt ${JSON.stringify(texts[i]?.slice(0, 40))}... has ${prompt.length} tokens, the context of \`${model.base.name}\` ${model.base.context}`,
        'shorten it',
      );
  });
  return Math.max(...prompts.map((prompt) => prompt.length));
}

async function readAdapter(
  path: string,
  model: Model,
  fingerprint: string,
): Promise<ReadonlyMap<string, Float32Array>> {
  const source = await openWeights(path);
  const { values, missing: absent, unused, family } = await importAdapter(source, model, fingerprint);
  await source.close();
  if (family === 'graft' && unused.length > 0)
    throw new InputError(
      `${path} was trained as \`${source.metadata['adapter']}\`: \`${model.name}\` has no place for ${unused.slice(0, 3).join(', ')}${unused.length > 3 ? ` and ${unused.length - 3} more` : ''}`,
      'give the spec and the adapter it was trained with',
    );
  // An encoder that has a file of its own is not in the adapter's.
  const own = new Set(model.parameters.filter((p) => p.init.kind === 'weights').map((p) => p.name));
  const missing = absent.filter((name) => !own.has(name));
  if (missing.length > 0)
    console.error(
      `${path} has no ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}: they keep their start`,
    );
  return values;
}
