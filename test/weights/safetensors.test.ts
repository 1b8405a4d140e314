import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { layoutSafetensors, openSafetensors, type NewTensor } from '../../runtime/weights/safetensors.ts';
import { bytesSource } from '../../runtime/weights/source.ts';

const t = suite('safetensors');

function bytesOf(tensors: Iterable<NewTensor>, metadata: Record<string, string> = {}): Uint8Array {
  const { size, chunks } = layoutSafetensors(tensors, metadata);
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks()) {
    out.set(chunk, at);
    at += chunk.length;
  }
  assert.is(at, size);
  return out;
}

const open = (bytes: Uint8Array): ReturnType<typeof openSafetensors> =>
  openSafetensors(bytesSource('w.safetensors', bytes));

/** A file with this header text and this many bytes of data. */
function raw(header: string, data = 0): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

async function refused(bytes: Uint8Array, pattern: RegExp): Promise<void> {
  try {
    await open(bytes);
  } catch (error) {
    assert.match((error as Error).message, pattern);
    assert.match((error as Error).message, /^w\.safetensors/);
    assert.match((error as Error).message, /\n {2}help: /);
    return;
  }
  assert.unreachable(`${pattern} was not thrown`);
}

t('writes and reads every dtype', async () => {
  const tensors: NewTensor[] = [
    { name: 'f32', shape: [2, 3], values: Float32Array.of(1, -2, 0.5, 1e30, 0, -0) },
    { name: 'f64', shape: [2], values: Float64Array.of(1.5, -2.25) },
    { name: 'i64', shape: [2], values: BigInt64Array.of(-3n, 7n) },
    { name: 'i32', shape: [1], values: Int32Array.of(-5) },
    { name: 'u32', shape: [1], values: Uint32Array.of(4294967295) },
    { name: 'u8', shape: [3], values: Uint8Array.of(1, 2, 255) },
    { name: 'scalar', shape: [], values: Float32Array.of(9) },
    { name: 'empty', shape: [0, 4], values: new Float32Array(0) },
  ];
  const file = await open(bytesOf(tensors, { who: 'me' }));
  assert.equal(file.metadata, { who: 'me' });
  assert.is(file.tensors.size, tensors.length);
  for (const { name, shape, values } of tensors) {
    assert.equal(file.tensors.get(name)?.shape, shape);
    assert.equal(await file.read(name), Float32Array.from(values as Float32Array, Number), name);
  }
});

t('data starts at a multiple of eight and the same tensors make the same bytes', async () => {
  const tensors: NewTensor[] = ['b', 'a', 'c'].map((name, i) => ({
    name,
    shape: [1],
    values: Float32Array.of(i),
  }));
  const bytes = bytesOf(tensors);
  assert.is(new DataView(bytes.buffer).getUint32(0, true) % 8, 0);
  assert.equal(bytes, bytesOf([...tensors].reverse()));
});

t('half precision: every half survives, and float32 rounds to the nearest even', async () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const header = { h: { dtype: 'F16', shape: [65536], data_offsets: [0, 131072] } };
  const json = JSON.stringify(header);
  const bytes = raw(json, 131072);
  bytes.set(new Uint8Array(halves.buffer), 8 + json.length);
  const values = await (await open(bytes)).read('h');
  assert.equal(
    [values[0x3c00], values[0xc000], values[1], values[0x7bff], values[0x7c00]],
    [1, -2, 2 ** -24, 65504, Infinity],
  );
  const again = bytesOf([{ name: 'h', shape: [65536], values, dtype: 'F16' }]);
  const back = new Uint16Array(again.slice(again.length - 131072).buffer);
  for (let i = 0; i < 65536; i++) if (!Number.isNaN(values[i])) assert.is(back[i], i);
  const rounded = await (
    await open(
      bytesOf([
        {
          name: 'h',
          shape: [8],
          values: Float32Array.of(
            1 + 2 ** -11,
            1 + 3 * 2 ** -11,
            65519.99,
            65520,
            2 ** -25,
            2 ** -25 * 1.01,
            1e-10,
            NaN,
          ),
          dtype: 'F16',
        },
      ]),
    )
  ).read('h');
  assert.equal([...rounded], [1, 1 + 2 ** -9, 65504, Infinity, 0, 2 ** -24, 0, NaN]);
});

t('bfloat16 keeps the upper half, rounded', async () => {
  const values = Float32Array.of(1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -3.4e38, Infinity, NaN);
  const back = await (await open(bytesOf([{ name: 'b', shape: [6], values, dtype: 'BF16' }]))).read('b');
  assert.equal([...back], [1, 1, 1 + 2 ** -6, Math.fround(-Infinity), Infinity, NaN]);
});

