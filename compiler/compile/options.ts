/** What a package is compiled for. */
import type { Recipe } from '../model/recipe.ts';
import type { Profile } from '../package/package.ts';

/** Words of each sequence, and the most labels of a batch where most positions have none, by task. */
export interface TaskSizes {
  readonly batch: number;
  readonly tokens: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, number>>;
}

export interface CompileOptions {
  readonly profile: Profile;
  /** The recipe whose optimizer goes into the package; needed for training. */
  readonly recipe?: Recipe;
  /** Words of each sequence, by task. Tasks that are left out get no training program. */
  readonly training?: TaskSizes;
  /** Held-out losses, by task; `attached`: words of each sequence for text tasks whose examples are given an image. */
  readonly evaluation?: TaskSizes & { readonly attached?: Readonly<Record<string, number>> };
  /** Logits at every position. */
  readonly forward?: { readonly batch: number; readonly tokens: number; readonly image?: boolean };
  /**
   * `tokens`: the longest prompt; `context`: prompt and answer together; `image`: also with an image; `extend`: also what
   * adds up to `tokens` words at once to a sequence that was begun.
   */
  readonly generation?: {
    readonly batch: number;
    readonly tokens: number;
    readonly context: number;
    readonly image?: boolean;
    readonly extend?: boolean;
  };
  /** Tokens of an encoder or a projector, by the part's name. */
  readonly encoding?: { readonly part: string; readonly batch: number };
  /**
   * Training and held-out losses with an encoder that no task trains: run it in every step, or take its tokens, which
   * the host computed once by `encoding`, instead of patches. Default `inline`.
   */
  readonly frozenEncoders?: 'inline' | 'cached';
  /** Keep every layer's hidden state readable, in `forward` and training programs. */
  readonly taps?: boolean;
  readonly spec?: { readonly hash: string; readonly text: string };
}
