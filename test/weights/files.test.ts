import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openTokenizer, openWeights } from '../../runtime/files.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { archive, pickleOf, tensor as torchTensor } from './torch/make.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';

const t = suite('files');

let folder = '';
t.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-files-'));
});
t.after.each(() => rmSync(folder, { recursive: true, force: true }));

async function refused(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await promise.then(
    () => assert.unreachable(`${pattern} was not thrown`),
    (error: Error) => assert.match(error.message, pattern),
  );
}

const tensor = (name: string, value: number): { name: string; shape: number[]; values: Float32Array } => ({
  name,
  shape: [2],
  values: Float32Array.of(value, -value),
});

t('weights: a file, a folder, an index', async () => {
  const read = async (path: string, name: string): Promise<number[]> => {
    const source = await openWeights(path);
    const values = [...(await source.read(name))];
    await source.close();
    return values;
  };
  const file = join(folder, 'model.safetensors');
  await writeSafetensors(file, [tensor('a', 1)]);
  assert.equal(await read(file, 'a'), [1, -1]);
  assert.equal(await read(folder, 'a'), [1, -1]);
  // An index comes before a single file.
  await writeSafetensors(join(folder, 'part.safetensors'), [tensor('b', 3)]);
  writeFileSync(`${file}.index.json`, JSON.stringify({ weight_map: { b: 'part.safetensors' } }));
  assert.equal(await read(folder, 'b'), [3, -3]);
});

t('weights: the shards of a checkpoint of Meta, none left out', async () => {
  const shard = (values: readonly number[]) =>
    archive(pickleOf({ 'output.weight': torchTensor('0', [1, 2]) }), { '0': Float32Array.from(values) });
  writeFileSync(join(folder, 'consolidated.00.pth'), await shard([1, 2]));
  writeFileSync(join(folder, 'consolidated.01.pth'), await shard([3, 4]));
  for (const path of [folder, join(folder, 'consolidated.00.pth')]) {
    const source = await openWeights(path);
    assert.equal([...(await source.read('output.weight'))], [1, 2, 3, 4]);
    await source.close();
  }
  rmSync(join(folder, 'consolidated.00.pth'));
  await refused(openWeights(join(folder, 'consolidated.01.pth')), /no consolidated\.00\.pth/);
});

t('weights: what cannot be opened', async () => {
  await refused(
    openWeights(join(folder, 'no.safetensors')),
    /cannot read .*no\.safetensors: there is no such file/,
  );
  await refused(openWeights('no-such.safetensors'), /`no-such\.safetensors` was taken from /);
  await refused(openWeights(folder), /holds no weights[\s\S]*model\.safetensors/);
  for (const [name, pattern] of [
    ['x.pth', /no file of `torch\.save`/],
    ['x.gguf', /not a GGUF file/],
    ['x.bin', /not a llama2\.c model/],
    ['x.safetensors', /too few for a safetensors file/],
  ] as const) {
    writeFileSync(join(folder, name), 'x');
    await refused(openWeights(join(folder, name)), pattern);
  }
});

t('writing where there is no folder', () =>
  refused(
    writeSafetensors(join(folder, 'a', 'b.safetensors'), [tensor('a', 1)]),
    /cannot write .*[\s\S]*make it first/,
  ),
);

t('tokenizers by their file names', async () => {
  const json = trainBpe(['some words'], { vocabSize: 120 });
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, JSON.stringify(json));
  assert.is((await openTokenizer(path)).bos, 1);
  writeFileSync(join(folder, 'tokenizer_config.json'), '{"eos_token": "<unk>"}');
  assert.is((await openTokenizer(path)).eos, 0);
  const weights = join(folder, 'weights');
  mkdirSync(weights);
  writeFileSync(join(folder, 'generation_config.json'), '{"eos_token_id": [0, 5]}');
  writeFileSync(join(weights, 'config.json'), '{"eos_token_id": 7}');
  assert.equal([...(await openTokenizer(path)).ends], [0, 5]);
  for (const base of [weights, join(weights, 'model.safetensors')])
    assert.equal([...(await openTokenizer(path, base)).ends], [0, 5, 7]);
  writeFileSync(path, '{');
  await refused(openTokenizer(path), /tokenizer\.json is not valid JSON/);
  await refused(openTokenizer(join(folder, 'x.txt')), /a tokenizer of an unknown format/);
  mkdirSync(join(folder, 'd.model'));
  await refused(openTokenizer(join(folder, 'd.model')), /it is a folder/);
});

t.run();
