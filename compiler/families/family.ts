/**
 * What a family of bases is: one row of the table in `families/index.ts`, one file a family.
 *
 * All families share one decoder (`build/decoder.ts`). A family lists the places of its network; the decoder does at
 * each place what the place's role says, and leaves out the roles that a family has no place for.
 */
import type { Base, Role, SiteKind } from '../model/model.ts';
import type { Windows } from './config-windows.ts';

/** What is as wide as something: the embedding, all query heads, all key heads, one head, and so on. */
export type Width = 'dim' | 'ffn' | 'vocab' | 'queries' | 'keys' | 'head';

/** A linear, a norm or an embedding of every layer, or one outside of the layers. */
export interface Place {
  /** Our name; below `layers.N.` for a place of a layer: `attention.wq`. */
  readonly name: string;
  readonly role: Role;
  readonly kind: SiteKind;
  readonly input: Width;
  readonly output: Width;
  /** Hugging Face's name; below `model.layers.N.` for a place of a layer: `self_attn.q_proj`. */
  readonly huggingface: string;
  /** The letter that stands for it in the fusion map; places outside of the layers have none. */
  readonly letter?: string;
  /** The norm whose output enters this linear. */
  readonly reads?: string;
}

/** Linears that Hugging Face gives biases together. */
interface BiasSwitch {
  readonly linears: readonly string[];
  /** The key of config.json that says so; `always`: they have them without a word; null: they never have any. */
  readonly key: string | null;
}

/** One row of the table. */
export interface Family {
  /** What `family = NAME` and `model_type` of config.json say. */
  readonly name: string;
  readonly doc: string;
  /** Paper or file the network comes from. */
  readonly source: string;
  /** Places of every layer, in checkpoint order. */
  readonly layer: readonly Place[];
  /** Places before the layers, and behind them. */
  readonly before: readonly Place[];
  readonly after: readonly Place[];
  readonly biases: readonly BiasSwitch[];
  /** Which layers look at the last few tokens only. */
  readonly windows: Windows;
  /** Whether config.json says which layers leave queries and keys unrotated (`no_rope_layers`). */
  readonly unrotated?: true;
  /** Whether rotary positions may turn a part of each head only (`partial_rotary_factor`). */
  readonly partial?: true;
  /** The activation of the feed-forward network. */
  readonly activation: 'silu' | 'geluTanh';
  /** Norms multiply by 1 more than files of Hugging Face's hold. */
  readonly normOffset?: 1;
  /** What the embedding of a word is multiplied by: the root of its width. Absent: nothing. */
  readonly embeddingFactor?: 'root of dim';
  /** Keys of config.json that change scores and logits, and what they are where they are missing; absent: refused. */
  readonly scores?: {
    readonly query_pre_attn_scalar: number;
    readonly attn_logit_softcapping: number | null;
    readonly final_logit_softcapping: number | null;
  };
  /** `rope_theta` of layers with a window where it is missing; absent: they turn as the others do. */
  readonly localTheta?: number;
  /** What a config.json of this family means where it says nothing: the defaults of transformers' configuration class. */
  readonly unsaid: Unsaid;
}

/** Values of keys that a config.json leaves out; null: as many key heads as query heads, `hidden_size` shared by the heads. */
interface Unsaid {
  readonly num_key_value_heads: number | null;
  readonly head_dim: number | null;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly tie_word_embeddings: boolean;
  readonly no_rope_layer_interval?: number;
}

/** Whose places are asked for. */
export type OfFamily = Pick<Base, 'family'>;
