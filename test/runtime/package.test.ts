/** Packages on disk: what is read back runs as what was written, and what is damaged says so. */
import {
  existsSync,
  mkdirSync,
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
import { type Compiled, compile } from '../../compiler/compile.ts';
import type { Manifest } from '../../compiler/package/package.ts';
import { planMemory } from '../../compiler/passes/memory.ts';
import { layOut } from '../../compiler/passes/layout.ts';
import { DeviceError } from '../../runtime/device/device.ts';
import { InputError } from '../../runtime/input-error.ts';
import { readPackage, writePackage } from '../../runtime/files/package.ts';
import { openSession, type Package } from '../../runtime/session.ts';
import { makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { randomBatch } from '../compiler/oracle.ts';
import { distance, forward, withDevice } from '../compiler/sessions.ts';
import { fromLibrary, randomValues, recipeFor } from '../compiler/subjects.ts';

const t = suite('packages');
const model = fromLibrary('llama-adapter-v2.adapter');
const SIZES = { batch: 2, tokens: 5 };
const values = randomValues(model);

let folder = '';
t.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-package-'));
});
t.after.each(() => rmSync(folder, { recursive: true, force: true }));

const make = (profile: Manifest['profile'] = { device: 'gpu', subgroup: null }): Compiled =>
  compile(model, {
    profile,
    recipe: recipeFor(model),
    training: { batch: 2, tokens: { instruct: 5 } },
    forward: SIZES,
  });

async function write(): Promise<string> {
  const { manifest, sources } = make();
  const path = join(folder, 'package');
  await writePackage(path, manifest, sources);
  return path;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.unreachable('it went on'),
    (caught: unknown) => caught,
  );
  assert.instance(error, InputError);
  return (error as InputError).message;
}

t('what is read back runs as what was written', () =>
  withDevice(async (device) => {
    const compiled = make(device.profile);
    const path = join(folder, 'package');
    await writePackage(path, compiled.manifest, compiled.sources);
    const packages: Package[] = [
      { manifest: compiled.manifest, shaders: Object.fromEntries(compiled.sources) },
      await readPackage(path),
    ];
    assert.equal(packages[1]?.manifest, packages[0]?.manifest, 'the manifest is plain data');
    const ran = [];
    for (const pkg of packages) {
      const session = await openSession(device, pkg, ({ name }) => values.get(name) ?? new Float32Array());
      const batch = randomBatch(model, 2, 5);
      const { loss, norm } = await trainStep(makeTrainer(session), 'instruct', [batch], 0.01);
      ran.push([loss, norm, ...(await forward(session, batch.tokens)).flatMap((row) => [...row])]);
    }
    assert.is(distance(ran[0] ?? [], ran[1] ?? []), 0);
  }),
);

t('the same spec gives the same package', () => {
  const [a, b] = [make(), make()];
  assert.equal(JSON.stringify(a.manifest), JSON.stringify(b.manifest));
  assert.equal([...a.sources], [...b.sources]);
});

t('a damaged manifest says what is wrong with it', async () => {
  const path = await write();
  const file = join(path, 'manifest.json');
  const text = readFileSync(file, 'utf8');
  const manifest = JSON.parse(text) as Manifest;
  const refused = async (content: string): Promise<string> => {
    writeFileSync(file, content);
    return failure(readPackage(path));
  };
  assert.match(await refused(text.slice(0, text.length / 2)), /manifest\.json is not valid JSON/);
  assert.match(await refused(''), /not valid JSON/);
  assert.match(await refused('{}'), /is no package/);
  assert.match(await refused('null'), /is no package/);
  assert.match(
    await refused(JSON.stringify({ ...manifest, format: 1 })),
    /a package of format 1, this runtime reads 3/,
  );
  for (const key of ['buffers', 'cells', 'constants', 'kernels', 'parameters', 'programs', 'tasks'] as const)
    assert.match(
      await refused(JSON.stringify({ ...manifest, [key]: undefined })),
      new RegExp(`damaged: it has no \`${key}\``),
    );
});

