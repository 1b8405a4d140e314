/** Names of encoders' and projectors' parameters in CLIP's and the official adapters' files. */
import type { Parameter, Part } from '../../compiler/model/model.ts';
import type { ForeignTensor } from './source.ts';

/** Thirds of a fused projection, in the order of the rows. */
const FUSED = ['q', 'k', 'v'];

/** Rows of one of q, k, v in a tensor that holds all three. */
function fused(name: string, which: string, parameter: Pick<Parameter, 'shape'>): ForeignTensor {
  const rows = parameter.shape[0] ?? 0;
  const start = FUSED.indexOf(which) * rows;
  return { name, rows: [start, start + rows] };
}

/** openai/CLIP clip/model.py, VisionTransformer; `site` is our name without the part's. */
export function clipKey(site: string, parameter: Pick<Parameter, 'shape'>, prefix: string): ForeignTensor {
  const found = /^blocks\.(\d+)\.(.+)\.(weight|bias)$/.exec(site);
  if (!found) return { name: prefix + site };
  const [, index, inner = '', what = ''] = found;
  const block = `${prefix}transformer.resblocks.${index}.`;
  const third = /^attn\.([qkv])$/.exec(inner)?.[1];
  if (third) return fused(`${block}attn.in_proj_${what}`, third, parameter);
  const names: Readonly<Record<string, string>> = {
    norm1: 'ln_1',
    norm2: 'ln_2',
    'attn.o': 'attn.out_proj',
    'mlp.fc1': 'mlp.c_fc',
    'mlp.fc2': 'mlp.c_proj',
  };
  return { name: `${block}${names[inner] ?? inner}.${what}` };
}

/** Projectors of multimodal7b (`linear` and `queries`) and of imagebind_LLM (`bridge`). */
export function projectorKey(
  site: string,
  parameter: Pick<Parameter, 'shape'>,
  part: Part,
): ForeignTensor | null {
  switch (part.fields['kind']) {
    case 'queries':
      // What it makes has the base's width there.
      return (part.fields['output'] ?? null) === null ? queryKey(site, parameter) : null;
    case 'bridge':
      return bridgeKey(site);
    case 'linear': {
      const found = /^(norm\.)?(weight|bias)$/.exec(site);
      return found ? { name: `visual_proj${found[1] ? '_norm' : ''}.${found[2]}` } : null;
    }
    default:
      return null;
  }
}

function queryKey(site: string, parameter: Pick<Parameter, 'shape'>): ForeignTensor | null {
  if (site === 'query') return { name: 'visual_query.weight' };
  const outer: Readonly<Record<string, string>> = {
    in: 'clip_proj',
    in_norm: 'clip_proj_norm',
    out: 'visual_proj',
    norm: 'visual_proj_norm',
  };
  const [, where = '', what = ''] = /^(.+)\.(weight|bias)$/.exec(site) ?? [];
  if (outer[where]) return { name: `${outer[where]}.${what}` };
  const [, index, inner = ''] = /^blocks\.(\d+)\.(.+)$/.exec(where) ?? [];
  if (index === undefined) return null;
  const block = `visual_blocks.${index}.`;
  const third = /^attn\.([qkv])$/.exec(inner)?.[1];
  if (third) return fused(`${block}attn.qkv.${what}`, third, parameter);
  return { name: `${block}${inner === 'attn.o' ? 'attn.proj' : inner}.${what}` };
}

function bridgeKey(site: string): ForeignTensor | null {
  const start = /^in\.(weight|bias)$/.exec(site);
  if (start) return { name: `image_bind_proj.${start[1]}` };
  const [, index, what = ''] = /^(\d)\.(norm|f[123])\.weight$/.exec(site) ?? [];
  return index === undefined ? null : { name: `image_bind_${what}_${index}.weight` };
}
