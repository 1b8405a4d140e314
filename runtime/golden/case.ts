/** A golden case: a folder with what the official code computed at some tiny size. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openWeights, readJson } from '../files.ts';
import { InputError } from '../input-error.ts';

/** Sizes of CLIP's vision transformer in a case. */
export interface ClipConfig {
  readonly input_resolution: number;
  readonly patch_size: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly output_dim: number;
}

/** What `config.json` says; every dimension comes from here. */
export interface GoldenConfig extends Partial<ClipConfig> {
  readonly family: string;
  readonly dim: number;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly n_kv_heads?: number;
  readonly head_dim?: number;
  readonly ffn_hidden: number;
  readonly vocab_size: number;
  readonly norm_eps: number;
  /** Epsilon of CLIP's LayerNorms; absent: CLIP's own. */
  readonly ln_eps?: number;
  readonly max_seq_len: number;
  readonly rope_theta: number;
  readonly ignore_index: number;
  readonly kv_prefill: number;
  readonly adapter_len?: number;
  readonly adapter_layer?: number;
  readonly query_len?: number;
  readonly query_layer?: number;
  readonly add_bias?: boolean;
  readonly add_scale?: boolean;
  readonly no_image?: boolean;
  readonly phase?: string;
  readonly clip?: ClipConfig;
  readonly v_embed_dim?: number;
  readonly v_depth?: number;
  readonly v_num_heads?: number;
  readonly v_mlp_ratio?: number;
  readonly w_lora?: boolean;
  readonly w_new_gate?: boolean;
  readonly lora_rank?: number;
  readonly ib_dim?: number;
  readonly fusion?: 'early' | 'late';
  readonly early_layers?: readonly number[];
  readonly late_layers?: readonly number[];
  readonly static_len?: number;
  readonly visual_len?: number;
  readonly steps?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly trainable?: readonly string[];
  /** Trained names that the loss does not depend on. */
  readonly trainable_without_grad?: readonly string[];
  /** Names without weight decay. */
  readonly no_decay?: readonly string[];
  readonly optim: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
  };
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
export type Tensors = ReadonlyMap<string, GoldenTensor>;

export interface Generation {
  readonly prompts: readonly (readonly number[])[];
  readonly max_gen_len: number;
  readonly generated: readonly (readonly number[])[];
  readonly eos_test?: {
    readonly prompt: readonly number[];
    readonly eos_id: number;
    readonly generated: readonly number[];
  };
}

export interface GoldenCase {
  readonly name: string;
  readonly folder: string;
  readonly config: GoldenConfig;
  /** Tensors of `NAME.safetensors`; null where the case has no such file. */
  readonly tensors: (name: string) => Promise<Tensors | null>;
  readonly json: <T>(name: string) => Promise<T | null>;
}

/** Opens a case without reading its tensors. @throws InputError when the folder is none */
export async function openCase(name: string, folder: string): Promise<GoldenCase> {
  const json = async <T>(file: string): Promise<T | null> => {
    const path = join(folder, `${file}.json`);
    return existsSync(path) ? ((await readJson(path)) as T) : null;
  };
  const config = await json<GoldenConfig>('config');
  if (!config)
    throw new InputError(`${folder} is no golden case: it has no config.json`, 'check the name of the case');
  return { name, folder, config, json, tensors: (file) => readTensors(join(folder, `${file}.safetensors`)) };
}

async function readTensors(path: string): Promise<Tensors | null> {
  if (!existsSync(path)) return null;
  const source = await openWeights(path);
  const tensors = new Map<string, GoldenTensor>();
  for (const { name, shape } of source.tensors.values())
    tensors.set(name, { shape, values: await source.read(name) });
  await source.close();
  return tensors;
}

/**
 * The tensors of a file that every case of its family has.
 * @throws InputError when the file is missing, or lacks one of the tensors `names`
 */
export async function requireFile(
  golden: GoldenCase,
  file: string,
  names: readonly string[] = [],
): Promise<Tensors> {
  const tensors = await golden.tensors(file);
  const help = 'copy the case again: a case is complete or it cannot be compared';
  if (!tensors) throw new InputError(`${join(golden.folder, `${file}.safetensors`)} is missing`, help);
  const lacking = names.find((name) => !tensors.has(name));
  if (lacking === undefined) return tensors;
  throw new InputError(`${join(golden.folder, `${file}.safetensors`)} has no tensor \`${lacking}\``, help);
}
