/** Files by fetch, from a server with ranges and one without; Node has the same `fetch`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchPackage, fetchSource, fetchTokenizer, fetchWeights } from '../../runtime/hosts/fetch.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';
import { layoutSafetensors } from '../../runtime/weights/safetensors.ts';
import { serve } from './server.ts';

const t = suite('fetch');
const MIB = 1024 * 1024;

/** Tensors of 1, 6 and 20 MiB that say where they are. */
const tensors = [1, 6, 20].map((size, at) => ({
  name: `t${at}`,
  shape: [(size * MIB) / 4],
  values: Float32Array.from({ length: (size * MIB) / 4 }, (_, i) => at + i / 65536),
}));
const bytes = Buffer.concat([...layoutSafetensors(tensors).chunks()]);

async function expectError(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const message = await promise.then(() => 'no error', String);
  assert.match(message, pattern);
}

t('reads tensors by ranges, small neighbours in one request', async () => {
  const server = await serve(new Map([['/w.safetensors', bytes]]));
  const weights = await fetchWeights(`${server.origin}/w.safetensors`);
  assert.equal(server.log, [`206 /w.safetensors bytes=0-${8 * MIB - 1}`]);
  for (const { name, values } of tensors)
    assert.equal(
      Buffer.from((await weights.read(name)).buffer).equals(Buffer.from(values.buffer)),
      true,
      name,
    );
  const start = bytes.length - 20 * MIB;
  assert.equal(server.log.slice(1), [`206 /w.safetensors bytes=${start}-${bytes.length - 1}`]);
  await server.close();
});

t('takes the whole file from a server without ranges', async () => {
  const server = await serve(new Map([['/w.safetensors', bytes]]), { ranges: false });
  const weights = await fetchWeights(`${server.origin}/w.safetensors`);
  assert.is((await weights.read('t2'))[65536], 3);
  assert.is(server.log.length, 1);
  await server.close();
});

t('follows the index of a sharded file', async () => {
  const file = (at: number) => Buffer.concat([...layoutSafetensors(tensors.slice(at, at + 1)).chunks()]);
  const index = JSON.stringify({ weight_map: { t0: 'a.safetensors', t1: 'b.safetensors' } });
  const server = await serve(
    new Map<string, string | Uint8Array>([
      ['/m/w.safetensors.index.json', index],
      ['/m/a.safetensors', file(0)],
      ['/m/b.safetensors', file(1)],
    ]),
  );
  const weights = await fetchWeights(`${server.origin}/m/w.safetensors.index.json`);
  assert.is((await weights.read('t1'))[65536], 2);
  await server.close();
});

t('says which address failed and why', async () => {
  const server = await serve(new Map([['/tokenizer.json', '<html>']]));
  const { origin } = server;
  await expectError(
    fetchWeights(`${origin}/w.safetensors`),
    /cannot load http.*\/w\.safetensors: 404 Not Found\n {2}help/,
  );
  await expectError(fetchPackage(`${origin}/package`), /cannot load http.*\/package\/manifest\.json: 404/);
  await expectError(fetchTokenizer(`${origin}/tokenizer.json`), /tokenizer\.json is not valid JSON/);
  await server.close();
  await expectError(fetchPackage(`${origin}/package`), /cannot load http.*CORS/s);
});

t('a tokenizer with what its folder says of it, as far as there is anything', async () => {
  const json = JSON.stringify(trainBpe(['some words'], { vocabSize: 120 }));
  const files = new Map<string, string | Uint8Array>([['/m/tokenizer.json', json]]);
  const server = await serve(files);
  const read = async () => {
    const { bos, eos, ends } = await fetchTokenizer(`${server.origin}/m/tokenizer.json`);
    return [bos, eos, [...ends]];
  };
  assert.equal(await read(), [1, 2, [2]]);
  files.set('/m/tokenizer_config.json', '{"bos_token": null}');
  files.set('/m/generation_config.json', '{"eos_token_id": [2, 0]}');
  files.set('/m/config.json', '{"eos_token_id": 7}');
  assert.equal(await read(), [null, 2, [2, 0, 7]]);
  files.set('/m/config.json', '{');
  await expectError(read(), /config\.json is not valid JSON/);
  await server.close();
});

t('notices a file that changes while it is read', async () => {
  const files = new Map<string, string | Uint8Array>([['/w.safetensors', bytes]]);
  const server = await serve(files);
  const source = await fetchSource(`${server.origin}/w.safetensors`);
  assert.is((await source.read(0, 8)).length, 8);
  files.set('/w.safetensors', bytes.subarray(0, bytes.length - 4));
  await expectError(source.read(10 * MIB, MIB), /changed while it was read/);
  await server.close();
});

t.run();
