import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cachedModel, hubCache } from '../../runtime/hub/cached.ts';
import { chooseFiles } from '../../runtime/hub/choose.ts';
import { fetchBlob } from '../../runtime/hub/download.ts';
import { pullModel, type PullOptions } from '../../runtime/hub/pull.ts';
import { SHA, startHub, type HubServer } from './server.ts';

const t = suite('pull');

const utf8 = new TextEncoder();
const files = {
  'README.md': utf8.encode('# a model'),
  'config.json': utf8.encode('{"model_type":"llama"}'),
  'tokenizer.json': utf8.encode('{}'),
  'model.safetensors': Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256),
  'pytorch_model.bin': new Uint8Array(10),
};

let cache = '';
let hub: HubServer | null = null;
t.before.each(() => {
  cache = mkdtempSync(join(tmpdir(), 'graft-hub-'));
});
t.after.each(async () => {
  await hub?.close();
  hub = null;
  rmSync(cache, { recursive: true, force: true });
});

const pull = (options: Partial<PullOptions> = {}) =>
  pullModel({ repo: 'org/model', cache, hubUrl: hub?.url ?? '', ...options });

const refused = (promise: Promise<unknown>, pattern: RegExp): Promise<void> =>
  promise.then(
    () => assert.unreachable(`${pattern} was not thrown`),
    (error: Error) => {
      assert.is(error.name, 'InputError', error.stack);
      assert.match(error.message, pattern);
    },
  );

t('settings and weights lie in the cache as Hugging Face’s tools put them', async () => {
  hub = await startHub(files);
  const seen: number[] = [];
  const { folder, bytes } = await pull({ onProgress: (_, done) => seen.push(done) });
  assert.is(folder, join(cache, 'models--org--model', 'snapshots', SHA));
  assert.equal(readdirSync(folder).sort(), ['config.json', 'model.safetensors', 'tokenizer.json']);
  assert.equal(readFileSync(join(folder, 'model.safetensors')), Buffer.from(files['model.safetensors']));
  assert.ok(lstatSync(join(folder, 'config.json')).isSymbolicLink());
  assert.is(readFileSync(join(cache, 'models--org--model', 'refs', 'main'), 'utf8'), SHA);
  assert.is(bytes, 300_000 + files['config.json'].length + 2);
  assert.ok(seen.includes(300_000));
  assert.is(cachedModel('org/model', cache), folder);
  assert.is(cachedModel('org/other', cache), null);
});

t('a reference that a full disk left empty is no model', async () => {
  hub = await startHub(files);
  await pull();
  writeFileSync(join(cache, 'models--org--model', 'refs', 'main'), '');
  assert.is(cachedModel('org/model', cache), null);
});

t('contents that the hub names by no hash are not fetched', async () => {
  const file = { path: 'config.json', size: 2, oid: '../../elsewhere', sha256: null };
  await refused(
    fetchBlob(
      file,
      join(cache, 'blobs'),
      () => Promise.resolve(new Blob(['{}'])),
      () => undefined,
    ),
    /config\.json: the hub names its contents `\.\.\/\.\.\/elsewhere`, which is no hash/,
  );
});

t('what is there already is not fetched again', async () => {
  hub = await startHub(files);
  await pull();
  const before = hub.served.length;
  await pull();
  assert.is(hub.served.length, before);
});

t('a connection that ends early: the next attempt goes on from there', async () => {
  hub = await startHub(files);
  hub.breakOff('model.safetensors', 100_000, 1);
  const { folder } = await pull();
  assert.equal(readFileSync(join(folder, 'model.safetensors')), Buffer.from(files['model.safetensors']));
  const starts = hub.served.filter(({ path }) => path === 'model.safetensors').map(({ from }) => from);
  assert.is(starts[0], 0);
  assert.ok((starts[1] ?? 0) > 0 && (starts[1] ?? 0) <= 100_000, String(starts));
});

t(
  'after too many of them what came is kept for the next run, and nothing stands for a whole file',
  async () => {
    hub = await startHub(files);
    hub.breakOff('model.safetensors', 20_000, 3);
    await refused(pull(), /goes on/);
    const blobs = join(cache, 'models--org--model', 'blobs');
    assert.is(readdirSync(blobs).filter((name) => name.endsWith('.incomplete')).length, 1);
    assert.not.ok(existsSync(join(cache, 'models--org--model', 'snapshots', SHA, 'model.safetensors')));
    assert.is(cachedModel('org/model', cache), null);
    await pull();
    const last = hub.served.at(-1);
    assert.ok((last?.from ?? 0) > 0);
  },
);

t('contents that are not what the hub says are deleted and told', async () => {
  const other = files['model.safetensors'].map((x, i) => (i === 7 ? x ^ 1 : x));
  hub = await startHub(files, { 'model.safetensors': other });
  await refused(
    pull(),
    /model\.safetensors: its contents have the hash [0-9a-f]{64}, the hub says [0-9a-f]{64}/,
  );
  assert.equal(
    readdirSync(join(cache, 'models--org--model', 'blobs')).filter((name) => name.includes('incomplete')),
    [],
  );
  await hub.close();
  hub = await startHub(files, { 'config.json': utf8.encode('{"model_type":"lama?"}') });
  await refused(pull(), /config\.json: its contents have the hash [0-9a-f]{40}, /);
});

t('a model behind a licence, a wrong name, no network', async () => {
  hub = await startHub(files, {}, 'secret');
  await refused(pull(), /does not give `org\/model` to everybody[\s\S]*HF_TOKEN/);
  await refused(pull({ token: 'hf_wrong' }), /holder of this token/);
  await refused(pull({ repo: 'model' }), /no name of a model/);
  await refused(pull({ repo: '../model' }), /no name of a model/);
  await hub.close();
  const { url } = hub;
  hub = null;
  await refused(pull({ hubUrl: url }), /cannot be asked for `org\/model`[\s\S]*check the network/);
});

t('which files: one format, the best; several GGUF only by name', () => {
  const choose = (names: string[], only: string[] = []) => chooseFiles(names, only, 'org/model');
  assert.equal(
    choose([
      'a.md',
      'config.json',
      'consolidated.safetensors',
      'model-00001-of-00002.safetensors',
      'model.safetensors.index.json',
    ]),
    ['config.json', 'model-00001-of-00002.safetensors', 'model.safetensors.index.json'],
  );
  assert.equal(choose(['params.json', 'consolidated.00.pth', 'consolidated.01.pth']), [
    'params.json',
    'consolidated.00.pth',
    'consolidated.01.pth',
  ]);
  assert.equal(choose(['m-q4.gguf']), ['m-q4.gguf']);
  assert.throws(
    () => choose(['m-q4.gguf', 'm-q8.gguf']),
    /2 GGUF files[\s\S]*--file: m-q4\.gguf, m-q8\.gguf/,
  );
  assert.equal(choose(['config.json', 'm-q4.gguf', 'm-q8.gguf'], ['m-q8.gguf']), [
    'config.json',
    'm-q8.gguf',
  ]);
  assert.throws(() => choose(['m.gguf'], ['x.gguf']), /no file `x\.gguf`/);
  assert.throws(() => choose(['pytorch_model.bin']), /no weights in a format that Graft reads/);
});

t('the cache is where Hugging Face’s variables say', () => {
  assert.is(hubCache({ HF_HUB_CACHE: '/a', HF_HOME: '/b' }), '/a');
  assert.is(hubCache({ HF_HOME: '/b' }), '/b/hub');
  assert.is(hubCache({ XDG_CACHE_HOME: '/c' }), '/c/huggingface/hub');
});

t.run();
