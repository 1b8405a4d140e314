/** Features from files: what is read, and what is said of files that do not fit. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFeatureStore, type FeatureRules } from '../../runtime/data/features.ts';
import { InputError } from '../../runtime/input-error.ts';
import { f32ToF16 } from '../../compiler/storage/half.ts';
import { layoutSafetensors, type NewTensor } from '../../runtime/weights/safetensors.ts';
import { npy } from './make.ts';

const t = suite('features');

const safetensors = (...tensors: NewTensor[]): Uint8Array =>
  Buffer.concat([...layoutSafetensors(tensors, {}).chunks()]);
const values = (count: number, from = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (i + from) / 4);
const tensor = (shape: readonly number[], name = 'x'): NewTensor => ({
  name,
  shape,
  values: values(shape.reduce((a, b) => a * b, 1)),
});

async function read(
  files: Readonly<Record<string, Uint8Array>>,
  rules: FeatureRules = { part: 'bind', rows: 2, width: 5 },
): Promise<(number[] | Error)[]> {
  const store = createFeatureStore(rules, (path) =>
    files[path]
      ? Promise.resolve(files[path])
      : Promise.reject(new InputError(`cannot read ${path}`, 'look')),
  );
  const added = await store.addAll(Object.keys(files));
  return added.map((number) => {
    if (typeof number !== 'number') return number;
    const place = new Float32Array(store.size);
    store.write(number, place);
    return [...place];
  });
}

/** Rows of five, padded to eight. */
const padded = (list: Float32Array): number[] =>
  [0, 5].flatMap((at) => [...list.subarray(at, at + 5), 0, 0, 0]);

t('safetensors and .npy, in single and half precision, laid out for the device', async () => {
  const f16 = f32ToF16(values(10));
  const files = {
    'a.safetensors': safetensors(tensor([2, 5])),
    'b.safetensors': safetensors({ ...tensor([2, 5]), dtype: 'F16' }),
    'c.safetensors': safetensors(tensor([3], 'other'), tensor([1, 2, 5], 'features')),
    'd.npy': npy('<f4', [2, 5], values(10)),
    'e.npy': npy('<f2', [2, 5], f16),
    'f.npy': npy('<f8', [1, 2, 5], Float64Array.from(values(10))),
  };
  for (const row of await read(files)) assert.equal(row, padded(values(10)));
});

t('one token may be a vector', async () => {
  const rules = { part: 'bind', rows: 1, width: 4 };
  const files = { 'a.npy': npy('<f4', [4], values(4)), 'b.npy': npy('<f4', [1, 4], values(4)) };
  for (const row of await read(files, rules)) assert.equal(row, [...values(4)]);
});

t('a file is read once', async () => {
  let reads = 0;
  const store = createFeatureStore({ part: 'bind', rows: 1, width: 4 }, () => {
    reads++;
    return Promise.resolve(npy('<f4', [4], values(4)));
  });
  assert.equal(await store.addAll(['a.npy', 'b.npy', 'a.npy']), [0, 1, 0]);
  assert.equal(await store.addAll(['b.npy']), [1]);
  assert.equal([reads, store.count], [2, 2]);
});

t('a name tells the content, not the path', async () => {
  const store = createFeatureStore({ part: 'bind', rows: 1, width: 4 }, (path) =>
    Promise.resolve(npy('<f4', [4], values(4, path === 'c.npy' ? 1 : 0))),
  );
  await store.addAll(['a.npy', 'b.npy', 'c.npy']);
  assert.is(store.nameOf(0), store.nameOf(1));
  assert.is.not(store.nameOf(0), store.nameOf(2));
});

t('what does not fit is said, with the file and what to do', async () => {
  const good = npy('<f4', [2, 5], values(10));
  const refusals: readonly (readonly [string, Uint8Array, ...RegExp[]])[] = [
    [
      'a.npy',
      npy('<f4', [5, 2], values(10)),
      /a\.npy holds \[5, 2\], `bind` takes \[2, 5\]/,
      /`width` and `tokens`/,
    ],
    ['b.safetensors', safetensors(tensor([10])), /b\.safetensors holds \[10\], `bind` takes \[2, 5\]/],
    ['c.safetensors', safetensors(tensor([2, 5]), tensor([2, 5], 'y')), /no tensor `features`/],
    ['d.npy', npy('<f4', [2, 5], values(10).fill(NaN, 3, 4)), /d\.npy.*not finite.*element 3/],
    ['e.npy', npy('<i8', [2, 5], new BigInt64Array(10)), /numbers of type <i8/, /astype\("float32"\)/],
    ['f.npy', npy('<f4', [2, 5], values(10), true), /columns come first/],
    ['g.npy', good.subarray(0, good.length - 3), /\[2, 5\] takes 40 bytes, the file has 37/],
    ['h.npy', good.subarray(0, 9), /no \.npy file/],
    ['i.npy', good.subarray(0, 40), /header is damaged/],
    ['j.png', good, /j\.png is no file of features/, /\.safetensors or \.npy/],
    ['k.safetensors', good, /not a safetensors file/],
  ];
  for (const [path, bytes, ...says] of refusals) {
    const [error] = await read({ [path]: bytes });
    assert.instance(error, InputError, path);
    for (const words of says) assert.match((error as Error).message, words, path);
  }
});

t.run();
