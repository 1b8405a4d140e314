/**
 * Weights of an encoder or a projector from the file its spec names. Both: our names. An encoder: those of openai/CLIP or
 * of Hugging Face's `CLIPVisionModel`. A projector: those of the official adapters.
 */
import type { Parameter, Part } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { elements, type ForeignTensor, showShape, type WeightSource } from './source.ts';
import { clipKey, projectorKey } from './vision-keys.ts';

/** What loading needs to know of a parameter. */
export type EncoderParameter = Pick<Parameter, 'name' | 'shape'>;

/** An encoder that is to be read. */
export interface EncoderPart extends Pick<Part, 'name'> {
  /** Blocks of the whole network, where fewer are read: a file with more is of another one. */
  readonly blocks?: number;
}

/** Where a parameter lies in a file. */
interface Key extends ForeignTensor {
  /** Hugging Face keeps the projection as a linear, CLIP as a matrix to multiply from the right. */
  readonly transposed?: true;
}

interface Read {
  readonly parameter: EncoderParameter;
  readonly key: Key;
}

/** Which tensor each parameter comes from. Made by `planEncoder` or `planProjector`, which has checked all of it. */
export interface EncoderPlan {
  readonly naming: Naming['name'];
  readonly reads: ReadonlyMap<string, Read>;
}

/** Our name without the part's -> the file's. */
type KeyOf = (site: string, parameter: EncoderParameter) => Key | null;

interface Naming {
  readonly name: 'graft' | 'clip' | 'huggingface' | 'official';
  readonly keyOf: KeyOf;
}

/** The first of these prefixes under which the file has this tensor; null: it is of other names. */
const prefixIn = (source: WeightSource, prefixes: readonly string[], tensor: string): string | null =>
  prefixes.find((prefix) => source.tensors.has(prefix + tensor)) ?? null;

/** How a file calls an encoder's tensors; null when it holds none that we know. */
function recognise(source: WeightSource, part: string): Naming | null {
  const own = prefixIn(source, [`${part}.`, ''], 'blocks.0.norm1.weight');
  if (own !== null) return { name: 'graft', keyOf: (site) => ({ name: own + site }) };
  const inClip = 'transformer.resblocks.0.ln_1.weight';
  // A whole CLIP has its text transformer under the bare name; the visual one comes first in this list.
  const clip = prefixIn(source, ['visual.', 'clip.visual.', 'model.visual.', ''], inClip);
  if (clip !== null) return { name: 'clip', keyOf: (site, p) => clipKey(site, p, clip) };
  const hf = prefixIn(
    source,
    ['vision_model.', 'clip.vision_model.', ''],
    'encoder.layers.0.layer_norm1.weight',
  );
  if (hf === null) return null;
  return { name: 'huggingface', keyOf: (site) => huggingfaceKey(site, hf) };
}

/** transformers `modeling_clip.py`, CLIPVisionModelWithProjection; `pre_layrnorm` is spelt so. */
function huggingfaceKey(site: string, prefix: string): Key {
  if (site === 'proj')
    return { name: `${prefix.replace('vision_model.', '')}visual_projection.weight`, transposed: true };
  const outer: Readonly<Record<string, string>> = {
    'conv1.weight': 'embeddings.patch_embedding.weight',
    class_embedding: 'embeddings.class_embedding',
    positional_embedding: 'embeddings.position_embedding.weight',
  };
  const names: Readonly<Record<string, string>> = {
    ln_pre: 'pre_layrnorm',
    ln_post: 'post_layernorm',
    norm1: 'layer_norm1',
    norm2: 'layer_norm2',
    'attn.q': 'self_attn.q_proj',
    'attn.k': 'self_attn.k_proj',
    'attn.v': 'self_attn.v_proj',
    'attn.o': 'self_attn.out_proj',
  };
  const inBlock = /^blocks\.(\d+)\.(.+)$/.exec(site);
  const block = inBlock ? `encoder.layers.${inBlock[1]}.` : '';
  const [, inner = '', what = ''] = /^(.+)\.(weight|bias)$/.exec(inBlock?.[2] ?? site) ?? [];
  return { name: prefix + (outer[site] ?? `${block}${names[inner] ?? inner}.${what}`) };
}

/**
 * Matches an encoder's parameters with the tensors of a file; reads no values.
 * @throws InputError listing every tensor that is missing or has another shape
 */
export function planEncoder(
  source: WeightSource,
  part: EncoderPart,
  parameters: readonly EncoderParameter[],
): EncoderPlan {
  const naming = recognise(source, part.name);
  if (naming === null)
    throw new InputError(
      `${source.name} holds no image encoder that we know`,
      `its names are neither ours, CLIP's nor Hugging Face's (${[...source.tensors.keys()].slice(0, 3).join(', ')}, ...): convert it to one of them`,
    );
  const { blocks = blocksOf(parameters) } = part;
  return plan(source, part.name, naming, parameters, blocks, {
    what: 'encoder',
    help: "compare the encoder's sizes with the model's config: resolution, patch, width, layers, hidden and output",
    inside: (width) => `hidden: ${width}`,
  });
}

