/** Prefilling and decoding with a key-value cache, and the loop around them. */
import { invariant } from '../grammar/invariant.ts';
import { padded } from '../compiler/model/model.ts';
import type { Program } from '../compiler/package/package.ts';
import { writeImages } from './train/batch.ts';
import type { Vocabulary } from './tokenizer/tokenizer.ts';
import { inputNamed, outputNamed, programFor, type Session, writePositions } from './session.ts';

/** Sequences being continued: what each has, and how far the cache is filled. */
export interface Decoder {
  readonly session: Session;
  /** Whether the sequences come with an image. */
  readonly image: boolean;
  readonly prefill: Program;
  readonly decodes: readonly (Program & { readonly kind: 'decode' })[];
  /** The program that computes prompts' keys and values. */
  readonly prompts: Program;
  /** The session's version that prompts' keys and values were computed from. */
  prompted: number;
}

/** Programs for sequences with an image, or without. */
export function makeDecoder(session: Session, { image = false } = {}): Decoder {
  const prefill = programFor(session, { kind: 'prefill', image });
  const decodes = session.manifest.programs
    .flatMap((p) => (p.kind === 'decode' && p.image === image ? [p] : []))
    .sort((a, b) => a.keys - b.keys);
  writePositions(session, prefill);
  return {
    session,
    image,
    prefill,
    decodes,
    prompts: programFor(session, { kind: 'prompts', image }),
    prompted: -1,
  };
}

/** Gives each sequence its image (see images.ts), for the prompts that follow. */
export function showImages(d: Decoder, image: Float32Array): void {
  // Gated prompts see it through their keys and values, input prompts as vectors in front of the words.
  for (const program of [d.prompts, d.prefill])
    if (program.inputs.some((slice) => slice.image !== undefined)) writeImages(d.session, program, image);
  d.prompted = -1;
}

/** Most sequences at once, longest prompt and longest sequence, in words. */
export function capacity(d: Decoder): {
  readonly batch: number;
  readonly prompt: number;
  readonly context: number;
} {
  return {
    batch: d.prefill.batch,
    prompt: d.prefill.tokens,
    context: d.session.manifest.context - d.prefill.prepended,
  };
}

/** Runs the prompts (ids, each at least one, of any lengths) and returns the logits after each one's last token. */
export async function prefill(d: Decoder, prompts: readonly (readonly number[])[]): Promise<Float32Array[]> {
  const { session, prefill: program } = d;
  const { batch, tokens, prepended } = program;
  invariant(
    prompts.length <= batch && prompts.every((p) => p.length > 0 && p.length <= tokens),
    'prompts fit the prefill program',
  );
  const ids = new Uint32Array(batch * tokens);
  const last = new Uint32Array(batch);
  prompts.forEach((prompt, b) => {
    ids.set(prompt, b * tokens);
    last[b] = b * (prepended + tokens) + prepended + prompt.length - 1;
  });
  session.executor.write(inputNamed(program, 'tokens'), ids);
  session.executor.write(inputNamed(program, 'last'), last);
  const fresh = d.prompted === session.version.count;
  d.prompted = session.version.count;
  return logits(d, fresh ? [program.name] : [d.prompts.name, program.name], program, prompts.length);
}

/**
 * Appends several tokens to each sequence, at least one and at most as many as a prompt has, by the program `extend`.
 * @param starts position of each sequence's first new token: how many words it has already
 * @returns the logits after each one's last token
 */
export async function extend(
  d: Decoder,
  texts: readonly (readonly number[])[],
  starts: readonly number[],
): Promise<Float32Array[]> {
  const { session } = d;
  const program = programFor(session, { kind: 'extend', image: d.image });
  const { batch, tokens, prepended } = program;
  const ids = new Uint32Array(batch * tokens);
  const positions = new Uint32Array(batch * tokens);
  const last = new Uint32Array(batch);
  texts.forEach((text, b) => {
    const end = text.length - 1;
    invariant(end >= 0 && end < tokens, 'texts fit the program that extends');
    invariant((starts[b] ?? 0) + end < capacity(d).context, 'texts end within the context');
    for (let t = 0; t < tokens; t++) {
      // Padding writes the last token once more to the place where that stands already.
      ids[b * tokens + t] = text[Math.min(t, end)] ?? 0;
      positions[b * tokens + t] = prepended + (starts[b] ?? 0) + Math.min(t, end);
    }
    last[b] = b * tokens + end;
  });
  session.executor.write(inputNamed(program, 'tokens'), ids);
  session.executor.write(inputNamed(program, 'positions'), positions);
  session.executor.write(inputNamed(program, 'last'), last);
  return logits(d, [program.name], program, texts.length);
}

