/** Images as features that were computed elsewhere: one safetensors or .npy file an image, all kept in memory. */
import type { ImageInput } from '../../compiler/package/package.ts';
import { padFeatures } from '../images/features.ts';
import { sha256 } from '../hash.ts';
import { InputError } from '../input-error.ts';
import { readNpy } from '../weights/npy.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { bytesSource, requireFinite, showShape } from '../weights/source.ts';
import type { ImageStore } from './image-store.ts';

/** The name of the tensor among several in a safetensors file. */
const TENSOR = 'features';

/** The shape that an encoder takes: `rows` tokens of `width` numbers an image. */
export type FeatureRules = Pick<ImageInput, 'part' | 'rows' | 'width'>;

/**
 * A store of feature files. A wrong file gives an InputError and is not left out like a damaged picture: a program
 * makes the features, so an error in one file is likely an error in many.
 */
export function createFeatureStore(
  rules: FeatureRules,
  readBytes: (path: string) => Promise<Uint8Array>,
): ImageStore {
  const kept: Float32Array[] = [];
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const add = async (path: string): Promise<number | Error> => {
    const known = numbers.get(path);
    if (known !== undefined) return known;
    try {
      const bytes = await readBytes(path);
      const values = await readFeatures(path, bytes, rules);
      names.push(await sha256([bytes]));
      numbers.set(path, kept.length);
      return kept.push(padFeatures(values, rules.width)) - 1;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  return {
    size: padFeatures(new Float32Array(rules.rows * rules.width), rules.width).length,
    get count() {
      return kept.length;
    },
    async addAll(paths) {
      const added: (number | Error)[] = [];
      for (const path of paths) added.push(await add(path));
      return added;
    },
    nameOf: (number) => names[number] ?? '',
    write: (number, out) => out.set(kept[number] ?? []),
  };
}

/** Numbers of one image, [rows, width]; the file's shape may have or omit sizes of one. */
async function readFeatures(path: string, bytes: Uint8Array, rules: FeatureRules): Promise<Float32Array> {
  const { shape, values } = await readArray(path, bytes, rules);
  const sizes = (list: readonly number[]): string => list.filter((size) => size !== 1).join();
  if (sizes(shape) !== sizes([rules.rows, rules.width]))
    throw new InputError(
      `${path} holds ${showShape(shape)}, \`${rules.part}\` takes ${showShape([rules.rows, rules.width])}`,
      'give features of this shape, or write their `width` and `tokens` into `features(...)`',
    );
  requireFinite(values, TENSOR, path);
  return values;
}

async function readArray(
  path: string,
  bytes: Uint8Array,
  { part }: FeatureRules,
): Promise<{ readonly shape: readonly number[]; readonly values: Float32Array }> {
  if (path.endsWith('.npy')) return readNpy(bytes, path);
  if (!path.endsWith('.safetensors'))
    throw new InputError(
      `${path} is no file of features, which is what \`${part}\` takes`,
      'give a .safetensors or .npy file for each image, or use an encoder of pictures: `clip(...)` or `vit(...)`',
    );
  const file = await openSafetensors(bytesSource(path, bytes));
  const [only, ...others] = file.tensors.keys();
  const name = file.tensors.has(TENSOR) || others.length > 0 ? TENSOR : (only ?? TENSOR);
  return { shape: file.tensors.get(name)?.shape ?? [], values: await file.read(name) };
}
