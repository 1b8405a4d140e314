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

t('weights are told by what they are, not by what they are called', async () => {
  const torch = await archive(pickleOf({ 'norm.weight': torchTensor('0', [2]) }), {
    '0': Float32Array.of(5, 6),
  });
  // As transformers names it, and under another format's name.
  for (const name of ['pytorch_model.bin', 'x.safetensors']) {
    writeFileSync(join(folder, name), torch);
    const source = await openWeights(join(folder, name));
    assert.equal([...(await source.read('norm.weight'))], [5, 6]);
    await source.close();
  }
  rmSync(join(folder, 'x.safetensors'));
  const whole = await openWeights(folder);
  assert.equal([...whole.tensors.keys()], ['norm.weight']);
  await whole.close();
  // An older file of PyTorch, and a GGUF under another name.
  writeFileSync(join(folder, 'old.bin'), Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc));
  await refused(openWeights(join(folder, 'old.bin')), /bare pickle, as PyTorch wrote before version 1\.6/);
  writeFileSync(join(folder, 'gguf.bin'), 'GGUFxxxx');
  await refused(openWeights(join(folder, 'gguf.bin')), /GGUF/);
  // Its first number, the width, is 640: not a pickle.
  const llama2c = new Uint8Array(28);
  new DataView(llama2c.buffer).setInt32(0, 640, true);
  writeFileSync(join(folder, 'wide.bin'), llama2c);
  await refused(openWeights(join(folder, 'wide.bin')), /llama2\.c/);
  writeFileSync(join(folder, 'pytorch_model.bin.index.json'), '{}');
  await refused(openWeights(folder), /several files of PyTorch.*save_pretrained/s);
});

t("adapters of PEFT, a whole model and a training's folder are told what they are", async () => {
  const name = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';
  writeFileSync(join(folder, 'adapter_config.json'), '{"peft_type": "LORA"}');
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), [tensor(name, 1)]);
  const torch = await archive(pickleOf({ [name]: torchTensor('0', [2]) }), { '0': Float32Array.of(5, 6) });
  writeFileSync(join(folder, 'adapter_model.bin'), torch);
  for (const path of [folder, join(folder, 'adapter_model.safetensors'), join(folder, 'adapter_model.bin')])
    await refused(openWeights(path), /is an adapter of PEFT.*graft import FOLDER/s);
  const inside = async (...names: readonly string[]): Promise<string> => {
    const path = mkdtempSync(join(folder, 'other-'));
    for (const file of names) writeFileSync(join(path, file), '');
    return path;
  };
  await refused(
    openWeights(await inside('adapter.safetensors', 'run.json')),
    /folder of a training.*--adapter/s,
  );
  await refused(
    openWeights(await inside('a-q8.gguf', 'README.md')),
    /a-q8\.gguf: give one of these files itself/,
  );
  await refused(openWeights(await inside('tf_model.h5')), /TensorFlow/);
  await refused(openWeights(await inside('weights.safetensors')), /weights\.safetensors: give one/);
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
  await refused(openTokenizer(join(folder, 'd.model')), /d\.model holds no tokenizer/);
});

t.run();
