/** `graft chat`: a conversation on a terminal, or of lines that are piped in. */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { hasImage } from '../../compiler/kinds/images.ts';
import type { Model } from '../../compiler/model/model.ts';
import { rulesFor, type TaskFields, templateFor } from '../data/rules.ts';
import { sharedDevice } from '../device/device.ts';
import { makeDecoder, showImages } from '../generate.ts';
import { nodeHost } from '../hosts/node.ts';
import { InputError } from '../input-error.ts';
import { openAnswering } from '../project/answering.ts';
import { readImages } from '../project/image-input.ts';
import { type HostedModel, loadModel } from '../project/spec.ts';
import { createTalk, type Said, type Talk } from '../project/talk.ts';
import { taskNamed } from '../project/questions.ts';
import { tokenizerOf } from '../project/tokenizer.ts';
import { createSampler } from '../sample.ts';
import type { Session } from '../session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { type Command, EXIT, UsageError, wholeNumber } from './command.ts';
import { readSampling, samplingOptions } from './sampling.ts';
import { adapterOptions, checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { streamAnswers } from './stream.ts';

const options = {
  ...adapterOptions,
  task: { type: 'string' },
  system: { type: 'string', default: '' },
  context: { type: 'string', default: '4096' },
  'max-tokens': { type: 'string', default: '512' },
  ...samplingOptions,
  ...specOptions,
  verbose: { type: 'boolean', default: false },
} as const;

/** Tokens of a turn that are read at once. */
const PIECE = 64;

export const command: Command = {
  name: 'chat',
  summary: 'talk with a base and its parts, turn by turn',
  usage: `usage: graft chat SPEC[:ADAPTER] [--adapter FILE [--allow-changes]] [--task NAME] [--system TEXT] [--context N]
                [--max-tokens N] [--temperature T] [--top-k K] [--top-p P] [--seed N] [--verbose]

A line is a turn; lines may be piped in. The turns before stay in the cache, so that each costs its own tokens.
  /image PATH      shows a PNG, JPEG or WebP to the whole conversation, where the spec looks at images
  /reset           begins a new conversation
  Ctrl-C           stops an answer and keeps the chat; without an answer it ends the chat, as Ctrl-D does

  --adapter FILE   trained parameters (adapter.safetensors of a run, or an official checkpoint as safetensors)
  --allow-changes  also where attributes (alpha, a gate's function, a template, ...) were others when it was trained
  --task NAME      whose template the turns go into; default the first (with an image: the first that shows one). A spec
                   without tasks takes the model's own chat template
  --system TEXT    what the system says before the first turn
  --context N      the most tokens of a conversation, as far as the base has them; default 4096
  --max-tokens N   the most tokens of an answer; default 512
  --verbose        tells after each turn how many tokens were read and how many the conversation has
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [spec] = positionals;
    if (positionals.length !== 1 || spec === undefined) throw new UsageError('give one spec');
    const model = loadModel(nodeHost, spec, checkOptions(values));
    const sampler = createSampler(readSampling(values));
    const given: Given = {
      adapter: values.adapter ?? null,
      allowChanges: values['allow-changes'],
      task: values.task,
      system: values.system,
      context: wholeNumber(values.context, '--context', 2),
      maxTokens: wholeNumber(values['max-tokens'], '--max-tokens', 1),
      pick: sampler,
      verbose: values.verbose,
    };
    await chat({ host: nodeHost, model }, given);
    return EXIT.ok;
  },
};

interface Given {
  readonly adapter: string | null;
  readonly allowChanges: boolean;
  readonly task: string | undefined;
  readonly system: string;
  readonly context: number;
  readonly maxTokens: number;
  readonly pick: (logits: Float32Array) => number;
  readonly verbose: boolean;
}

/** The attributes of the task that turns are put as. @throws InputError for a name that no task has */
function fieldsOf(model: Model, name: string | undefined, image: boolean): TaskFields {
  const { tasks } = model;
  const task = taskNamed(model, name, image);
  if (name !== undefined && !task)
    throw new InputError(
      `\`${model.name}\` has no task \`${name}\``,
      tasks.length === 0 ? 'leave --task away' : `it has ${tasks.map((one) => one.name).join(', ')}`,
    );
  return task?.fields ?? { template: 'chat' };
}

