/** Writes small GGUF files for the tests, from the format's description and not from the reader. */

export interface MadeTensor {
  readonly name: string;
  /** Rows first. */
  readonly shape: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array;
}

export type MadeValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly f32s: readonly number[] }
  | { readonly i32s: readonly number[] };

const utf8 = new TextEncoder();

/** A growing list of little-endian values. */
class Writer {
  readonly #parts: Uint8Array[] = [];
  size = 0;
  push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.size += bytes.length;
  }
  #number(bytes: number, write: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(bytes));
    write(view);
    this.push(new Uint8Array(view.buffer));
  }
  u32 = (x: number): void => this.#number(4, (view) => view.setUint32(0, x, true));
  u64 = (x: number): void => this.#number(8, (view) => view.setBigUint64(0, BigInt(x), true));
  f32 = (x: number): void => this.#number(4, (view) => view.setFloat32(0, x, true));
  text(x: string): void {
    const bytes = utf8.encode(x);
    this.u64(bytes.length);
    this.push(bytes);
  }
  align(to: number): void {
    this.push(new Uint8Array((to - (this.size % to)) % to));
  }
  bytes(): Uint8Array {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function writeValue(w: Writer, value: MadeValue): void {
  const list = (type: number, count: number): void => {
    w.u32(9);
    w.u32(type);
    w.u64(count);
  };
  if ('u32' in value) {
    w.u32(4);
    w.u32(value.u32);
  } else if ('f32' in value) {
    w.u32(6);
    w.f32(value.f32);
  } else if ('flag' in value) {
    w.u32(7);
    w.push(Uint8Array.of(value.flag ? 1 : 0));
  } else if ('text' in value) {
    w.u32(8);
    w.text(value.text);
  } else if ('texts' in value) {
    list(8, value.texts.length);
    value.texts.forEach((text) => w.text(text));
  } else if ('f32s' in value) {
    list(6, value.f32s.length);
    value.f32s.forEach((x) => w.f32(x));
  } else {
    list(5, value.i32s.length);
    value.i32s.forEach((x) => w.u32(x >>> 0));
  }
}

/** The bytes of a GGUF file. */
export function makeGguf(
  metadata: Readonly<Record<string, MadeValue>>,
  tensors: readonly MadeTensor[] = [],
  version = 3,
): Uint8Array {
  const w = new Writer();
  w.push(utf8.encode('GGUF'));
  w.u32(version);
  w.u64(tensors.length);
  w.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    w.text(key);
    writeValue(w, value);
  }
  let offset = 0;
  for (const { name, shape, type, bytes } of tensors) {
    w.text(name);
    w.u32(shape.length);
    shape.toReversed().forEach((size) => w.u64(size));
    w.u32(type);
    w.u64(offset);
    offset += Math.ceil(bytes.length / 32) * 32;
  }
  for (const { bytes } of tensors) {
    w.align(32);
    w.push(bytes);
  }
  return w.bytes();
}

/** Metadata of a small LLaMA: two layers of 8 numbers, two heads of 4, one key head. */
export const llamaMetadata: Readonly<Record<string, MadeValue>> = {
  'general.architecture': { text: 'llama' },
  'llama.block_count': { u32: 2 },
  'llama.context_length': { u32: 64 },
  'llama.embedding_length': { u32: 8 },
  'llama.feed_forward_length': { u32: 12 },
  'llama.attention.head_count': { u32: 2 },
  'llama.attention.head_count_kv': { u32: 1 },
  'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
  'llama.rope.freq_base': { f32: 10000 },
};

/** A float32 tensor of these values. */
export const floats = (name: string, shape: readonly number[], values: readonly number[]): MadeTensor => ({
  name,
  shape,
  type: 0,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});
