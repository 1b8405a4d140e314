/** NumPy's `.npy`: a magic, a version, a header that is a Python dictionary, the numbers. Format: numpy/lib/format.py. */
import { InputError } from '../input-error.ts';
import { dtypeBytes, toFloat32 } from './dtypes.ts';
import { elements, showShape, type Dtype } from './source.ts';

/** Little-endian floats; what NumPy calls the others is in the message. */
const dtypes: Readonly<Record<string, Dtype>> = { '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' };

/**
 * Reads an array.
 * @returns its shape, and its values in row-major order
 * @throws InputError naming the file when it is no whole array of floats in row-major order
 */
export function readNpy(
  bytes: Uint8Array,
  name: string,
): { readonly shape: readonly number[]; readonly values: Float32Array } {
  const bad = (what: string, help: string): InputError => new InputError(`${name}: ${what}`, help);
  const again = 'write it again with `numpy.save`';
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 6)) !== '\u0093NUMPY')
    throw bad('no .npy file', again);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wide = (bytes[6] ?? 1) > 1;
  const start = (wide ? 12 : 10) + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder().decode(bytes.subarray(wide ? 12 : 10, start));
  const [, descr = ''] = /'descr':\s*'([^']*)'/.exec(header) ?? [];
  const [, fortran] = /'fortran_order':\s*(True|False)/.exec(header) ?? [];
  const [, sizes] = /'shape':\s*\(([\d,\s]*)\)/.exec(header) ?? [];
  if (fortran === undefined || sizes === undefined) throw bad('its header is damaged', again);
  const dtype = Object.hasOwn(dtypes, descr) ? dtypes[descr] : undefined;
  if (!dtype)
    throw bad(`numbers of type ${descr || 'unknown'}`, 'save `array.astype("float32")`, float16 or float64');
  const shape = (sizes.match(/\d+/g) ?? []).map(Number);
  if (fortran === 'True') throw bad('its columns come first', 'save `numpy.ascontiguousarray(array)`');
  const size = elements(shape) * dtypeBytes[dtype];
  if (bytes.length - start !== size)
    throw bad(`${showShape(shape)} takes ${size} bytes, the file has ${bytes.length - start}`, again);
  return { shape, values: toFloat32(bytes.subarray(start), dtype) };
}
