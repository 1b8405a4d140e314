/** A base's file is read once when a model is opened: its values and its fingerprint come of one pass. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../compiler/compile.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import type { ProjectHost } from '../../runtime/project/host.ts';
import { loadRecipeData } from '../../runtime/project/recipe-data.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { openCompiled } from '../../runtime/project/session.ts';
import { openProject } from '../../runtime/project/spec.ts';
import { startOf } from '../../runtime/project/start.ts';
import { startTrained } from '../../runtime/project/trained.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';
import { openTrainable } from '../../runtime/project/trainable.ts';
import { readParameter } from '../../runtime/session.ts';
import { writeAdapter } from '../../runtime/train/outcome.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { withDevice } from '../compiler/sessions.ts';
import { makeProject } from '../cli/tiny-project.ts';

const t = suite('start');

let [folder, path] = ['', ''];
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-start-'));
  path = await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** Node's host, and how often each tensor of a weights file was read through it. */
function countingHost(): { readonly host: ProjectHost; readonly reads: Map<string, number> } {
  const reads = new Map<string, number>();
  const openWeights: ProjectHost['openWeights'] = async (file) => {
    const source = await nodeHost.openWeights(file);
    return {
      ...source,
      read: (name, options) => {
        const key = `${file.slice(folder.length + 1)} ${name}`;
        reads.set(key, (reads.get(key) ?? 0) + 1);
        return source.read(name, options);
      },
    };
  };
  return { host: { ...nodeHost, openWeights }, reads };
}

const base = async (): Promise<{ names: string[]; fingerprint: string }> => {
  const { model } = await openProject(nodeHost, path);
  const source = await nodeHost.openWeights(join(folder, 'base.safetensors'));
  const own = model.parameters.filter(({ owner }) => owner === 'base');
  const { fingerprint } = await loadBase(source, model.base, own);
  await source.close();
  return { names: [...source.tensors.keys()], fingerprint };
};

t('each tensor of the base is read once to train, and once to be asked', () =>
  withDevice(async (device) => {
    const { names, fingerprint } = await base();
    const training = countingHost();
    const project = await openProject(training.host, path);
    const recipe = pickRecipe(project.model, undefined);
    const data = await loadRecipeData(project, recipe, await tokenizerOf(project));
    const { session, origin } = await openTrainable(device, project, recipe, data, { encoding: 'inline' });
    assert.equal([...training.reads.keys()].sort(), names.map((name) => `base.safetensors ${name}`).sort());
    assert.equal(new Set(training.reads.values()), new Set([1]), 'each once');
    assert.is(origin.base, fingerprint);
    const adapter = join(folder, 'adapter.safetensors');
    await writeAdapter(adapter, session, origin.base);
    session.executor.destroy();

    const asking = countingHost();
    const asked = await openProject(asking.host, path);
    const compiled = compile(asked.model, {
      profile: device.profile,
      generation: { batch: 1, tokens: 8, context: 16 },
    });
    const opened = await openCompiled(device, compiled, await startTrained(asked, adapter));
    assert.ok(asking.reads.size > names.length, 'the adapter was read too');
    assert.equal(new Set(asking.reads.values()), new Set([1]));
    assert.is(opened.origin.base, fingerprint);
    opened.session.executor.destroy();
  }),
);

t('the lengths of DoRA start as those of the rows of the base', async () => {
  const spec = join(folder, 'dora.adapter');
  writeFileSync(
    spec,
    'import "base.adapter"\nadapter X on small {\n  lora low on layers.attention.wk { dora = true }\n}\n',
  );
  const project = await openProject(nodeHost, spec);
  const start = await startOf(project, 0);
  const named = (name: string) => project.model.parameters.find((p) => p.name === name)!;
  const weight = await start.values(named('layers.1.attention.wk.weight'));
  const lengths = await start.values(named('low.layers.1.attention.wk.m'));
  await start.close();
  assert.is(lengths.length, 8);
  const last = Math.hypot(...weight.subarray(-16));
  assert.ok(Math.abs((lengths.at(-1) ?? NaN) - last) < 1e-6 * last);
});

t('an adapter of another base is refused once the base is read, and its session is closed', () =>
  withDevice(async (device) => {
    const project = await openProject(nodeHost, path);
    const recipe = pickRecipe(project.model, undefined);
    const data = await loadRecipeData(project, recipe, await tokenizerOf(project));
    const { session } = await openTrainable(device, project, recipe, data, { encoding: 'inline' });
    const [parameter] = session.manifest.parameters.filter(({ cell }) => cell !== null);
    assert.ok(parameter && (await readParameter(session, parameter)).length > 0);
    const foreign = join(folder, 'foreign.safetensors');
    await writeAdapter(foreign, session, 'f'.repeat(64));
    session.executor.destroy();
    const compiled = compile(project.model, {
      profile: device.profile,
      generation: { batch: 1, tokens: 8, context: 16 },
    });
    const start = await startTrained(project, foreign);
    const outcome = await openCompiled(device, compiled, start).then(() => 'it opened', String);
    assert.match(outcome, /foreign\.safetensors was trained on another base than `small`/);
  }),
);

t.run();
