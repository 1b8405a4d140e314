/** What an expert is to the runtime: an image in, text out, and what came of asking it. */
import type { Picture } from '../images/picture.ts';

/** The image an expert is asked about. */
export interface Sight {
  /** The file as it is. */
  readonly bytes: Uint8Array;
  /** Its absolute path where it has one, for programs that open it themselves. */
  readonly path: string | null;
  /** Decoded, upright, on white; made once for all experts that want it. */
  readonly picture: () => Promise<Picture>;
}

/** What an expert read off an image, as it said it. */
export interface Reading {
  readonly text: string;
  /** How sure it is, 0 to 1; null: it does not say. */
  readonly confidence: number | null;
}

/** A model that is loaded and reads pictures. */
export interface Reader {
  readonly read: (picture: Picture, signal: AbortSignal) => Promise<Reading>;
  readonly close: () => void;
}

/** An expert that can be asked. */
export interface Expert {
  readonly name: string;
  /** Seconds it has for one image. */
  readonly timeout: number;
  /** Characters of its text that are kept. */
  readonly length: number;
  /**
   * Looks at one image. It has to give up when the signal comes; whoever asked does not wait for it.
   * @throws anything: the message becomes the reason why the answer was given without it
   */
  readonly look: (sight: Sight, signal: AbortSignal) => Promise<Reading>;
  /** Lets go of what it holds; after that it is not asked again. */
  readonly close: () => void;
}

export type Outcome =
  | 'answered'
  | 'given' //   by hand, nobody was asked
  | 'empty' //   it had nothing to say
  | 'late' //    no answer in time
  | 'refused' // it may not run
  | 'failed'; // it broke

/** What came of an expert for one image. */
export interface Answer {
  readonly name: string;
  readonly outcome: Outcome;
  /** Clean and no longer than allowed; empty unless it answered or was given. */
  readonly text: string;
  readonly confidence: number | null;
  /** Why there is no text, or what was done to it; empty when there is nothing to say. */
  readonly note: string;
  readonly seconds: number;
}

/** Bytes of an answer that are read at all, before it is cut to characters. */
export const MOST_BYTES = 8 * 2 ** 20;

/** An expert that is not run, and why. @throws at once, in `look` */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
