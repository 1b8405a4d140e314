/** `openModel`, which pages use, on Node's device. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manifest } from '../../compiler/package/package.ts';
import { adapterFile, openModel } from '../../runtime/project/open-model.ts';
import { weightsFrom } from '../../runtime/hosts/fetch.ts';
import { loadDawn } from '../../runtime/device/driver.ts';
import { openSession, readParameter } from '../../runtime/session.ts';
import { layoutSafetensors, openSafetensors } from '../../runtime/weights/safetensors.ts';
import { bytesSource, type WeightSource } from '../../runtime/weights/source.ts';
import { skip } from '../skip.ts';
import { openTestDevice } from '../wgsl/harness.ts';
import { type Subject, tinySubject } from './subject.ts';

const t = suite('model');
const device = await openTestDevice();
const subject = await tinySubject();

const packageOf = ({ compiled }: Subject) => ({
  manifest: compiled.manifest,
  shaders: Object.fromEntries(compiled.sources),
});

const weights = (path: string): Promise<WeightSource> =>
  openSafetensors(bytesSource(path, subject.files.get(path) as Uint8Array));

t('puts base and adapter where they belong, and writes the adapter again', async () => {
  if (!device) return skip('no device');
  const model = await openModel(device, packageOf(subject), {
    base: await weights('/base.safetensors'),
    adapter: await weights('/adapter.safetensors'),
  });
  for (const p of subject.compiled.manifest.parameters)
    assert.equal(await readParameter(model.session, p), subject.values.get(p.name), p.name);
  const file = await adapterFile(model);
  assert.equal(
    new Uint8Array(await file.arrayBuffer()),
    Uint8Array.from(subject.files.get('/adapter.safetensors') as Uint8Array),
  );
  assert.is((await weightsFrom(file)).metadata['base_fingerprint'], model.fingerprint);
  model.session.executor.destroy();
});

t('refuses an adapter of another base', async () => {
  if (!device) return skip('no device');
  const own = await weights('/adapter.safetensors');
  const tensors = await Promise.all(
    [...own.tensors.values()].map(async ({ name, shape }) => ({ name, shape, values: await own.read(name) })),
  );
  const parts = layoutSafetensors(tensors, { ...own.metadata, base_fingerprint: 'f'.repeat(64) });
  const adapter = await openSafetensors(bytesSource('other.safetensors', Buffer.concat([...parts.chunks()])));
  const opened = openModel(device, packageOf(subject), { base: await weights('/base.safetensors'), adapter });
  assert.match(
    await opened.then(() => 'it opened', String),
    /other\.safetensors was trained on another base than `tiny`/,
  );
});

t('refuses an adapter of other attributes, and one that has more than the package', async () => {
  if (!device) return skip('no device');
  const { manifest, shaders } = packageOf(subject);
  const attributes = manifest.attributes;
  assert.ok(attributes);
  const open = async (changed: Manifest): Promise<string> =>
    openModel(
      device,
      { manifest: changed, shaders },
      { base: await weights('/base.safetensors'), adapter: await weights('/adapter.safetensors') },
    ).then(() => 'it opened', String);
  const base = { ...attributes.base, 'rope.theta': 500_000 };
  assert.match(
    await open({ ...manifest, attributes: { ...attributes, base } }),
    /the base: rope\.theta was 10000 when it was trained, and is 500000 here.*build the package/s,
  );
  const [first] = manifest.parameters.filter(({ owner }) => owner !== 'base');
  const parameters = manifest.parameters.filter((p) => p !== first);
  assert.match(await open({ ...manifest, parameters }), /adapter\.safetensors holds .* which the package of/);
});

t('refuses a package for subgroups this device does not have', async () => {
  if (!device) return skip('no device');
  const { manifest, shaders } = packageOf(subject);
  const profile = { device: 'software', subgroup: 64 } as const;
  const opened = openSession(
    device,
    { manifest: { ...manifest, profile }, shaders },
    () => new Float32Array(),
  );
  assert.match(
    await opened.then(() => 'it opened', String),
    /`LlamaAdapterV2` is compiled for subgroups of 64; this device has .*`graft build SPEC --profile gpu`/,
  );
});

t('compiles for WebGPU with its default limits, so for every browser', async () => {
  if (!device) return skip('no device');
  const adapter = await (await loadDawn()).requestAdapter();
  const modest = await adapter!.requestDevice();
  const { manifest, shaders } = packageOf(subject);
  for (const { name, bindings } of manifest.kernels) {
    assert.ok(bindings <= 8, `${name} has ${bindings} storage bindings`);
    const module = modest.createShaderModule({ code: shaders[name] ?? '' });
    await modest.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  }
  modest.destroy();
});

t.run();