async function chat(hosted: HostedModel, given: Given): Promise<void> {
  const { model } = hosted;
  const looks = hasImage(model);
  const fields = fieldsOf(model, given.task, false);
  const { tokenizer } = rulesFor(fields, false, await tokenizerOf(hosted));
  const template = templateFor(fields, tokenizer);
  const piece = Math.min(PIECE, given.context, model.base.context);
  const session = await openAnswering(await sharedDevice(), hosted, {
    batch: 1,
    tokens: piece,
    maxTokens: given.context - piece,
    extend: true,
    image: looks,
    adapter: given.adapter,
    tasks: model.tasks.map(({ name }) => name),
    tokenizer,
    allowChanges: given.allowChanges,
  });
  try {
    const talk = createTalk(makeDecoder(session), template, { ...given, tokenizer });
    const show = looks ? (path: string) => showImage(hosted, session, talk, path, given, tokenizer) : null;
    await converse(talk, show, tokenizer, given.verbose, model.name);
  } finally {
    session.executor.destroy();
  }
}

async function showImage(
  hosted: HostedModel,
  session: Session,
  talk: Talk,
  path: string,
  { task }: Given,
  tokenizer: Tokenizer,
): Promise<void> {
  const image = await readImages(hosted, [path], 1);
  const decoder = makeDecoder(session, { image: true });
  showImages(decoder, image);
  talk.show(decoder, templateFor(fieldsOf(hosted.model, task, true), tokenizer));
}

/** Reads lines to their end; a mistake of the user is told, and the chat goes on. */
async function converse(
  talk: Talk,
  show: ((path: string) => Promise<void>) | null,
  tokenizer: Tokenizer,
  verbose: boolean,
  name: string,
): Promise<void> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: terminal ? process.stdout : undefined,
    prompt: '> ',
  });
  const state = { answering: false, stopped: false };
  const interrupt = (): void => {
    if (state.answering) state.stopped = true;
    else lines.close();
  };
  // readline takes the key on a terminal; elsewhere the signal comes to the process.
  lines.on('SIGINT', interrupt);
  process.on('SIGINT', interrupt);
  const answer = async (line: string): Promise<void> => {
    const stream = streamAnswers(tokenizer, [line], [], process.stdout);
    Object.assign(state, { answering: true, stopped: false });
    try {
      const said = await talk.say(line, (id) => stream.token(0, id) || state.stopped);
      stream.end();
      tell(said, verbose);
    } finally {
      state.answering = false;
    }
  };
  try {
    if (terminal) lines.prompt();
    for await (const line of lines) {
      try {
        await obey(line.trim(), { talk, show, name, answer });
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        console.error(error.message);
      }
      if (terminal) lines.prompt();
    }
  } finally {
    process.off('SIGINT', interrupt);
    lines.close();
  }
}

interface Ears {
  readonly talk: Talk;
  /** Shows an image; null: the spec looks at none. */
  readonly show: ((path: string) => Promise<void>) | null;
  readonly name: string;
  readonly answer: (line: string) => Promise<void>;
}

async function obey(line: string, { talk, show, name, answer }: Ears): Promise<void> {
  const [, command, rest = ''] = /^\/(\w*)\s*(.*)$/.exec(line) ?? [];
  if (line === '') return;
  if (command === undefined) return answer(line);
  if (command === 'reset') {
    talk.reset();
    console.error('a new conversation');
  } else if (command === 'image') {
    if (!show)
      throw new InputError(
        `\`${name}\` looks at no image`,
        'chat with a spec that has an encoder, a projector and a prompt',
      );
    if (rest === '') throw new InputError('/image names no file', 'write `/image PATH`');
    await show(rest);
    console.error(`${rest} is shown to the conversation`);
  } else
    throw new InputError(
      `there is no /${command}`,
      'write /image PATH or /reset, or a turn that begins otherwise',
    );
}

function tell({ read, tokens, reason }: Said, verbose: boolean): void {
  if (reason === 'context')
    console.error(`the context is full after ${tokens} tokens: /reset begins a new conversation`);
  if (reason === 'length') console.error('the answer was cut: --max-tokens allows longer ones');
  if (verbose) console.error(`${read} tokens read, ${tokens} in the conversation`);
}