t('a missing kernel is named', async () => {
  const path = await write();
  const [first = ''] = readdirSync(join(path, 'kernels'));
  rmSync(join(path, 'kernels', first));
  assert.match(await failure(readPackage(path)), new RegExp(`cannot read .*${first.replace('.', '\\.')}`));
});

t('a folder that is no package, and one that is not there', async () => {
  assert.match(await failure(readPackage(folder)), /cannot read .*manifest\.json/);
  assert.match(await failure(readPackage(join(folder, 'nowhere'))), /cannot read/);
});

t(
  'a package replaces a package, leaves nothing beside it, and never a folder of something else',
  async () => {
    const path = await write();
    writeFileSync(join(path, 'kernels', 'old.wgsl'), '');
    await write();
    assert.not(existsSync(join(path, 'kernels', 'old.wgsl')));
    assert.equal(readdirSync(folder), ['package'], 'nothing is left beside it');
    mkdirSync(join(folder, 'home'));
    writeFileSync(join(folder, 'home', 'thesis.tex'), 'years of work');
    const { manifest, sources } = make();
    const message = await failure(writePackage(join(folder, 'home'), manifest, sources));
    assert.match(message, /holds thesis\.tex, which is no part of a package/);
    assert.is(readFileSync(join(folder, 'home', 'thesis.tex'), 'utf8'), 'years of work');
  },
);

t('a package that cannot be written leaves the one before', async () => {
  const path = await write();
  const before = readdirSync(join(path, 'kernels'));
  const { manifest, sources } = make();
  // A name no file system takes, in the middle of writing.
  const broken = new Map([...sources, ['a/b\u0000c', '']]);
  assert.match(await failure(writePackage(path, manifest, broken)), /cannot write the package/);
  assert.equal(readdirSync(join(path, 'kernels')), before);
  assert.equal(readdirSync(folder), ['package'], 'and no half of the new one');
  await readPackage(path);
});

t('a package that does not fit allocates nothing', () =>
  withDevice(async (device) => {
    const { manifest, sources } = make(device.profile);
    const gpu = device.device;
    let made = 0;
    Object.defineProperty(gpu, 'createBuffer', { configurable: true, value: () => (made += 1) });
    // A binding that is too large would only be noticed after every buffer was made.
    const size = Math.ceil(device.limits.maxStorageBufferBindingSize / 256 + 1) * 256;
    const [first, ...programs] = manifest.programs;
    const [dispatch, ...dispatches] = first?.dispatches ?? [];
    if (!first || !dispatch) return assert.unreachable('a program has dispatches');
    const wide = { ...dispatch, bindings: [{ buffer: 'state', offset: 0, size } as const] };
    const huge: Manifest = {
      ...manifest,
      buffers: { ...manifest.buffers, state: size },
      programs: [{ ...first, dispatches: [wide, ...dispatches] }, ...programs],
    };
    const opened = openSession(
      device,
      { manifest: huge, shaders: Object.fromEntries(sources) },
      () => assert.unreachable('values are asked for') as never,
    );
    const error = await opened.then(
      () => null,
      (caught: unknown) => caught,
    );
    Reflect.deleteProperty(gpu, 'createBuffer');
    assert.instance(error, DeviceError);
    assert.is(made, 0);
  }),
);

t('a parameter that a task trains in vain lies with the frozen ones, in every program', () => {
  // The layout follows what losses reach; graphs follow what tasks ask for.
  const { graphs } = make();
  const none = layOut(model, new Map([['instruct', new Set<string>()]]));
  const forwardOnly = graphs.filter((graph) => graph.purpose.kind === 'forward');
  const plan = planMemory(forwardOnly, none);
  for (const graph of forwardOnly)
    for (const tensor of graph.tensors) {
      const slice = plan.slices[0]?.get(tensor.id);
      if (tensor.parameter === undefined || !slice) continue;
      const own = none.parameters.find(({ name }) => name === tensor.parameter);
      assert.equal([slice.buffer, slice.offset], [own?.slice.buffer, own?.slice.offset], tensor.parameter);
    }
});

t.run();
