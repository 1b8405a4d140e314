/** How the rotary angles of a base were stretched: plain data of `rope = half(..., scaling: ...)`. */

/**
 * Rotary angles stretched by `factor` for sequences longer than `original` tokens; `families/rotary.ts` has the formulas,
 * transformers' `modeling_rope_utils.py` calls the numbers `low_freq_factor`, `high_freq_factor`, `beta_fast`, `beta_slow`,
 * `attention_factor`.
 */
export type RopeScaling =
  /** Each frequency divided by a number of its own, as GGUF files keep the scaling of Llama 3. */
  | { readonly kind: 'factors'; readonly by: readonly number[] }
  | { readonly kind: 'linear'; readonly factor: number }
  /** By the length of a sequence: a larger theta beyond `original` tokens. */
  | { readonly kind: 'dynamic'; readonly factor: number; readonly original: number }
  /** By the length of a sequence: frequencies divided by `long` beyond `original` tokens, else by `short`. */
  | {
      readonly kind: 'longrope';
      readonly factor: number;
      readonly original: number;
      readonly long: readonly number[];
      readonly short: readonly number[];
      /** Factor on cos and sin; null: sqrt(1 + ln(factor) / ln(original)). */
      readonly attention: number | null;
    }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly low: number;
      readonly high: number;
      readonly original: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly original: number;
      readonly fast: number;
      readonly slow: number;
      /** Factor on cos and sin; null: 0.1 ln(factor) + 1. */
      readonly attention: number | null;
      readonly truncate: boolean;
    };
