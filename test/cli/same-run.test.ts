/** A run that is refused leaves its folder as it was, and what a run is a function of may not change under it. */
import {
  appendFileSync,
  existsSync,
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
import { nodeHost } from '../../runtime/hosts/node.ts';
import { requireSameRun } from '../../runtime/train/same-run.ts';
import { identityOf } from '../../runtime/project/identity.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { startOf } from '../../runtime/project/start.ts';
import type { Batches } from '../../runtime/data/batches.ts';
import { createFeatureStore } from '../../runtime/data/features.ts';
import type { Dataset } from '../../runtime/data/load.ts';
import { claim } from '../../runtime/sweep/stores/claims.ts';
import { fromLibrary } from '../compiler/subjects.ts';
import { withDevice } from '../compiler/sessions.ts';
import { npy } from '../images/make.ts';
import { graftEach, type Outcome } from './processes.ts';
import { makeProject } from './tiny-project.ts';

const t = suite('the same run');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-same-'));
  await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const train = (...rest: string[]): string[] => [
  'train',
  'spec.adapter',
  '--steps',
  '2',
  '--out',
  'run',
  ...rest,
];
const text = (path: string): string => readFileSync(join(folder, path), 'utf8');
const left = (): string[] =>
  ['run.json', 'package/manifest.json', 'metrics.jsonl'].map((file) => text(`run/${file}`));

t('another spec, other data and a second process are refused, and nothing is written over', () =>
  withDevice(async () => {
    const [first] = await graftEach([train()], folder);
    assert.is(first?.code, 0, first?.err);
    const before = left();
    const [other, seed] = await graftEach(
      [train('--resume', '--set', 'length=2'), train('--resume', '--seed', '8')],
      folder,
    );
    appendFileSync(join(folder, 'some.jsonl'), '{"instruction": "b", "output": "a"}\n');
    const [data] = await graftEach([train('--resume')], folder);
    const mine = claim(join(folder, 'run'), 'run');
    const [second] = await graftEach([train('--resume')], folder);
    if (typeof mine !== 'string') mine.release();
    const says = (outcome: Outcome | undefined, words: RegExp): void => {
      assert.is(outcome?.code, 1);
      assert.match(outcome?.err ?? '', words);
    };
    says(other, /the spec has changed/);
    says(seed, /the seed was 3 and is 8/);
    says(data, /the data `some` has changed/);
    says(second, new RegExp(`run is in use: process ${process.pid} trains there`));
    assert.equal(left(), before);
  }),
);

t('an adapter that lies in the folder is not trained over', async () => {
  writeFileSync(join(folder, 'adapter.safetensors'), 'of last week');
  const [refused] = await graftEach([['train', 'spec.adapter', '--out', '.']], folder);
  assert.is(refused?.code, 1);
  assert.match(refused?.err ?? '', /already holds a run/);
});

t("the numbers of an encoder's file are part of a run's identity", async () => {
  const model = fromLibrary('llama-adapter-v2-multimodal.adapter');
  const parameters = [
    { ...model.parameters[0]!, name: 'vision.proj', owner: 'vision', init: { kind: 'weights' } as const },
  ];
  const identity = async (value: number) => {
    const initial = new Map([['vision.proj', Float32Array.of(value)]]);
    const hosted = { host: nodeHost, model: { ...model, parts: [], parameters } };
    const origin = await (await startOf(hosted, 0, { scratch: true, initial })).origin();
    const data = { datasets: new Map(), images: new Map() };
    return identityOf(hosted, 'spec', origin, data, undefined);
  };
  const [one, same, other] = [await identity(1), await identity(1), await identity(2)];
  const meta = { ...one, step: 1, seed: 0, cellSteps: [] };
  requireSameRun(meta, { ...same, seed: 0 }, 'x');
  assert.throws(
    () => requireSameRun(meta, { ...other, seed: 0 }, 'x'),
    /the weights file of `vision` has changed/,
  );
  const { inputs: _, ...old } = meta;
  requireSameRun(old, { ...other, seed: 0 }, 'x');
});

t('another picture behind the same path is other data', async () => {
  const hosted = { host: nodeHost, model: loadModel(nodeHost, join(folder, 'spec.adapter')) };
  const origin = { base: '', encoders: {} };
  const examples = [{ tokens: Uint32Array.of(1), labels: Uint32Array.of(1), labelled: 1 }];
  const dataset = { name: 'pairs', examples, records: [], pictures: Uint32Array.of(0) } as unknown as Dataset;
  const identity = async (bytes: Uint8Array) => {
    const store = createFeatureStore({ part: 'eye', rows: 1, width: 4 }, () => Promise.resolve(bytes));
    await store.addAll(['same.npy']);
    const images = new Map([['caption', { dataset, store, plain: {} as Batches }]]);
    return identityOf(
      hosted,
      'spec',
      origin,
      { datasets: new Map([['caption', dataset]]), images },
      undefined,
    );
  };
  const picture = (from: number) => npy('<f4', [4], Float32Array.of(from, 1, 2, 3));
  const [one, same, other] = [
    await identity(picture(0)),
    await identity(picture(0)),
    await identity(picture(9)),
  ];
  assert.equal(same, one);
  assert.throws(
    () => requireSameRun({ ...one, step: 1, seed: 0, cellSteps: [] }, { ...other, seed: 0 }, 'x'),
    /the data `pairs` has changed/,
  );
});

t('files of a base that is refused are closed', async () => {
  const model = loadModel(nodeHost, join(folder, 'spec.adapter'));
  const parameters = model.parameters.filter(({ name }) => !name.startsWith('layers.1.'));
  const shallow = { ...model, parameters, base: { ...model.base, layers: 1 } };
  const open = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
  const before = open();
  for (let i = 0; i < 3; i++)
    await startOf({ host: nodeHost, model: shallow }, 0).then(
      () => assert.unreachable('it has two layers'),
      (error: Error) => assert.match(error.message, /does not hold the base[^]*it has 2 layers/),
    );
  assert.is(open(), before);
});

t.run();
