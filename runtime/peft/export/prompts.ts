/** Prompts and prefixes as PEFT's PROMPT_TUNING, PREFIX_TUNING and ADAPTION_PROMPT. */
import type { Base, FieldValue, Part } from '../../../compiler/model/model.ts';
import { orderColumns } from '../prefix.ts';
import { fullKey } from '../tensors.ts';
import { type Exported, type ExportContext, noPlace, numbersOf } from './context.ts';

const KEY = 'prompt_embeddings';

/** The one part of its kind. */
function only(it: ExportContext): { readonly part: Part; readonly length: number } {
  const [part, second] = it.parts;
  if (part === undefined) throw new Error('internal error: no part to export');
  if (second) throw noPlace(it, second, `\`${part.name}\` is all that it holds`);
  if (part.source !== null) throw noPlace(it, part, `it reads \`${part.source}\``);
  const length = part.fields['length'];
  return { part, length: typeof length === 'number' ? length : 0 };
}

/** What PEFT asks of every method that learns vectors. */
const learned = (base: Base, length: number, width: number, heads: number) => ({
  num_virtual_tokens: length,
  token_dim: width,
  num_layers: base.layers,
  num_attention_heads: heads,
  num_transformer_submodules: 1,
});

export function exportPrompt(it: ExportContext): Exported {
  const { part, length } = only(it);
  const { dim, heads } = it.base;
  return {
    config: { ...learned(it.base, length, dim, heads), prompt_tuning_init: 'RANDOM' },
    tensors: [{ name: KEY, shape: [length, dim], values: numbersOf(it, `${part.name}.prompt`) }],
  };
}

export function exportPrefix(it: ExportContext): Exported {
  const { part, length } = only(it);
  const { layers, kvHeads, headDim, rope } = it.base;
  if (part.layers.length !== layers) throw noPlace(it, part, 'its keys and values are in every layer');
  const width = kvHeads * headDim;
  const values = new Float32Array(length * 2 * layers * width);
  for (let layer = 0; layer < layers; layer++)
    for (const [at, what] of ['key', 'value'].entries()) {
      const own = numbersOf(it, `${part.name}.layers.${layer}.${what}`);
      const theirs = what === 'key' ? orderColumns(own, it.base, rope.style, 'half') : own;
      for (let row = 0; row < length; row++)
        values.set(
          theirs.subarray(row * width, (row + 1) * width),
          (row * 2 * layers + 2 * layer + at) * width,
        );
    }
  return {
    config: {
      ...learned(it.base, length, width, kvHeads),
      encoder_hidden_size: width,
      prefix_projection: false,
    },
    tensors: [{ name: KEY, shape: [length, 2 * layers * width], values }],
  };
}

/** Whether a gate is one number a layer that multiplies as it is. */
function isRaw(gate: FieldValue | undefined): boolean {
  if (typeof gate !== 'object' || gate === null || !('call' in gate)) return false;
  return gate.call === 'raw' && gate.args['per'] === 'layer' && gate.args['factor'] !== true;
}

export function exportAdaption(it: ExportContext): Exported {
  const { part, length } = only(it);
  const { layers, dim, heads, headDim } = it.base;
  const count = part.layers.length;
  if (!isRaw(part.fields['gate']))
    throw noPlace(it, part, 'its gate is `raw(per: layer)`, one number a layer without tanh');
  if (part.layers.some((layer, i) => layer !== layers - count + i))
    throw noPlace(it, part, 'its prompts are in the last layers');
  if (typeof part.fields['fuse'] === 'object') throw noPlace(it, part, 'its prompts stand alone');
  if (heads * headDim !== dim)
    throw noPlace(
      it,
      part,
      `it needs heads that are together as wide as the model, not ${heads} x ${headDim}`,
    );
  return {
    config: { adapter_len: length, adapter_layers: count, target_modules: 'self_attn' },
    tensors: part.layers.flatMap((layer) => {
      const at = `${part.name}.layers.${layer}`;
      const key = fullKey(`model.layers.${layer}.self_attn.adaption`);
      return [
        { name: `${key}_prompt`, shape: [1, length, dim], values: numbersOf(it, `${at}.prompt`) },
        { name: `${key}_gate`, shape: [1], values: numbersOf(it, `${at}.gate`) },
      ];
    }),
  };
}
