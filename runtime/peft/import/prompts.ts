/** PROMPT_TUNING, PREFIX_TUNING and ADAPTION_PROMPT: vectors that stand in front of the words or beside them. */
import { InputError } from '../../input-error.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import { namesAt, notUnderstood, numberAt } from '../config.ts';
import type { ImportContext, ImportedPart } from './part.ts';
import { layersText } from '../places.ts';
import { orderColumns } from '../prefix.ts';

const KEY = 'prompt_embeddings';

/** `prompt on input`: [n, dim], embeddings in front of the words. */
export async function importPrompt({ config, tensors, base }: ImportContext): Promise<ImportedPart[]> {
  const length = numberAt(config, 'num_virtual_tokens');
  const shape = [length, base.dim];
  const values = await tensors.take(KEY, shape);
  const made = [{ name: 'soft.prompt', shape, values }];
  return [{ kind: 'prompt', name: 'soft', on: 'input', attributes: `length = ${length}`, tensors: made }];
}

/** `prefix`: [n, layers x (key, value) x key heads x head_dim]; keys as they are, neither rotated nor normed. */
export async function importPrefix({ config, tensors, base }: ImportContext): Promise<ImportedPart[]> {
  const length = numberAt(config, 'num_virtual_tokens');
  const width = base.kvHeads * base.headDim;
  const values = await tensors.take(KEY, [length, 2 * base.layers * width]);
  const made: NewTensor[] = [];
  for (let layer = 0; layer < base.layers; layer++)
    for (const [at, what] of ['key', 'value'].entries()) {
      const own = columns(values, length, (2 * layer + at) * width, width);
      made.push({
        name: `past.layers.${layer}.${what}`,
        shape: [length, width],
        values: what === 'key' ? orderColumns(own, base, 'half', base.rope.style) : own,
      });
    }
  return [{ kind: 'prefix', name: 'past', on: 'layers', attributes: `length = ${length}`, tensors: made }];
}

/** `width` columns from column `from` of a matrix with so many rows. */
function columns(all: Float32Array, rows: number, from: number, width: number): Float32Array {
  const across = all.length / rows;
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    out.set(all.subarray(row * across + from, row * across + from + width), row * width);
  return out;
}

/** `prompt on layers`: the last layers, each with a raw gate of its own. */
export async function importAdaption({ config, tensors, base }: ImportContext): Promise<ImportedPart[]> {
  const [length, count] = [numberAt(config, 'adapter_len'), numberAt(config, 'adapter_layers')];
  const attention = namesAt(config, 'target_modules');
  if (attention.some((name) => name !== 'self_attn')) throw notUnderstood(config, 'target_modules');
  if (count > base.layers)
    throw new InputError(
      `${config.file}: \`adapter_layers\` is ${count}, and \`${base.name}\` has ${base.layers} layers`,
      'give the base that the adapter was trained on with --base',
    );
  const layers = Array.from({ length: count }, (_, i) => base.layers - count + i);
  const made: NewTensor[] = [];
  for (const layer of layers) {
    const theirs = `model.layers.${layer}.self_attn.adaption`;
    const prompt = await tensors.take(`${theirs}_prompt`, [1, length, base.dim]);
    const gate = await tensors.take(`${theirs}_gate`, [1]);
    const at = `words.layers.${layer}`;
    made.push({ name: `${at}.prompt`, shape: [length, base.dim], values: prompt });
    made.push({ name: `${at}.gate`, shape: [1], values: gate });
  }
  const on = `layers${layersText(layers, base)}`;
  const attributes = `length = ${length}  gate = raw(init: 0, per: layer)`;
  return [{ kind: 'prompt', name: 'words', on, attributes, tensors: made }];
}
