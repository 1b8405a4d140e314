/** Opens captioners: a spec with what was trained, or a package that was built of one. */
import type { ExpertRun } from '../../compiler/model/expert.ts';
import type { Manifest } from '../../compiler/package/package.ts';
import { openModel } from './open-model.ts';
import { rulesFor } from '../data/rules.ts';
import { sharedDevice } from '../device/device.ts';
import { readCaption } from '../experts/caption.ts';
import type { Reader } from '../experts/expert.ts';
import { capacity, makeDecoder } from '../generate.ts';
import { InputError } from '../input-error.ts';
import type { Package, Session } from '../session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { openAnswering } from './answering.ts';
import type { ProjectHost } from './host.ts';
import { imageInputOf } from './image-input.ts';
import { askOf, promptFor, promptIds, type Question, questionFor } from './questions.ts';
import { loadModel } from './spec.ts';
import { tokenizerOf } from './tokenizer.ts';

type CaptionRun = Extract<ExpertRun, { kind: 'caption' }>;

/** Opens the model of a `caption(...)` on the process's device. @throws InputError when it cannot look or be asked */
export const openCaptioner =
  (host: ProjectHost) =>
  async (run: CaptionRun, signal: AbortSignal): Promise<Reader> => {
    const pkg = await host.openPackage(run.model);
    return pkg ? openPackage(host, pkg, run, signal) : openSpec(host, run, signal);
  };

async function openSpec(host: ProjectHost, run: CaptionRun, signal: AbortSignal): Promise<Reader> {
  const model = loadModel(host, run.model);
  const hosted = { host, model };
  imageInputOf(model);
  const tokenizer = await tokenizerOf(hosted);
  const question = questionFor(model, run.ask, { image: true });
  const prompt = promptIds(question, tokenizer, promptFor(question, tokenizer));
  requireRoom(prompt.length, model.base.context, run);
  const device = await sharedDevice();
  signal.throwIfAborted();
  const session = await openAnswering(device, hosted, {
    batch: 1,
    tokens: prompt.length,
    maxTokens: run.tokens,
    image: true,
    adapter: run.adapter,
    tasks: [question.task?.name ?? ''],
    tokenizer,
    // A large base takes long to read, and the expert is not waited for after its time-out.
    signal,
  });
  return readerOf(session, tokenizer, prompt, run);
}

async function openPackage(
  host: ProjectHost,
  pkg: Package,
  run: CaptionRun,
  signal: AbortSignal,
): Promise<Reader> {
  const { base } = pkg.manifest;
  if (base.weights === undefined || base.tokenizer === undefined)
    throw new InputError(
      `the package ${run.model} names no weights or no tokenizer`,
      'give its spec instead',
    );
  requireComplete(host, pkg.manifest, run);
  const task = taskWithImages(pkg.manifest);
  const { tokenizer } = rulesFor(task.fields, false, await host.openTokenizer(base.tokenizer, base.weights));
  const question = { task, text: run.ask ?? askOf(task.fields) };
  const prompt = promptIds(question, tokenizer, promptFor(question, tokenizer));
  signal.throwIfAborted();
  const weights = await host.openWeights(base.weights);
  const adapter = run.adapter === null ? null : await host.openWeights(run.adapter);
  try {
    const device = await sharedDevice();
    const { session } = await openModel(device, pkg, { base: weights, ...(adapter ? { adapter } : {}) });
    return readerOf(session, tokenizer, prompt, run);
  } finally {
    await weights.close();
    await adapter?.close();
  }
}

function readerOf(
  session: Session,
  tokenizer: Tokenizer,
  prompt: readonly number[],
  run: CaptionRun,
): Reader {
  const pixels = session.manifest.images?.[0]?.pixels;
  if (!pixels)
    throw new InputError(`${run.model} looks at no picture`, 'give a spec with an encoder of pictures');
  const decoder = makeDecoder(session, { image: true });
  requireRoom(prompt.length, capacity(decoder).prompt + 1, run);
  return {
    read: (picture, signal) =>
      readCaption({ decoder, tokenizer, pixels, prompt, tokens: run.tokens }, picture, signal),
    close: () => session.executor.destroy(),
  };
}

function requireRoom(tokens: number, context: number, run: CaptionRun): void {
  if (tokens < context) return;
  throw new InputError(
    `the question to ${run.model} has ${tokens} tokens, and there is room for ${context - 1}`,
    'make `ask` shorter',
  );
}

/** A package holds no weights and does not say where its encoder's are. */
function requireComplete(
  { warn }: ProjectHost,
  { programs, parameters, cells }: Manifest,
  run: CaptionRun,
): void {
  const looks = programs.some((p) => p.kind === 'prefill' && p.image);
  if (!looks)
    throw new InputError(
      `the package ${run.model} looks at no picture`,
      'build it of a spec with an encoder',
    );
  const encoder = parameters.find((p) => p.init.kind === 'weights' && p.owner !== 'base' && p.cell === null);
  if (encoder)
    throw new InputError(
      `\`${encoder.owner}\` of the package ${run.model} comes from a file that the package does not name`,
      'give its spec instead',
    );
  if (run.adapter === null && cells.length > 0)
    warn(`${run.model}: no \`adapter\` is given, so its trained parts are as they were before training`);
}

const taskWithImages = ({ tasks, data }: Manifest): NonNullable<Question['task']> =>
  tasks.find((task) => data.some(({ name, format }) => name === task.data && format === 'image_text')) ??
  tasks[0] ?? { name: '', fields: {} };
