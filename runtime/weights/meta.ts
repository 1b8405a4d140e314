/**
 * Meta's checkpoints: `consolidated.00.pth` and further shards, each with a slice of every large tensor.
 *
 * Source: facebookresearch/llama `llama/model.py` (which axis each layer splits), OpenGVLab/LLaMA-Adapter
 * `llama_adapter_v2_chat65b/models_llama_adapter.py` (the trained vectors).
 */
import { InputError } from '../input-error.ts';
import { elements, requireFinite, showShape, type TensorInfo, type WeightSource } from './source.ts';

/**
 * The axis along which shards split a tensor; null: every shard has all of it.
 * @param wide whether a shard's embedding already has the model's width: LLaMA 3 splits it by tokens, LLaMA 1 and 2 by
 *   width
 */
export function splitAxis(name: string, wide = false): 0 | 1 | null {
  if (/\btok_embeddings\.weight$/.test(name)) return wide ? 0 : 1;
  if (/\b(wq|wk|wv|w1|w3|output)\.weight$/.test(name) || /\.(wq|wk|wv|w1|w3)_bias$/.test(name)) return 0;
  if (/\b(wo|w2)\.weight$/.test(name)) return 1;
  if (/\.(wo|w2)_scale$/.test(name)) return 0;
  return null;
}

/**
 * The shards of one checkpoint as one source.
 * @param shards in the order of their numbers
 * @param name what messages call the whole
 * @throws InputError when the shards do not hold the same tensors
 */
export function joinShards(shards: readonly WeightSource[], name: string): WeightSource {
  const [first] = shards;
  if (!first) throw new Error('internal error: a checkpoint without shards');
  for (const shard of shards)
    for (const [tensor, { shape }] of first.tensors) {
      const theirs = shard.tensors.get(tensor);
      if (theirs && showShape(theirs.shape) === showShape(shape)) continue;
      throw new InputError(
        `${shard.name} has \`${tensor}\` ${theirs ? showShape(theirs.shape) : 'not at all'}, ${first.name} ${showShape(shape)}`,
        'the shards are of different checkpoints, or one is damaged: get them all again',
      );
    }
  const axisOf = (tensor: TensorInfo): 0 | 1 | null => {
    const wide = tensor.shape[1] === first.tensors.get('norm.weight')?.shape[0];
    const axis = shards.length === 1 ? null : splitAxis(tensor.name, wide);
    return axis !== null && axis < tensor.shape.length ? axis : null;
  };
  const tensors = new Map<string, TensorInfo>();
  for (const tensor of first.tensors.values()) {
    const axis = axisOf(tensor);
    const shape = tensor.shape.map((size, i) => (i === axis ? size * shards.length : size));
    tensors.set(tensor.name, { ...tensor, shape });
  }
  return {
    name,
    tensors,
    metadata: first.metadata,
    async read(tensor, options = {}) {
      const info = first.tensors.get(tensor);
      if (!info) throw new InputError(`${name} has no tensor \`${tensor}\``, 'check the name');
      const axis = axisOf(info);
      if (axis === null) return await first.read(tensor, options);
      const rows = axis === 0 ? 1 : (info.shape[0] ?? 1);
      const width = elements(info.shape) / rows;
      const values = new Float32Array(rows * width * shards.length);
      for (const [i, shard] of shards.entries()) {
        const piece = await shard.read(tensor);
        for (let row = 0; row < rows; row++)
          values.set(piece.subarray(row * width, (row + 1) * width), (row * shards.length + i) * width);
      }
      if (options.checkFinite) requireFinite(values, tensor, name);
      return values;
    },
    async close() {
      for (const shard of shards) await shard.close();
    },
  };
}
