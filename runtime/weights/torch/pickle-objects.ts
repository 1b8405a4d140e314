/** The few things that a pickle of `torch.save` may name, and what each describes. */
import type { InputError } from '../../input-error.ts';
import type { Dtype } from '../source.ts';
import {
  isNamed,
  isStorage,
  type Pickled,
  type StorageReference,
  type TensorReference,
} from './pickle-values.ts';

const dtypes: Readonly<Record<string, Dtype>> = {
  'torch FloatStorage': 'F32',
  'torch HalfStorage': 'F16',
  'torch BFloat16Storage': 'BF16',
  'torch DoubleStorage': 'F64',
  'torch LongStorage': 'I64',
  'torch IntStorage': 'I32',
  'torch ByteStorage': 'U8',
  'torch BoolStorage': 'U8',
};

/** Names that describe data. `argparse.Namespace` holds the arguments of a training run in the official checkpoints. */
export const known = new Set([
  ...Object.keys(dtypes),
  'torch._utils _rebuild_tensor_v2',
  'torch._utils _rebuild_parameter',
  'torch Size',
  'collections OrderedDict',
  'argparse Namespace',
]);

/** An error that says what is wrong with the pickle. */
type Damaged = (what: string) => InputError;

/** `('storage', type, key, device, count)`. */
export function storageOf(id: Pickled, damaged: Damaged): StorageReference {
  const [tag, type, key] = Array.isArray(id) ? (id as readonly Pickled[]) : [];
  const dtype = type !== undefined && isNamed(type) ? dtypes[type.name] : undefined;
  if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || !/^[\w.-]+$/.test(key))
    throw damaged('a storage that is not described as PyTorch describes it');
  return { kind: 'storage', dtype, key };
}

/** What a known name makes of its arguments. */
export function made(name: Pickled, args: Pickled, damaged: Damaged): Pickled {
  if (!isNamed(name) || !Array.isArray(args)) throw damaged('something is made of what is no name');
  const list = args as readonly Pickled[];
  switch (name.name) {
    case 'collections OrderedDict':
    case 'argparse Namespace': {
      const entries = new Map<Pickled, Pickled>();
      const pairs = Array.isArray(list[0]) ? (list[0] as readonly Pickled[]) : [];
      for (const pair of pairs) if (Array.isArray(pair)) entries.set(pair[0] ?? null, pair[1] ?? null);
      return { kind: 'dict', entries };
    }
    case 'torch Size':
      return list[0] ?? [];
    case 'torch._utils _rebuild_parameter':
      return list[0] ?? null;
    case 'torch._utils _rebuild_tensor_v2':
      return tensorOf(list, damaged);
    default:
      throw damaged(`\`${name.name}\` makes nothing`);
  }
}

function tensorOf([storage, offset, shape, stride]: readonly Pickled[], damaged: Damaged): TensorReference {
  const sizes = (value: Pickled | undefined): value is readonly number[] =>
    Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
  if (
    storage === undefined ||
    !isStorage(storage) ||
    !Number.isSafeInteger(offset) ||
    (offset as number) < 0 ||
    !sizes(shape) ||
    !sizes(stride) ||
    shape.length !== stride.length
  )
    throw damaged('a tensor that is not described as PyTorch describes it');
  return { kind: 'tensor', storage, offset: offset as number, shape, stride };
}
