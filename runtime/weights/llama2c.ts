/**
 * llama2.c's model file, version 0: seven int32 (dim, hidden, layers, heads, kv heads, vocab, context), then float32
 * tensors one kind after the other. Source: karpathy/llama2.c export.py `legacy_export` and run.c.
 */
import { InputError } from '../input-error.ts';
import type { Base } from '../../compiler/model/model.ts';
import { toFloat32 } from './dtypes.ts';
import { elements, requireFinite, type ByteSource, type TensorInfo, type WeightSource } from './source.ts';

/** What the file says of its model; the rest (eps 1e-5, theta 10000, interleaved) is fixed by llama2.c. */
export type Llama2cBase = Pick<
  Base,
  | 'family'
  | 'layers'
  | 'dim'
  | 'heads'
  | 'kvHeads'
  | 'headDim'
  | 'ffn'
  | 'vocab'
  | 'context'
  | 'normEps'
  | 'rope'
  | 'tied'
>;

export interface Llama2cFile extends WeightSource {
  readonly base: Llama2cBase;
}

const HEADER = 28;

/**
 * Opens a llama2.c model file; tensors are read when asked for, under Meta's names.
 * @throws InputError when the header makes no sense or the file's size is not what it asks for
 */
export async function openLlama2c(source: ByteSource): Promise<Llama2cFile> {
  const base = await readHeader(source);
  const tensors = new Map<string, TensorInfo & { readonly offset: number }>();
  let offset = HEADER;
  const add = (name: string, shape: readonly number[]): void => {
    tensors.set(name, { name, dtype: 'F32', shape, offset });
    offset += 4 * elements(shape);
  };
  const everyLayer = (name: string, shape: readonly number[]): void => {
    for (let layer = 0; layer < base.layers; layer++) add(`layers.${layer}.${name}.weight`, shape);
  };
  const { dim, ffn, headDim } = base;
  add('tok_embeddings.weight', [base.vocab, dim]);
  everyLayer('attention_norm', [dim]);
  everyLayer('attention.wq', [base.heads * headDim, dim]);
  everyLayer('attention.wk', [base.kvHeads * headDim, dim]);
  everyLayer('attention.wv', [base.kvHeads * headDim, dim]);
  everyLayer('attention.wo', [dim, base.heads * headDim]);
  everyLayer('ffn_norm', [dim]);
  everyLayer('feed_forward.w1', [ffn, dim]);
  everyLayer('feed_forward.w2', [dim, ffn]);
  everyLayer('feed_forward.w3', [ffn, dim]);
  add('norm.weight', [dim]);
  // Two tables of cosines and sines, which are computed instead.
  offset += 4 * base.context * headDim;
  if (!base.tied) add('output.weight', [base.vocab, dim]);
  if (offset !== source.size) {
    throw new InputError(
      `${source.name}: its header asks for ${offset} bytes, the file has ${source.size}`,
      'the file is cut off or not llama2.c version 0: get it again, or export it with `--version 0`',
    );
  }
  return {
    name: source.name,
    base,
    tensors,
    metadata: {},
    async read(name, options = {}) {
      const tensor = tensors.get(name);
      if (!tensor)
        throw new InputError(
          `${source.name} has no tensor \`${name}\``,
          "names are Meta's: `layers.0.attention.wq.weight`",
        );
      const values = toFloat32(await source.read(tensor.offset, 4 * elements(tensor.shape)), 'F32');
      if (options.checkFinite) requireFinite(values, name, source.name);
      return values;
    },
    close: () => source.close(),
  };
}

async function readHeader(source: ByteSource): Promise<Llama2cBase> {
  const refuse = (what: string): never => {
    throw new InputError(
      `${source.name}: ${what}: not a llama2.c model (version 0)`,
      'give a `model.bin` of llama2.c, or weights in safetensors format',
    );
  };
  if (source.size < HEADER) refuse(`${source.size} bytes`);
  const bytes = await source.read(0, HEADER);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const number = (index: number): number => view.getInt32(4 * index, true);
  const sizes = {
    dim: number(0),
    ffn: number(1),
    layers: number(2),
    heads: number(3),
    kvHeads: number(4),
    context: number(6),
  };
  for (const [name, size] of Object.entries(sizes)) {
    if (size < 1 || size > 1 << 24) refuse(`${name} = ${size}`);
  }
  const { dim, heads, kvHeads } = sizes;
  if (dim % heads !== 0) refuse(`dim ${dim} is no multiple of ${heads} heads`);
  if (heads % kvHeads !== 0) refuse(`${heads} heads are no multiple of ${kvHeads} key and value heads`);
  // A negative vocabulary says that the output head is a tensor of its own.
  const vocab = number(5);
  if (vocab === 0 || Math.abs(vocab) > 1 << 24) refuse(`vocabulary ${vocab}`);
  return {
    family: 'llama',
    ...sizes,
    headDim: dim / heads,
    vocab: Math.abs(vocab),
    normEps: 1e-5,
    rope: { style: 'interleaved', theta: 10000 },
    tied: vocab > 0,
  };
}
