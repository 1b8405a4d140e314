/**
 * Number formats of GGUF tensors. Block formats store 32 or 256 neighbouring numbers of a row together with their scale.
 *
 * Source: ggml's `ggml.h` (numbers of the types) and `ggml-quants.c` (blocks).
 */

/** A format Graft reads: so many bytes for each block of so many numbers. */
export interface TensorType {
  readonly name: GgufDtype;
  readonly numbers: number;
  readonly bytes: number;
}

export type GgufDtype = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_K' | 'Q6_K';

/** By the number a file writes for them. */
const readable: ReadonlyMap<number, TensorType> = new Map([
  [0, { name: 'F32', numbers: 1, bytes: 4 }],
  [1, { name: 'F16', numbers: 1, bytes: 2 }],
  [30, { name: 'BF16', numbers: 1, bytes: 2 }],
  [8, { name: 'Q8_0', numbers: 32, bytes: 34 }],
  [2, { name: 'Q4_0', numbers: 32, bytes: 18 }],
  [12, { name: 'Q4_K', numbers: 256, bytes: 144 }],
  [14, { name: 'Q6_K', numbers: 256, bytes: 210 }],
]);

/** Names of formats that Graft does not read, for messages. */
const others: Readonly<Record<number, string>> = {
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  13: 'Q5_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The format of that number, or null when Graft does not read it. */
export const tensorType = (id: number): TensorType | null => readable.get(id) ?? null;

/** What messages call a format, readable or not. */
export const typeName = (id: number): string => readable.get(id)?.name ?? others[id] ?? `number ${id}`;

export const readableTypes: readonly string[] = [...readable.values()].map(({ name }) => name);
