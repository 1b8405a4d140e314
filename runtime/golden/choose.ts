/** The spec of the library that expresses a golden case, with every size from its config.json or from its tensors. */
import { InputError } from '../input-error.ts';
import type { OfficialFormat } from '../weights/llama-adapter.ts';
import type { ClipConfig, GoldenConfig, Tensors } from './case.ts';

/** `spec` is `FILE:ADAPTER` below specs/, `params` what `--set` would say. */
export interface Choice {
  readonly spec: string;
  readonly params: Readonly<Record<string, string>>;
  readonly format: OfficialFormat;
}

/** The families of official code whose cases can be run; CLIP's transformer alone is not in this list. */
const FAMILIES = ['chat65b', 'v1', 'mm7b', 'imb', 'paper_v2'] as const;

/** @throws InputError when no spec of the library expresses the case, which names what stands in the way */
export function chooseSpec(c: GoldenConfig, weights: Tensors): Choice {
  switch (c.family) {
    case 'chat65b':
    case 'v1':
      return chooseText(c, c.family);
    case 'mm7b':
      return chooseReleased(c, weights);
    case 'imb':
      return chooseBridge(c, weights);
    case 'paper_v2':
      return { ...chooseFusion(c, weights), format: 'mm7b' };
    default:
      throw new InputError(
        `no spec of the library expresses the family \`${c.family}\``,
        `the families that can be compared are ${FAMILIES.join(', ')} and openai/CLIP VisionTransformer`,
      );
  }
}

/** A number of config.json that the case cannot do without. */
function wanted(c: GoldenConfig, key: keyof GoldenConfig): number {
  const value = c[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new InputError(
    `config.json gives no number as \`${key}\`, which the family \`${c.family}\` needs`,
    `write \`${key}\` into the config.json of the case`,
  );
}

/** One size of a tensor; null where the case has no such tensor. */
const sizeIn = (weights: Tensors, name: string, dimension: number): number | null =>
  weights.get(name)?.shape[dimension] ?? null;

/** Params that have a value; the others keep the default of their spec. */
const given = (params: Readonly<Record<string, number | null>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  );

const list = (layers: readonly number[] = []): string => `[${layers.join(', ')}]`;

/** The transformer of these sizes as a value of the param `eye`; `prefix` is what its tensors are called by. */
export function eye(c: ClipConfig, weights: Tensors, prefix: string, eps?: number): string {
  const hidden = sizeIn(weights, `${prefix}transformer.resblocks.0.mlp.c_fc.weight`, 0);
  const sizes = {
    resolution: c.input_resolution,
    patch: c.patch_size,
    width: c.width,
    layers: c.layers,
    heads: c.heads,
    output: c.output_dim,
    ...(hidden === null ? {} : { hidden }),
    ...(eps === undefined ? {} : { eps }),
  };
  const written = Object.entries(sizes).map(([name, value]) => `${name}: ${value}`);
  return `vit(${written.join(', ')})`;
}

function chooseText(c: GoldenConfig, format: 'chat65b' | 'v1'): Choice {
  const prompted = (c.adapter_len ?? 0) * (c.adapter_layer ?? 0) > 0;
  const params: Choice['params'] = prompted
    ? { late: `last ${c.adapter_layer}`, length: String(c.adapter_len) }
    : {};
  const of = (spec: string): Choice => ({ spec, params, format });
  if (format === 'v1') return of('llama-adapter-v1.adapter:LlamaAdapterV1');
  if (!c.add_bias && !c.add_scale)
    return of(prompted ? 'llama-adapter-v1.adapter:LlamaAdapterV1' : 'llama.adapter:Llama');
  if (!c.add_bias || !c.add_scale)
    throw new InputError(
      `no spec of the library expresses \`add_bias\` ${c.add_bias} with \`add_scale\` ${c.add_scale}`,
      'both are on in the released model; cases with both on or both off can be compared',
    );
  return of(prompted ? 'v2-chat65b-prompted.adapter:V2ChatPrompted' : 'v2-chat65b.adapter:V2Chat');
}

/** The rank of the low-rank updates; null: the case has none. */
const rankOf = (c: GoldenConfig, weights: Tensors): number | null =>
  sizeIn(weights, 'llama.layers.0.attention.lora_wq_l1.weight', 0) ?? c.lora_rank ?? null;

function chooseReleased(c: GoldenConfig, weights: Tensors): Choice {
  const params = { late: `last ${wanted(c, 'query_layer')}`, length: String(wanted(c, 'query_len')) };
  if (c.no_image || !c.clip) return { spec: 'v2-released.adapter:V2Released', params, format: 'mm7b' };
  const width = wanted(c, 'v_embed_dim');
  const sizes = {
    width,
    depth: wanted(c, 'v_depth'),
    heads: wanted(c, 'v_num_heads'),
    // timm's Block rounds the width inside towards zero.
    block_hidden: Math.trunc(width * wanted(c, 'v_mlp_ratio')),
    rank: rankOf(c, weights),
  };
  const vision = eye(c.clip, weights, 'clip.visual.', c.ln_eps);
  return {
    spec: `v2-released-7b.adapter:${c.w_lora || c.w_new_gate ? 'V21' : 'V2Multimodal'}`,
    params: { ...params, eye: vision, ...given(sizes) },
    format: 'mm7b',
  };
}

function chooseBridge(c: GoldenConfig, weights: Tensors): Choice {
  const sizes = {
    features: wanted(c, 'ib_dim'),
    hidden: sizeIn(weights, 'image_bind_f1_1.weight', 0),
    rank: rankOf(c, weights),
  };
  return {
    spec: 'imagebind-llm.adapter:ImageBind',
    params: { late: `last ${wanted(c, 'query_layer')}`, ...given(sizes) },
    format: 'imb',
  };
}

function chooseFusion(c: GoldenConfig, weights: Tensors): Omit<Choice, 'format'> {
  const { clip, fusion } = c;
  if (!clip || (fusion !== 'early' && fusion !== 'late'))
    throw new InputError(
      `no spec of the library expresses \`fusion\` ${JSON.stringify(fusion ?? null)}${clip ? '' : ' without `clip`'}`,
      'a case of `paper_v2` has `clip` with its sizes, and `fusion` is "early" or "late"',
    );
  const params = {
    eye: eye(clip, weights, 'clip.visual.', c.ln_eps),
    late: list(c.late_layers),
    // V2 is checked too when V2Late is asked for, and needs some early layer.
    early: c.early_layers?.length ? list(c.early_layers) : 'first 1',
    length: String(wanted(c, 'static_len')),
    patches: String(wanted(c, 'visual_len')),
  };
  return { spec: `llama-adapter-v2-multimodal.adapter:${fusion === 'early' ? 'V2' : 'V2Late'}`, params };
}
