import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { compile } from '../../compiler/compile.ts';
import { imageInputs } from '../../compiler/kinds/images.ts';
import { IGNORE } from '../../runtime/data/encode.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { openCompiled } from '../../runtime/project/session.ts';
import { startOf } from '../../runtime/project/start.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { createRandom } from '../../runtime/random.ts';
import type { MicroBatch } from '../../runtime/train/batch.ts';
import { evaluate, makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { parameterNamed, readParameter } from '../../runtime/session.ts';
import { ceil4 } from '../../compiler/model/model.ts';
import { type Device, sharedDevice } from '../../runtime/device/device.ts';
import { skip } from '../skip.ts';

const t = suite('fusion: what captions do to text');
const path = (file: string) => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
/** As in the spec, but from nothing: what is tested here does not depend on the encoder's weights. */
const eye = 'vit(resolution: 32, patch: 8, width: 64, layers: 4, heads: 4, activation: gelu)';
const [BATCH, TOKENS] = [2, 8];

/** Any tokens, each to be predicted from those before it. */
function batchOf(seed: number, image?: Float32Array): MicroBatch {
  const random = createRandom(seed, 'tokens');
  const tokens = Uint32Array.from({ length: BATCH * TOKENS }, () => 3 + Math.floor(random.uniform() * 2000));
  const labels = tokens.map((_, i) => (i % TOKENS === TOKENS - 1 ? IGNORE : (tokens[i + 1] ?? 0)));
  return { tokens, labels, labelled: BATCH * (TOKENS - 1), ...(image ? { image } : {}) };
}

/** An adapter of the experiment that starts with open gates, for a batch as above. */
async function open(device: Device, adapter: string, task: 'caption' | 'instruct') {
  const spec = `${path('fusion/fusion.adapter')}:${adapter}`;
  const model = loadModel(nodeHost, spec, { params: { eye, gate: '0.5' } });
  const compiled = compile(model, {
    profile: device.profile,
    recipe: pickRecipe(model, 'joint'),
    training: { batch: BATCH, tokens: { [task]: TOKENS } },
    evaluation: { batch: BATCH, tokens: { instruct: TOKENS } },
  });
  const start = await startOf({ host: nodeHost, model }, 0);
  const { session } = await openCompiled(device, compiled, start);
  return { model, session, trainer: makeTrainer(session) };
}

/** The loss of a text before and after some steps on captions. */
async function lossesOf(device: Device, adapter: string): Promise<readonly [number, number]> {
  const { model, session, trainer } = await open(device, adapter, 'caption');
  const [input] = imageInputs(model);
  const size = BATCH * (input?.rows ?? 0) * ceil4(input?.width ?? 0);
  const random = createRandom(7, 'image');
  const image = Float32Array.from({ length: size }, () => random.uniform() - 0.5);
  const before = await evaluate(trainer, 'instruct', batchOf(1));
  for (let step = 0; step < 3; step++) await trainStep(trainer, 'caption', [batchOf(2, image)], 1e-2);
  const after = await evaluate(trainer, 'instruct', batchOf(1));
  session.executor.destroy();
  return [before, after];
}

for (const [adapter, changes] of [
  ['EarlyDisjoint', false],
  ['LateDisjoint', false],
  ['LateShared', true],
] as const)
  t(
    `${adapter}: a text's loss is ${changes ? 'another' : 'the same to the last bit'} after captions`,
    async () => {
      if (!existsSync(path('base/base.safetensors'))) return skip('no base');
      const device = await sharedDevice().catch(() => null);
      if (!device) return skip('no device');
      const [before, after] = await lossesOf(device, adapter);
      assert.ok(Number.isFinite(before) && Number.isFinite(after));
      assert.is(before === after, !changes, `${before} ${after}`);
    },
  );

/** Everything that instructions train, after some steps on them. */
async function writingOf(device: Device, adapter: string): Promise<Map<string, Float32Array>> {
  const { model, session, trainer } = await open(device, adapter, 'instruct');
  for (let step = 0; step < 3; step++) await trainStep(trainer, 'instruct', [batchOf(step)], 1e-2);
  const trains = model.tasks.find(({ name }) => name === 'instruct')?.trains ?? [];
  const state = new Map<string, Float32Array>();
  for (const name of trains) state.set(name, await readParameter(session, parameterNamed(session, name)));
  session.executor.destroy();
  return state;
}

t(
  'instructions alone leave the same in every design, to the last bit: they are trained once for all',
  async () => {
    if (!existsSync(path('base/base.safetensors'))) return skip('no base');
    const device = await sharedDevice().catch(() => null);
    if (!device) return skip('no device');
    const early = await writingOf(device, 'EarlyDisjoint');
    assert.ok(early.size > 80, `${early.size}`);
    for (const adapter of ['LateDisjoint', 'LateShared'])
      assert.equal(await writingOf(device, adapter), early, adapter);
  },
);

t.run();
