/** The tensors of a PEFT folder, under their keys and taken one by one, so that what is left over can be refused by name. */
import { type Base, logical, rowOrderOf, type Site } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { reorderRope } from '../weights/rope.ts';
import { listSome, showShape, type WeightSource } from '../weights/source.ts';

/** What stands in front of the model's own names. */
const FRONT = 'base_model.model.';

/** Hugging Face's order of the rows of a head. */
const THEIR_ROPE = 'half';

export interface PeftTensors {
  readonly file: string;
  /** Keys that were not taken yet, without what stands in front of the model's names. */
  readonly left: () => readonly string[];
  readonly shapeOf: (key: string) => readonly number[];
  /** Takes a tensor. @throws InputError when there is none, or it has another shape, or numbers that are not finite */
  readonly take: (key: string, shape: readonly number[]) => Promise<Float32Array>;
}

/** Older releases put the adapter's name, `default`, into each key. */
const plainKey = (key: string): string =>
  (key.startsWith(FRONT) ? key.slice(FRONT.length) : key)
    .replace(/\.default(?=\.weight$|$)/, '')
    .replace(/\.(lora_magnitude_vector|ia3_l|lora_embedding_[AB])\.weight$/, '.$1');

export const fullKey = (key: string): string => FRONT + key;

/** @throws InputError when two tensors of the file are the same one under two keys */
export function openTensors(source: WeightSource): PeftTensors {
  const keys = new Map<string, string>();
  for (const key of source.tensors.keys()) {
    const twin = keys.get(plainKey(key));
    if (twin !== undefined)
      throw new InputError(
        `${source.name} holds \`${plainKey(key)}\` twice, as \`${twin}\` and as \`${key}\``,
        'take one of them out: which of them the adapter was trained with cannot be known',
      );
    keys.set(plainKey(key), key);
  }
  const taken = new Set<string>();
  const shapeOf = (key: string): readonly number[] => {
    const own = keys.get(key);
    const info = own === undefined ? undefined : source.tensors.get(own);
    if (info) return info.shape;
    throw new InputError(
      `${source.name} has no \`${key}\`, which its adapter_config.json asks for`,
      `the file is not whole, or of another adapter; it has ${listSome([...keys.keys()])}`,
    );
  };
  return {
    file: source.name,
    left: () => [...keys.keys()].filter((key) => !taken.has(key)),
    shapeOf,
    async take(key, shape) {
      const found = shapeOf(key);
      if (found.join() !== shape.join())
        throw new InputError(
          `${source.name}: \`${key}\` is ${showShape(found)}, the base needs ${showShape(shape)}`,
          'give the base that the adapter was trained on with --base',
        );
      taken.add(key);
      return source.read(keys.get(key) ?? key, { checkFinite: true });
    },
  };
}

/**
 * Rows of what leaves a place, [output, width], from Hugging Face's order to the base's; `back` the other way. Rows of
 * places that nothing rotates stay where they are.
 */
export function orderRows(values: Float32Array, base: Base, site: Site, back = false): Float32Array {
  if (rowOrderOf(site) === 'plain') return values;
  const width = values.length / logical(site.output);
  const { style } = base.rope;
  return back
    ? reorderRope(values, base.headDim, width, style, THEIR_ROPE, base.rope.size)
    : reorderRope(values, base.headDim, width, THEIR_ROPE, style, base.rope.size);
}

/**
 * A place's own weight from Hugging Face's files to the base, `back` the other way: its rows in order, and what Gemma's
 * norms add to theirs.
 */
export function ownWeight(values: Float32Array, base: Base, site: Site, back = false): Float32Array {
  const rows = orderRows(values, base, site, back);
  const { offset = 0 } = site;
  return offset === 0 ? rows : rows.map((value) => (back ? value - offset : value + offset));
}
