/**
 * A GGUF file as a Hugging Face folder in one piece: tensors under Hugging Face's names and in its order of rows, the
 * configuration in its keys, the tokenizer as a `tokenizer.json`. Nothing behind this file needs to know of GGUF.
 */
import { InputError } from '../../input-error.ts';
import { requireFinite, type ByteSource, type TensorInfo, type WeightSource } from '../source.ts';
import { dequantise } from './blocks.ts';
import { architectureOf, configOf, type RotaryFactors } from './config.ts';
import { type GgufHeader, type GgufTensor, readHeader } from './header.ts';
import { changeOf, huggingfaceName, ROTARY_FACTORS, undo } from './names.ts';

export { tokenizerOfGguf } from './tokenizer.ts';

export interface GgufFile extends WeightSource {
  /** What Hugging Face's `config.json` would say. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly header: GgufHeader;
}

/**
 * Opens a GGUF file; tensors are read and dequantised when asked for.
 * @throws InputError when the file is damaged, or when Graft has no model or no number format for it
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  const header = await readHeader(source);
  const architecture = architectureOf(header, source.name);
  const config = configOf(header, architecture, await readFactors(source, header), source.name);
  const heads = { query: Number(config['num_attention_heads']), key: Number(config['num_key_value_heads']) };
  const stored = new Map<string, GgufTensor>();
  const tensors = new Map<string, TensorInfo>();
  for (const tensor of header.tensors.values()) {
    const name = huggingfaceName(architecture, tensor.name);
    if (name === null) continue;
    stored.set(name, tensor);
    // Whatever a tensor is stored as, `read` gives float32.
    tensors.set(name, { name, dtype: 'F32', shape: tensor.shape });
  }
  return {
    name: source.name,
    header,
    config,
    tensors,
    metadata: {},
    async read(name, options = {}) {
      const tensor = stored.get(name);
      if (!tensor) throw new InputError(`${source.name} has no tensor \`${name}\``, 'check the name');
      const values = await readTensor(source, tensor);
      if (options.checkFinite) requireFinite(values, tensor.name, source.name);
      const change = changeOf(architecture, tensor.name, heads);
      return undo(change, values, tensor.shape[0] ?? 1);
    },
    close: () => source.close(),
  };
}

/** The numbers of a tensor as the file has them, in its own order of rows. */
export async function readTensor(
  source: ByteSource,
  { offset, size, type }: GgufTensor,
): Promise<Float32Array> {
  return dequantise(await source.read(offset, size), type);
}

async function readFactors(source: ByteSource, { tensors }: GgufHeader): Promise<RotaryFactors> {
  const factors: Record<string, readonly number[]> = {};
  for (const [key, name] of Object.entries(ROTARY_FACTORS)) {
    const tensor = tensors.get(name);
    if (tensor) factors[key] = [...(await readTensor(source, tensor))];
  }
  return factors;
}
