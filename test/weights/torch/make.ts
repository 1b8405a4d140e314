/** Writes small files as `torch.save` does, from the format's description and not from the reader. */
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';

const utf8 = new TextEncoder();
const u32 = (x: number): number[] => [x & 255, (x >> 8) & 255, (x >> 16) & 255, (x >> 24) & 255];

/** Opcodes that push one value; lists of numbers become tuples. */
export type Made =
  string | number | boolean | null | MadeTensor | readonly number[] | { readonly [key: string]: Made };

export interface MadeTensor {
  readonly tensor: {
    readonly type: string;
    readonly key: string;
    readonly offset: number;
    readonly shape: readonly number[];
    readonly stride: readonly number[];
  };
}

export const tensor = (
  key: string,
  shape: readonly number[],
  {
    type = 'FloatStorage',
    offset = 0,
    stride = contiguous(shape),
  }: { type?: string; offset?: number; stride?: readonly number[] } = {},
): MadeTensor => ({ tensor: { type, key, offset, shape, stride } });

const contiguous = (shape: readonly number[]): number[] =>
  shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));

export const text = (x: string): number[] => [0x58, ...u32(utf8.encode(x).length), ...utf8.encode(x)];
export const global = (module: string, name: string): number[] => [
  0x63,
  ...utf8.encode(`${module}\n${name}\n`),
];
const tuple = (items: readonly number[][]): number[] => [0x28, ...items.flat(), 0x74];
const whole = (x: number): number[] => [0x4a, ...u32(x)];

function value(x: Made): number[] {
  if (x === null) return [0x4e];
  if (typeof x === 'boolean') return [x ? 0x88 : 0x89];
  if (typeof x === 'number') return whole(x);
  if (typeof x === 'string') return text(x);
  if (Array.isArray(x)) return tuple((x as readonly number[]).map(whole));
  if ('tensor' in x && typeof x.tensor === 'object') return rebuilt(x as MadeTensor);
  const entries = Object.entries(x as Readonly<Record<string, Made>>);
  return [0x7d, 0x28, ...entries.flatMap(([key, of]) => [...text(key), ...value(of)]), 0x75];
}

function rebuilt({ tensor: { type, key, offset, shape, stride } }: MadeTensor): number[] {
  const storage = [
    ...tuple([text('storage'), global('torch', type), text(key), text('cpu'), whole(0)]),
    0x51,
  ];
  const hooks = [...global('collections', 'OrderedDict'), 0x29, 0x52];
  return [
    ...global('torch._utils', '_rebuild_tensor_v2'),
    ...tuple([storage, whole(offset), value(shape), value(stride), [0x89], hooks]),
    0x52,
  ];
}

/** A pickle of these opcodes. */
export const pickled = (opcodes: readonly number[]): Uint8Array =>
  Uint8Array.from([0x80, 2, ...opcodes, 0x2e]);

export const pickleOf = (x: Made): Uint8Array => pickled(value(x));

/** A file with this pickle and these storages. */
export async function archive(
  pickle: Uint8Array,
  storages: Readonly<Record<string, ArrayBufferView>>,
  extra: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { level: 0, useWebWorkers: false });
  const add = (name: string, bytes: Uint8Array) => zip.add(`archive/${name}`, new Uint8ArrayReader(bytes));
  await add('data.pkl', pickle);
  for (const [name, words] of Object.entries({ byteorder: 'little', ...extra }))
    await add(name, utf8.encode(words));
  for (const [key, { buffer, byteOffset, byteLength }] of Object.entries(storages))
    await add(`data/${key}`, new Uint8Array(buffer, byteOffset, byteLength));
  return await zip.close();
}
