/**
 * Tensors in a file that `torch.save` wrote: a base of Meta's, a released adapter, a training checkpoint.
 *
 * Nothing of the file is run, see `pickle.ts`. Tensors are read when asked for.
 */
import { InputError } from '../../input-error.ts';
import { dtypeBytes, toFloat32 } from '../dtypes.ts';
import {
  elements,
  requireFinite,
  showShape,
  type ByteSource,
  type TensorInfo,
  type WeightSource,
} from '../source.ts';
import { openArchive, type TorchArchive } from './archive.ts';
import { isDict, isTensor, type Pickled, type PickledDict, type TensorReference } from './pickle-values.ts';
import { unpickle } from './pickle.ts';

/** Entries of a checkpoint that hold the parameters, where they do not lie at the top. */
const holders = ['model', 'state_dict', 'module'];

/**
 * Opens a file of `torch.save`. Parameters under `model`, `state_dict` or `module` go by their names without it;
 * plain values beside them become `metadata` (the released adapters' `config.w_bias` and the like).
 * @throws InputError when the file is damaged, is in PyTorch's older format, or names anything but tensors
 */
export async function openTorch(source: ByteSource): Promise<WeightSource> {
  await refuseOther(source);
  const archive = await openArchive(source);
  const root = unpickle(archive.pickle, source.name);
  if (!isDict(root))
    throw new InputError(
      `${source.name} holds ${isTensor(root) ? 'one tensor' : 'no dictionary of tensors'}`,
      'give a file that holds tensors by name, as `torch.save(model.state_dict(), ...)` writes it',
    );
  const references = tensorsOf(root);
  if (references.size === 0)
    throw new InputError(
      `${source.name} holds no tensors by name`,
      'give the file of a model or of an adapter',
    );
  const tensors = new Map<string, TensorInfo>();
  for (const [name, tensor] of references) {
    checkPlace(name, tensor, archive, source.name);
    tensors.set(name, { name, dtype: tensor.storage.dtype, shape: tensor.shape });
  }
  return {
    name: source.name,
    tensors,
    metadata: plainValues(root),
    async read(name, options = {}) {
      const tensor = references.get(name);
      if (!tensor) throw new InputError(`${source.name} has no tensor \`${name}\``, 'check the name');
      const values = await readTensor(archive, tensor);
      if (options.checkFinite) requireFinite(values, name, source.name);
      return values;
    },
    close: () => source.close(),
  };
}

/** Told by their first bytes: PyTorch's format before 1.6, and files that are no archives at all. */
async function refuseOther(source: ByteSource): Promise<void> {
  const first = await source.read(0, Math.min(source.size, 4));
  if (first[0] === 0x50 && first[1] === 0x4b) return;
  if (first[0] === 0x80)
    throw new InputError(
      `${source.name} is a bare pickle, as PyTorch wrote before version 1.6`,
      'save it again in Python: `torch.save(torch.load("in.pth", map_location="cpu"), "out.pth")`',
    );
  throw new InputError(`${source.name} is no file of \`torch.save\``, 'get the file again');
}

function tensorsOf(root: PickledDict): Map<string, TensorReference> {
  const direct = collect(root);
  if (direct.size > 0) return direct;
  for (const holder of holders) {
    const inner = root.entries.get(holder);
    if (inner !== undefined && inner !== null && isDict(inner)) return collect(inner);
  }
  return direct;
}

function collect({ entries }: PickledDict): Map<string, TensorReference> {
  const found = new Map<string, TensorReference>();
  for (const [key, value] of entries) if (typeof key === 'string' && isTensor(value)) found.set(key, value);
  return found;
}

/** Numbers, texts and truth values of the file, by their path. */
function plainValues({ entries }: PickledDict, path = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of entries) {
    if (typeof key !== 'string') continue;
    if (isPlain(value)) found[path + key] = String(value);
    else if (path === '' && isDict(value) && !holders.includes(key))
      Object.assign(found, plainValues(value, `${key}.`));
  }
  return found;
}

const isPlain = (value: Pickled): value is number | string | boolean =>
  ['number', 'string', 'boolean'].includes(typeof value);

/** The last number a tensor looks at, and whether it lies within its storage. */
function checkPlace(name: string, tensor: TensorReference, archive: TorchArchive, file: string): void {
  const bytes = archive.sizeOf(tensor.storage.key);
  const end = elements(tensor.shape) === 0 ? 0 : tensor.offset + span(tensor);
  // Strides of zero could make of a few bytes a tensor larger than any memory.
  if (end > 0 && elements(tensor.shape) > span(tensor))
    throw new InputError(
      `${file}: tensor \`${name}\` ${showShape(tensor.shape)} repeats the numbers of its storage, which no parameter does`,
      'save it again in Python with `.contiguous()`',
    );
  if (bytes !== null && end * dtypeBytes[tensor.storage.dtype] <= bytes) return;
  throw new InputError(
    `${file}: tensor \`${name}\` needs ${end} numbers of storage \`${tensor.storage.key}\`, which has ${bytes ?? 0} bytes`,
    'the file is damaged or not whole: get it again',
  );
}

/** Numbers from a tensor's first to its last, both counted. */
const span = ({ shape, stride }: TensorReference): number =>
  1 + shape.reduce((last, size, i) => last + (size - 1) * (stride[i] ?? 0), 0);

async function readTensor(archive: TorchArchive, tensor: TensorReference): Promise<Float32Array> {
  const { storage, offset, shape, stride } = tensor;
  const count = elements(shape);
  if (count === 0) return new Float32Array();
  const size = dtypeBytes[storage.dtype];
  const stored = toFloat32(
    await archive.storage(storage.key, offset * size, span(tensor) * size),
    storage.dtype,
  );
  if (isContiguous(shape, stride)) return stored;
  const values = new Float32Array(count);
  const index = shape.map(() => 0);
  for (let i = 0; i < count; i++) {
    values[i] = stored[index.reduce((at, x, axis) => at + x * (stride[axis] ?? 0), 0)]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
  return values;
}

/** Whether the numbers lie one after the other, the last axis innermost. */
function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size !== 1 && stride[axis] !== step) return false;
    step *= size;
  }
  return true;
}
