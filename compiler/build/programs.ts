/** The programs of a package, as builders: gradients and optimizers are appended by passes. */
import { axis, type Task } from '../model/model.ts';
import { stepTensor } from '../passes/append-optimizer.ts';
import type { Builder } from '../graph/builder.ts';
import { type Context, makeContext, prependedLength, type Shape, type Source } from './context.ts';
import { buildHidden, buildLogits, buildPrompts } from './decoder.ts';
import type { Purpose } from '../package/package.ts';
import { tokensOf } from './visual.ts';

/** What a training or evaluation program is made for. */
export interface Sizes {
  readonly batch: number;
  readonly tokens: number;
  /** The most labels of any batch: the head then runs on labelled rows only. Left out: on every row. */
  readonly labels?: number;
  /** Whether every sequence has an image; the prompts that show it are absent otherwise. */
  readonly image?: boolean;
  /** Encoders whose tokens come from outside. */
  readonly cached?: ReadonlySet<string>;
}

/** The loss of a task's batch: sum of cross-entropies times `lossScale`. `withGradient` also makes dLogits. */
function buildLoss(c: Context, { span }: Task, withGradient: boolean, count?: number): void {
  const g = c.g;
  const rows = count === undefined ? undefined : g.tensor('rows', 1, axis(count), 'inputs', 'u32');
  const logits = buildLogits(c, buildHidden(c, rows));
  c.tap('logits', logits);
  g.at('loss', { span });
  const labels = g.tensor('labels', 1, axis(logits.rows), 'inputs', 'u32');
  const rowLoss = g.tensor('rowLoss', 1, axis(logits.rows));
  const dLogits = withGradient ? g.tensor('dLogits', logits.rows, logits.axis) : null;
  g.node('crossEntropy', [logits, labels, stepTensor(g)], [rowLoss, dLogits], { vocab: c.model.base.vocab });
  g.node('sum', [rowLoss], [g.tensor('loss', 1, axis(1), 'results')], {});
}

const full = (source: Source, purpose: Purpose, { batch, tokens, image = false, cached }: Sizes): Shape => {
  const context = prependedLength(source, image) + tokens;
  const shape: Shape = { purpose, mode: 'full', batch, tokens, context, keys: context, image };
  return cached ? { ...shape, cached } : shape;
};

/** The loss of a task and the gradient of its logits; `passes/autodiff.ts` goes on from there. */
export function buildTraining(source: Source, task: Task, sizes: Sizes): Builder {
  const c = makeContext(source, full(source, { kind: 'train', task: task.name }, sizes));
  buildLoss(c, task, true, sizes.labels);
  return c.g;
}

/** The loss alone, for held-out data; `attached`: on text with an image attached. */
export function buildEvaluation(source: Source, task: Task, sizes: Sizes, attached = false): Builder {
  const purpose: Purpose = { kind: 'loss', task: task.name, attached };
  const c = makeContext({ ...source, taps: false }, full(source, purpose, sizes));
  buildLoss(c, task, false, sizes.labels);
  return c.g;
}

/** Logits at every position. */
export function buildForward(source: Source, sizes: Sizes): Builder {
  const c = makeContext(source, full(source, { kind: 'forward', image: sizes.image ?? false }, sizes));
  const logits = buildLogits(c, buildHidden(c));
  c.g.output('logits', logits);
  return c.g;
}

/** The tokens of one encoder or projector: [batch x tokens, width]. */
export function buildEncoding(source: Source, part: string, batch: number): Builder {
  const shape: Shape = {
    purpose: { kind: 'encode', part },
    mode: 'full',
    batch,
    tokens: 1,
    context: 1,
    keys: 1,
    image: true,
  };
  const c = makeContext(source, shape);
  c.g.output('tokens', tokensOf(c, part));
  return c.g;
}

interface GenerationSizes {
  readonly batch: number;
  readonly tokens: number;
  /** Rows of a cache, prepended vectors included. */
  readonly context: number;
  /** One decoding program for each of these counts of keys. */
  readonly keys: readonly number[];
  readonly image: boolean;
  /** Also a program that adds `tokens` words to what the cache holds. */
  readonly extend?: boolean;
}

/**
 * Prompts' keys and values, prefilling `tokens` words of each sequence, adding as many to a filled cache, and decoding
 * steps; `:image` with images.
 */
export function buildGeneration(source: Source, sizes: GenerationSizes): Builder[] {
  const { batch, tokens, context, image } = sizes;
  const make = (
    purpose: Purpose,
    mode: Shape['mode'],
    sequences: number,
    words: number,
    keys: number,
  ): Context =>
    makeContext(
      { ...source, taps: false },
      { purpose, mode, batch: sequences, tokens: words, context, keys, image },
    );
  // Without an image all prompts are the same for every sequence.
  const prompts = make({ kind: 'prompts', image }, 'full', image ? batch : 1, 1, 1);
  buildPrompts(prompts);
  const prefill = make({ kind: 'prefill', image }, 'prefill', batch, tokens, context);
  outputLast(prefill);
  const extend = sizes.extend ? [make({ kind: 'extend', image }, 'decode', batch, tokens, context)] : [];
  extend.forEach(outputLast);
  const decode = sizes.keys.map((keys) => {
    const c = make({ kind: 'decode', keys, image }, 'decode', batch, 1, keys);
    c.g.output('logits', buildLogits(c, buildHidden(c)));
    return c.g;
  });
  return [prompts.g, prefill.g, ...extend.map((c) => c.g), ...decode];
}

/** The logits after one row of each sequence, which the host picks: the last of those that are no padding. */
function outputLast(c: Context): void {
  const hidden = buildHidden(c);
  const last = c.g.tensor('last', 1, axis(c.shape.batch), 'inputs', 'u32');
  c.g.at('last');
  c.g.output('logits', buildLogits(c, c.g.embed(hidden, last)));
}
