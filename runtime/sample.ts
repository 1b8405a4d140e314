/**
 * From logits to the next token, and from tokens to a text that ends at a stop string.
 */
import { InputError } from './input-error.ts';
import { createRandom } from './random.ts';

export interface Sampling {
  /** 0 is greedy: always the most probable token. Default 0. */
  readonly temperature?: number;
  /** Only the k most probable tokens; 0 = all. Default 0. */
  readonly topK?: number;
  /** Only the most probable tokens that together reach this probability; 1 = all. Default 1. */
  readonly topP?: number;
  readonly seed?: number;
}

/** Picks a token from one row of logits, [vocabulary]. Holds the random state of one sequence. */
export type Sampler = (logits: Float32Array) => number;

/**
 * A sampler for one sequence: give each sequence its own, so that a batch changes nothing.
 *
 * The order is the usual one: temperature, top-k, top-p. As in the official generation.py, a token stays in top-p
 * when the tokens before it have not reached `topP`, so at least one always stays.
 * @param sequence number of the sequence: sequences of one seed differ
 * @throws InputError for options out of range; the sampler throws one for logits that are not numbers
 */
export function createSampler(options: Sampling = {}, sequence = 0): Sampler {
  const { temperature = 0, topK = 0, topP = 1, seed = 0 } = options;
  const refuse = (what: string, help: string): never => {
    throw new InputError(what, help);
  };
  if (!(temperature >= 0 && temperature < Infinity))
    refuse(`temperature ${temperature}`, 'use 0 (greedy) or more, such as 0.8');
  if (!(Number.isInteger(topK) && topK >= 0))
    refuse(`top-k of ${topK}`, 'use a whole number, 0 for no bound');
  if (!(topP > 0 && topP <= 1)) refuse(`top-p of ${topP}`, 'use more than 0 and at most 1');
  if (!(Number.isInteger(seed) && seed >= 0)) refuse(`seed ${seed}`, 'use a whole number from 0');
  const random = createRandom(seed, 'sample', sequence);
  return (logits) => {
    const best = argmax(logits);
    if (temperature === 0 || topK === 1) return best;
    const kept = candidates(logits, best, temperature, topK, topP);
    let total = 0;
    for (const { weight } of kept) total += weight;
    let left = random.uniform() * total;
    for (const { id, weight } of kept) {
      left -= weight;
      if (left < 0) return id;
    }
    return kept.at(-1)!.id;
  };
}

/** Index of the largest logit, the first among equals. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    if (Number.isNaN(logits[i])) {
      throw new InputError(
        `the model gives NaN for token ${i}`,
        'its weights are damaged or diverged: look at the loss of the run, or take an earlier checkpoint',
      );
    }
    if (logits[i]! > logits[best]!) best = i;
  }
  return best;
}

interface Candidate {
  readonly id: number;
  /** Probability up to a common factor. */
  readonly weight: number;
}

function candidates(
  logits: Float32Array,
  best: number,
  temperature: number,
  topK: number,
  topP: number,
): Candidate[] {
  const top = logits[best]!;
  // Differences from the largest never overflow, however small the temperature.
  const all: Candidate[] = [];
  for (let id = 0; id < logits.length; id++) {
    const weight = logits[id] === top ? 1 : Math.exp((logits[id]! - top) / temperature);
    if (weight > 0) all.push({ id, weight });
  }
  if (topK === 0 && topP === 1) return all;
  all.sort((a, b) => b.weight - a.weight || a.id - b.id);
  const kept = topK > 0 ? all.slice(0, topK) : all;
  let total = 0;
  for (const { weight } of kept) total += weight;
  let before = 0;
  const end = kept.findIndex(({ weight }) => {
    const reached = before > topP * total;
    before += weight;
    return reached;
  });
  return end < 0 ? kept : kept.slice(0, end);
}

export interface StopFilter {
  /** Adds text; returns what may be shown now. After a stop string was found it is always ''. */
  push(text: string): string;
  /** The text that was held back because it might have begun a stop string. */
  end(): string;
  /** Whether a stop string was found. */
  readonly stopped: boolean;
}

/** Cuts a streamed text at the first stop string, which may come in pieces and is not shown itself. */
export function createStopFilter(stops: readonly string[]): StopFilter {
  const wanted = stops.filter((stop) => stop !== '');
  let held = '';
  let stopped = false;
  return {
    get stopped() {
      return stopped;
    },
    push(text) {
      if (stopped) return '';
      held += text;
      const found = wanted.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      stopped = found.length > 0;
      const show = stopped ? Math.min(...found) : held.length - heldBack(held, wanted);
      const shown = held.slice(0, show);
      held = stopped ? '' : held.slice(show);
      return shown;
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

/** Length of the longest end of `text` that begins a stop string. */
function heldBack(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (stop.startsWith(text.slice(text.length - length))) longest = length;
    }
  }
  return longest;
}