/** The same for a projector: of a run of ours that trained one of this name, alone in a file, or of an official adapter. */
export function planProjector(
  source: WeightSource,
  part: Part,
  parameters: readonly EncoderParameter[],
): EncoderPlan {
  const [first] = parameters;
  const site = first?.name.slice(part.name.length + 1) ?? '';
  const own = prefixIn(source, [`${part.name}.`, ''], site);
  const keyOf: KeyOf = (name, p) => (own === null ? projectorKey(name, p, part) : { name: own + name });
  const key = first && keyOf(site, first);
  if (!key || !source.tensors.has(key.name))
    throw new InputError(
      `${source.name} does not hold the projector \`${part.name}\``,
      `it should have \`${part.name}.${site}\`${own === null && key ? `, or the official adapters' \`${key.name}\`` : ''}; it has ${[...source.tensors.keys()].slice(0, 3).join(', ')}, ...`,
    );
  const naming: Naming = { name: own === null ? 'official' : 'graft', keyOf };
  return plan(source, part.name, naming, parameters, blocksOf(parameters), {
    what: 'projector',
    help: "compare the projector's kind, length, hidden, block_hidden, depth, norm and output with the one that was trained",
    inside: (width) => `block_hidden = ${width}`,
  });
}

/** Blocks that parameters belong to. */
const blocksOf = (parameters: readonly EncoderParameter[]): number =>
  parameters.filter(({ name }) => name.endsWith('.norm1.weight')).length;

/** How a message speaks of what is read; `inside` writes the width inside its blocks as the spec does. */
interface Said {
  readonly what: string;
  readonly help: string;
  readonly inside: (width: number) => string;
}

function plan(
  source: WeightSource,
  part: string,
  naming: Naming,
  parameters: readonly EncoderParameter[],
  blocks: number,
  said: Said,
): EncoderPlan {
  const reads = new Map<string, Read>();
  const problems: string[] = [];
  let inside: number | undefined;
  for (const parameter of parameters) {
    const key = naming.keyOf(parameter.name.slice(part.length + 1), parameter);
    if (key === null) {
      problems.push(`the ${naming.name} names have none for \`${parameter.name}\``);
      continue;
    }
    const found = source.tensors.get(key.name)?.shape;
    const wanted = shapeIn(key, parameter.shape, found);
    if (found === undefined) problems.push(`missing: \`${key.name}\` ${showShape(wanted)}`);
    else if (sizes(found) !== sizes(wanted)) {
      if (parameter.name.endsWith('.mlp.fc1.weight') && found[1] === wanted[1]) inside ??= found[0];
      problems.push(`\`${key.name}\` is ${showShape(found)}, \`${part}\` needs ${showShape(wanted)}`);
    }
    reads.set(parameter.name, { parameter, key });
  }
  problems.push(...deeper(source, naming, part, blocks));
  if (problems.length === 0) return { naming: naming.name, reads };
  const shown = problems.slice(0, 8).map((problem) => `\n  ${problem}`);
  if (problems.length > 8) shown.push(`\n  and ${problems.length - 8} more`);
  throw new InputError(
    `${source.name} does not hold the ${said.what} \`${part}\`:${shown.join('')}`,
    inside === undefined
      ? said.help
      : `its blocks are ${inside} wide inside: write \`${said.inside(inside)}\` in the spec`,
  );
}

/** The shape a tensor of the file must have: a fused one holds q, k and v. */
function shapeIn(
  { rows, transposed }: Key,
  shape: readonly number[],
  found: readonly number[] | undefined,
): readonly number[] {
  if (rows) return [3 * (shape[0] ?? 0), ...shape.slice(1)];
  if (transposed) return [...shape].reverse();
  // A convolution may be saved as the matrix it is.
  return found?.length === 2 && shape.length === 4 ? [shape[0] ?? 0, elements(shape.slice(1))] : shape;
}

/** Sizes of one may be left out: CLIP's class embedding is [width], others save [1, 1, width]. */
const sizes = (shape: readonly number[]): string => shape.filter((size) => size !== 1).join();

/** A file with more blocks is another network, although all that was asked for is there. */
function deeper(source: WeightSource, naming: Naming, part: string, blocks: number): string[] {
  const next = `blocks.${blocks}.norm1.weight`;
  const key = naming.keyOf(next, { name: `${part}.${next}`, shape: [] });
  return key && source.tensors.has(key.name) ? [`it has more than the ${blocks} layers of \`${part}\``] : [];
}

/** Reads one parameter, row-major, in the shape of the parameter. @throws InputError for values that are not finite */
export async function readEncoderParameter(
  source: WeightSource,
  { parameter, key }: Read,
): Promise<Float32Array> {
  const values = await source.read(key.name, { checkFinite: true });
  const [rows = 1, ...rest] = parameter.shape;
  const width = elements(rest);
  if (key.rows) return values.slice(key.rows[0] * width, key.rows[1] * width);
  if (!key.transposed) return values;
  return Float32Array.from(values, (_, i) => values[(i % width) * rows + Math.floor(i / width)] ?? 0);
}