t('NaN and infinity are told when asked for', async () => {
  const file = await open(bytesOf([{ name: 'x', shape: [3], values: Float32Array.of(1, NaN, Infinity) }]));
  assert.is((await file.read('x')).length, 3);
  try {
    await file.read('x', { checkFinite: true });
    assert.unreachable();
  } catch (error) {
    assert.match(
      (error as Error).message,
      /tensor `x` has 2 of 3 values that are not finite, the first \(NaN\) at element 1/,
    );
  }
});

t('a tensor that is not there', async () => {
  const file = await open(bytesOf([{ name: 'x', shape: [1], values: Float32Array.of(1) }]));
  await file.read('y').then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /has no tensor `y`[\s\S]*it has 1 tensors: x/),
  );
});

t('truncated files', async () => {
  const whole = bytesOf([{ name: 'x', shape: [64], values: new Float32Array(64) }]);
  await refused(whole.slice(0, 5), /5 bytes are too few/);
  await refused(whole.slice(0, 20), /the header takes \d+ bytes, but the file ends after 20/);
  await refused(whole.slice(0, -1), /tensor `x`: its data ends at byte \d+, the file at/);
});

t('headers of absurd length', async () => {
  const file = raw('{}');
  new DataView(file.buffer).setBigUint64(0, 2n ** 63n, true);
  await refused(file, /not a safetensors file/);
  new DataView(file.buffer).setBigUint64(0, 50_000_000n, true);
  await refused(file, /the header takes 50000000 bytes/);
});

t('headers that are not JSON', async () => {
  await refused(raw('{"x": }'), /header:1:7: not valid JSON: value expected/);
  await refused(raw('[1, 2]'), /the header is not a JSON object/);
  await refused(raw('{"x": 3}'), /tensor `x`: its entry is not an object/);
  const notUtf8 = raw('{"xx": 3}');
  notUtf8[10] = 0xff;
  await refused(notUtf8, /the header is not UTF-8/);
});

const entry = (dtype: unknown, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

t('names given twice', () =>
  refused(
    raw(`{"x":${entry('F32', [1], [0, 4])},"x":${entry('F32', [1], [4, 8])}}`, 8),
    /`x` is given twice/,
  ),
);

t('unknown dtypes', async () => {
  await refused(
    raw(`{"x":${entry('F8_E4M3', [1], [0, 1])}}`, 1),
    /dtype "F8_E4M3" is not known[\s\S]*convert it to one of/,
  );
  await refused(raw(`{"x":${entry('toString', [1], [0, 1])}}`, 1), /dtype "toString" is not known/);
  await refused(raw('{"x":{"shape":[1],"data_offsets":[0,4]}}', 4), /dtype missing is not known/);
});

t('sizes that are no sizes', async () => {
  for (const shape of [[-1], [1.5], ['4'], null, [1e300], [null]]) {
    await refused(raw(`{"x":${entry('F32', shape, [0, 4])}}`, 4), /shape .* is not a list of whole numbers/);
  }
  for (const offsets of [[0], [0, 4, 8], [-4, 0], [0.5, 4.5], ['0', '4'], [NaN, 4]]) {
    await refused(raw(`{"x":${entry('F32', [1], offsets)}}`, 4), /data_offsets .* are not two whole numbers/);
  }
});

t('offsets that do not fit shape, order or file', async () => {
  await refused(
    raw(`{"x":${entry('F32', [2], [0, 4])}}`, 4),
    /F32 of shape \[2\] takes 8 bytes, its data_offsets hold 4/,
  );
  await refused(raw(`{"x":${entry('F32', [1], [4, 0])}}`, 4), /run backwards/);
  await refused(raw(`{"x":${entry('F32', [4], [0, 16])}}`, 4), /its data ends at byte/);
  const two = (a: [number, number], b: [number, number]): string =>
    `{"x":${entry('F32', [2], a)},"y":${entry('F32', [2], b)}}`;
  await refused(raw(two([0, 8], [4, 12]), 12), /tensors `x` and `y` overlap/);
  await refused(raw(two([0, 8], [0, 8]), 8), /overlap/);
  await refused(raw(two([0, 8], [12, 20]), 20), /4 bytes between `x` and `y` belong to no tensor/);
  await refused(raw(two([0, 8], [8, 16]), 20), /4 bytes after the last tensor/);
  await refused(raw(`{"x":${entry('F32', [2 ** 40, 2 ** 40], [0, 8])}}`, 8), /takes .* bytes/);
});

t('metadata must be text', () =>
  refused(raw('{"__metadata__":{"a":1}}'), /`__metadata__\.a` is not a string/),
);

t.run();
