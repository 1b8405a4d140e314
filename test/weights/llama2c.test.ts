import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base } from '../../compiler/model/model.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { openFile } from '../../runtime/files.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { openLlama2c } from '../../runtime/weights/llama2c.ts';
import { bytesSource } from '../../runtime/weights/source.ts';
import { withShared } from '../shared.ts';
import { message, type Tensors, tiny, weightsOf } from './make.ts';

const t = suite('llama2.c');

/** A llama2.c file of random weights; returns it with the tensors. */
function llama2cFile(base: Base): { bytes: Uint8Array; tensors: Tensors } {
  const tensors = weightsOf(base);
  const order = [
    'tok_embeddings',
    'attention_norm',
    'attention.wq',
    'attention.wk',
    'attention.wv',
    'attention.wo',
    'ffn_norm',
    'feed_forward.w1',
    'feed_forward.w2',
    'feed_forward.w3',
    'norm',
  ];
  const header = Int32Array.of(
    base.dim,
    base.ffn,
    base.layers,
    base.heads,
    base.kvHeads,
    base.tied ? base.vocab : -base.vocab,
    base.context,
  );
  const floats: Float32Array[] = [];
  for (const name of order) {
    const layered = tensors.has(`${name}.weight`)
      ? [`${name}.weight`]
      : [...Array(base.layers).keys()].map((i) => `layers.${i}.${name}.weight`);
    for (const key of layered) floats.push(tensors.get(key)!.values);
  }
  floats.push(new Float32Array(base.context * base.headDim));
  if (!base.tied) floats.push(tensors.get('output.weight')!.values);
  const bytes = new Uint8Array(28 + 4 * floats.reduce((n, f) => n + f.length, 0));
  bytes.set(new Uint8Array(header.buffer));
  let at = 28;
  for (const values of floats) {
    bytes.set(new Uint8Array(values.buffer), at);
    at += values.byteLength;
  }
  return { bytes, tensors };
}

t('llama2.c files, tied and not, with grouped queries', async () => {
  for (const tied of [true, false]) {
    const base = { ...tiny, tied };
    const { bytes, tensors } = llama2cFile(base);
    const file = await openLlama2c(bytesSource('m.bin', bytes));
    const { name: _name, ...dims } = base;
    assert.equal(file.base, dims);
    const loaded = await loadBase(file, base, baseParameters(base));
    for (const [name, { values }] of tensors) assert.equal(loaded.values.get(name), values, name);
  }
});

t('llama2.c files that are none', async () => {
  const { bytes } = llama2cFile(tiny);
  const refuse = async (file: Uint8Array, pattern: RegExp): Promise<void> =>
    assert.match(await message(openLlama2c(bytesSource('m.bin', file))), pattern);
  await refuse(bytes.slice(0, 10), /m\.bin: 10 bytes: not a llama2\.c model/);
  await refuse(bytes.slice(0, -4), /its header asks for \d+ bytes, the file has/);
  const damaged = (index: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setInt32(4 * index, value, true);
    return copy;
  };
  await refuse(damaged(0, -1), /dim = -1/);
  await refuse(damaged(3, 5), /dim 12 is no multiple of 5 heads/);
  await refuse(damaged(4, 2), /3 heads are no multiple of 2/);
  await refuse(damaged(5, 0), /vocabulary 0/);
  await refuse(damaged(2, 2 ** 30), /layers = /);
});

withShared(t, 'stories260K.bin', async (folder) => {
  const file = await openLlama2c(await openFile(join(folder, 'data/stories260K.bin')));
  const { base } = file;
  assert.equal(
    [base.dim, base.ffn, base.layers, base.heads, base.kvHeads, base.vocab, base.context, base.tied],
    [64, 172, 5, 8, 4, 512, 512, true],
  );
  const loaded = await loadBase(
    file,
    { name: 'stories', ...base },
    baseParameters({ name: 'stories', ...base }),
  );
  assert.is(loaded.values.get('layers.4.attention.wk.weight')!.length, 32 * 64);
  await file.close();
});

t.run();
