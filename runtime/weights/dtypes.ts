/**
 * Number formats of weight files and their conversion from and to float32. All are little-endian, as WebGPU is.
 */
import { bf16ToF32, f32ToBf16 } from '../../compiler/storage/brain.ts';
import { f16ToF32, f32ToF16 } from '../../compiler/storage/half.ts';
import type { Dtype } from './source.ts';

export const dtypeBytes: Readonly<Record<Dtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U32: 4,
  U8: 1,
};

export const isDtype = (name: unknown): name is Dtype =>
  typeof name === 'string' && Object.hasOwn(dtypeBytes, name);

/** Whether numbers of this type may have fractions, as weights do. */
export const isFloat = (dtype: Dtype): boolean => /F\d+$/.test(dtype);

/** The bytes at an address a typed array can start at; copies only when it must. */
function aligned(bytes: Uint8Array, to: number): Uint8Array {
  return bytes.byteOffset % to === 0 ? bytes : bytes.slice();
}

/**
 * Converts a tensor's bytes to float32. F64 and integers are rounded to the nearest float32; F16 and BF16 are exact.
 * The result may share memory with `bytes` when they are F32 already.
 */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const data = aligned(bytes, dtypeBytes[dtype]);
  const { buffer, byteOffset } = data;
  const count = data.length / dtypeBytes[dtype];
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, count);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case 'F16':
      return f16ToF32(new Uint16Array(buffer, byteOffset, count));
    case 'BF16':
      return bf16ToF32(new Uint16Array(buffer, byteOffset, count));
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case 'I32':
      return Float32Array.from(new Int32Array(buffer, byteOffset, count));
    case 'U32':
      return Float32Array.from(new Uint32Array(buffer, byteOffset, count));
    case 'U8':
      return Float32Array.from(data);
  }
}

export type Values = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array;

/** The dtype a typed array is written as when none is asked for. */
export function dtypeOf(values: Values): Dtype {
  if (values instanceof Float32Array) return 'F32';
  if (values instanceof Float64Array) return 'F64';
  if (values instanceof Int32Array) return 'I32';
  if (values instanceof Uint32Array) return 'U32';
  if (values instanceof Uint8Array) return 'U8';
  return 'I64';
}

/** The bytes of `values` as `dtype`. Only float32 values change their dtype: to F16 or BF16, rounded to nearest even. */
export function toBytes(values: Values, dtype: Dtype): Uint8Array {
  if (values instanceof Float32Array && dtype === 'F16') return bytesOf(f32ToF16(values));
  if (values instanceof Float32Array && dtype === 'BF16') return bytesOf(f32ToBf16(values));
  if (dtypeOf(values) !== dtype)
    throw new Error(`internal error: ${dtypeOf(values)} values written as ${dtype}`);
  return bytesOf(values);
}

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