/** Appends one token to each sequence. `positions` count words from 0. Returns the logits after them. */
export async function decode(
  d: Decoder,
  tokens: readonly number[],
  positions: readonly number[],
): Promise<Float32Array[]> {
  const { session } = d;
  const rows = positions.map((position) => position + d.prefill.prepended);
  const program = d.decodes.find((p) => p.keys > Math.max(...rows));
  invariant(program, `position ${Math.max(...positions)} is past the context`);
  const fill = (values: readonly number[]) =>
    Uint32Array.from({ length: program.batch }, (_, b) => values[b] ?? 0);
  session.executor.write(inputNamed(program, 'tokens'), fill(tokens));
  session.executor.write(inputNamed(program, 'positions'), fill(rows));
  return logits(d, [program.name], program, tokens.length);
}

async function logits(
  d: Decoder,
  works: readonly string[],
  program: Program,
  count: number,
): Promise<Float32Array[]> {
  const slice = outputNamed(program, 'logits');
  const width = padded(slice.axis);
  const [all] = await d.session.executor.runAndRead(works, [{ ...slice, size: 4 * count * width }]);
  return Array.from({ length: count }, (_, b) =>
    (all ?? new Float32Array()).subarray(b * width, b * width + slice.axis.size),
  );
}

export interface GenerateOptions {
  readonly maxTokens: number;
  /**
   * Whose ids an answer is made of. It ends at one of its `ends`, which is not part of the answer; an id that it does not
   * have, as in the rows that pad a base's vocabulary, is never picked. A Tokenizer, or `endless`.
   */
  readonly tokenizer: Vocabulary;
  /** Picks the next id from a row of logits [vocab]; `sequence` tells the rows apart, so that each may have its own state. */
  readonly pick: (logits: Float32Array, sequence: number) => number;
  /** Called as tokens come; returning true ends the sequence (a stop string was met). */
  readonly onToken?: (sequence: number, id: number) => boolean | void;
}

/** Every id of the base is a token, and none ends an answer. */
export const endless: Vocabulary = { vocabSize: Infinity, gaps: [], ends: new Set() };

/** Continues up to a batch of prompts together. Returns the ids added to each. */
export async function generate(
  d: Decoder,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<number[][]> {
  const { context } = capacity(d);
  const { tokenizer } = options;
  const answers: number[][] = prompts.map(() => []);
  const open = prompts.map(() => true);
  let rows = await prefill(d, prompts);
  for (;;) {
    rows.forEach((row, b) => {
      const [prompt, answer] = [prompts[b], answers[b]];
      if (!open[b] || !prompt || !answer) return;
      const id = options.pick(withoutForeign(row, tokenizer), b);
      const ended = tokenizer.ends.has(id);
      if (!ended) answer.push(id);
      const stopped = !ended && options.onToken?.(b, id) === true;
      open[b] =
        !ended && !stopped && answer.length < options.maxTokens && prompt.length + answer.length < context;
    });
    if (!open.includes(true)) return answers;
    // Sequences that ended are fed their last token again, at a place nobody reads any more.
    const next = prompts.map((prompt, b) => answers[b]?.at(-1) ?? prompt.at(-1) ?? 0);
    const at = prompts.map((prompt, b) => Math.min(prompt.length + (answers[b]?.length ?? 0), context) - 1);
    rows = await decode(d, next, at);
  }
}

/** The logits with -Infinity for every id that is no token, in place. */
export function withoutForeign(logits: Float32Array, { vocabSize, gaps }: Vocabulary): Float32Array {
  logits.fill(-Infinity, Math.min(vocabSize, logits.length));
  for (const id of gaps) logits[id] = -Infinity;
  return logits;
}
