/** What a pickle of `torch.save` can hold, as plain data. */
import type { Dtype } from '../source.ts';

export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Pickled[]
  | PickledDict
  | TensorReference
  | StorageReference
  | Named;

/** A dictionary, or the attributes of an object that only holds values. */
export interface PickledDict {
  readonly kind: 'dict';
  readonly entries: Map<Pickled, Pickled>;
}

/** Numbers of the archive: `NAME/data/KEY`. */
export interface StorageReference {
  readonly kind: 'storage';
  readonly dtype: Dtype;
  readonly key: string;
}

/** A tensor as a view of a storage; offset and strides count numbers. */
export interface TensorReference {
  readonly kind: 'tensor';
  readonly storage: StorageReference;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A name the pickle mentions and this reader knows. */
export interface Named {
  readonly kind: 'name';
  readonly name: string;
}

const hasKind = (value: Pickled, kind: string): boolean =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
export const isDict = (value: Pickled): value is PickledDict => hasKind(value, 'dict');
export const isTensor = (value: Pickled): value is TensorReference => hasKind(value, 'tensor');
export const isStorage = (value: Pickled): value is StorageReference => hasKind(value, 'storage');
export const isNamed = (value: Pickled): value is Named => hasKind(value, 'name');
