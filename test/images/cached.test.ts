/** An encoder that runs once a picture gives what one gives that runs in every step; and text never sees it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { cacheableEncoders } from '../../compiler/compile/tasks.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { loadRecipeData, type RecipeData } from '../../runtime/project/recipe-data.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { encodeTasks } from '../../runtime/project/encoding.ts';
import { imageInputOf } from '../../runtime/project/image-input.ts';
import type { Batches } from '../../runtime/data/batches.ts';
import type { Device } from '../../runtime/device/device.ts';
import { outputNamed, readParameter, type Session } from '../../runtime/session.ts';
import { evaluate, makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { forward, openModel, withDevice } from '../compiler/sessions.ts';
import { randomValues } from '../compiler/subjects.ts';
import { makePictureProject } from './sees.ts';

const t = suite('cached encoders');

let [folder, path] = ['', ''];
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-cached-'));
  path = await makePictureProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

interface Loaded {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: RecipeData;
}

async function load(adapter: string, recipeName?: string): Promise<Loaded> {
  const model = loadModel(nodeHost, `${path}:${adapter}`);
  const hosted = { host: nodeHost, model };
  const recipe = pickRecipe(model, recipeName);
  return { model, recipe, data: await loadRecipeData(hosted, recipe, await tokenizerOf(hosted)) };
}

const open = (device: Device, { model, recipe, data }: Loaded, cached: boolean): Promise<Session> =>
  openModel(device, model, randomValues(model), {
    recipe,
    training: { batch: recipe.batch, tokens: data.tokens, labels: data.labels },
    evaluation: { batch: recipe.batch, tokens: data.tokens, labels: data.labels },
    forward: { batch: 2, tokens: 6 },
    encoding: { part: 'vision', batch: recipe.batch },
    frozenEncoders: cached ? 'cached' : 'inline',
  });

/** Losses of six steps in turn and of held-out batches after them, and what was trained. */
async function run(
  session: Session,
  batches: ReadonlyMap<string, Batches>,
): Promise<Map<string, Float32Array>> {
  const trainer = makeTrainer(session);
  const seen = new Map<string, Float32Array>();
  for (let step = 0; step < 6; step++) {
    const task = step % 2 === 0 ? 'caption' : 'instruct';
    const batch = batches.get(task)?.batchAt(Math.floor(step / 2));
    if (!batch) throw new Error(task);
    const { loss, norm } = await trainStep(trainer, task, [batch], 1e-2);
    seen.set(`step ${step}`, Float32Array.of(loss, norm, await evaluate(trainer, task, batch)));
  }
  for (const p of session.manifest.parameters)
    if (p.cell !== null) seen.set(p.name, await readParameter(session, p));
  return seen;
}

t('training on cached tokens is training on pictures, bit for bit', () =>
  withDevice(async (device) => {
    const loaded = await load('Sees', 'turns');
    const input = imageInputOf(loaded.model);
    const inline = await open(device, loaded, false);
    const cached = await open(device, loaded, true);
    const expected = await run(inline, loaded.data.batches);
    const batches = await encodeTasks(cached, input, loaded.data);
    const actual = await run(cached, batches);
    assert.equal([...actual.keys()], [...expected.keys()]);
    assert.ok(expected.has('visual.weight') && expected.has('image.layers.0.gate'));
    for (const [name, values] of expected) assert.equal(actual.get(name), values, name);
    const step = (session: Session) => session.executor.program('train:caption').dispatches.length;
    assert.ok(step(cached) < step(inline) - 15, `${step(cached)} of ${step(inline)} dispatches`);
  }),
);

t('the tokens are those of the encoder for each picture, in whatever batch', () =>
  withDevice(async (device) => {
    const loaded = await load('Sees', 'turns');
    const session = await open(device, loaded, true);
    const batches = await encodeTasks(session, imageInputOf(loaded.model), loaded.data);
    // Five pictures in batches of two: the last batch is half empty.
    const program = session.executor.program('encode:vision');
    const output = outputNamed(program, 'tokens');
    assert.is(program.batch, 2);
    const image = batches.get('caption')?.batchAt(1).image;
    assert.is(image?.length, output.size / 4);
    assert.is(batches.get('instruct')?.batchAt(0).image, undefined);
  }),
);

t('caption training leaves text without an image as it was, bit for bit', () =>
  withDevice(async (device) => {
    const loaded = await load('Sees', 'turns');
    const session = await open(device, loaded, false);
    const tokens = Uint32Array.from([1, 260, 261, 262, 263, 260, 1, 261, 261, 263, 262, 260]);
    const before = await forward(session, tokens);
    const trainer = makeTrainer(session);
    const batches = loaded.data.batches.get('caption');
    for (let step = 0; step < 4; step++) {
      const batch = batches?.batchAt(step);
      if (batch) await trainStep(trainer, 'caption', [batch], 0.1);
    }
    assert.equal(await forward(session, tokens), before);
    const instruct = loaded.data.batches.get('instruct')?.batchAt(0);
    if (instruct) await trainStep(trainer, 'instruct', [instruct], 0.1);
    assert.not.equal(await forward(session, tokens), before);
  }),
);

t('an encoder that some task trains is not cached', async () => {
  const { model } = await load('Whole', 'whole');
  assert.equal(cacheableEncoders(model), []);
  assert.equal(cacheableEncoders((await load('Sees', 'turns')).model), ['vision']);
});

t.run();
