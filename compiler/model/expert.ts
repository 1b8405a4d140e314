/** Experts: plain data of a checked `expert`. */
import type { Span } from '../../grammar/source.ts';

/** A model that turns an image into text beside the question. It takes no part in training. */
export interface Expert {
  readonly name: string;
  /** Null: it is not run, its text is given by hand. */
  readonly run: ExpertRun | null;
  /** How its answer is put to the model, with `{text}` where it goes. */
  readonly say: string;
  /** Seconds for one image. */
  readonly timeout: number;
  /** Longest answer, in characters. */
  readonly length: number;
  readonly span: Span;
}

/** How an expert is run. Paths are as those of a base: resolved from the file they were written in. */
export type ExpertRun =
  /** `confidence`: the least of a word, 0 to 1. */
  | { readonly kind: 'ocr'; readonly language: string; readonly confidence: number }
  /** `model`: a spec, `SPEC:ADAPTER` or a package's folder; `ask` null: the question of its own task. */
  | {
      readonly kind: 'caption';
      readonly model: string;
      readonly adapter: string | null;
      readonly ask: string | null;
      readonly tokens: number;
    }
  /** `confidence`: the least of an object, 0 to 1. */
  | { readonly kind: 'detect'; readonly model: string; readonly labels: string; readonly confidence: number }
  | { readonly kind: 'http'; readonly address: string }
  /** A program and its arguments, started in `folder`; `{image}` in them is the image's file. */
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly folder: string };
