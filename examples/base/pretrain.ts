/**
 * `npm run base:pretrain`: both stages of `pretrain.adapter`, then the verdict, then `base.safetensors` in float16.
 *
 * Each stage is a run of its own in `runs/`, so that it can be stopped at any time and goes on when called again.
 */
import { existsSync, readFileSync } from 'node:fs';
import { compile } from '../../compiler/compile.ts';
import { command as trainCommand } from '../../runtime/cli/train.ts';
import { loadProject, openCompiled, startOf, tokenizerOf } from '../../runtime/cli/project.ts';
import { openDevice } from '../../runtime/device.ts';
import { openWeights, writeSafetensors } from '../../runtime/files.ts';
import { lossOfRows } from '../../runtime/score.ts';
import { makeTrainer } from '../../runtime/train/trainer.ts';
import { baseMetadata } from '../../runtime/weights/base.ts';
import { baseTable, evaluateBase } from './evaluate.ts';
import { here } from './lab.ts';

const SPEC = here('pretrain.adapter');
const stages = [
  { adapter: 'Reading', folder: 'runs/reading', from: ['--scratch'] },
  {
    adapter: 'Copying',
    folder: 'runs/copying',
    from: ['--scratch', '--from', 'runs/reading/adapter.safetensors'],
  },
] as const;

const stream = (file: string): Uint16Array => {
  const bytes = readFileSync(new URL(`../../.cache/base/${file}`, import.meta.url));
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
};

async function main(): Promise<void> {
  for (const { adapter, folder, from } of stages) {
    if (existsSync(`${folder}/adapter.safetensors`)) continue;
    const resume = existsSync(`${folder}/metrics.jsonl`) ? ['--resume'] : [];
    const code = await trainCommand.run([`${SPEC}:${adapter}`, '--out', folder, ...from, ...resume]);
    if (code !== 0) process.exit(code);
  }
  await judge('runs/copying/adapter.safetensors');
}

/** Figures of the trained base; it is written only when it is good enough to be adapted. */
async function judge(path: string): Promise<void> {
  const { model } = loadProject(`${SPEC}:Reading`);
  const tokenizer = await tokenizerOf(model.base);
  const source = await openWeights(path);
  const values = new Map<string, Float32Array>();
  for (const name of source.tensors.keys()) values.set(name, await source.read(name, { checkFinite: true }));
  const device = await openDevice();
  const compiled = compile(model, {
    profile: device.profile,
    evaluation: { batch: 16, tokens: { pretrain: model.base.context } },
  });
  const start = await startOf(model, 0, { scratch: true, initial: values });
  const session = await openCompiled(device, compiled, start);
  const trainer = makeTrainer(session);
  const streams = { train: stream('text.train.bin'), heldout: stream('text.heldout.bin') };
  const figures = await evaluateBase(streams, tokenizer, (rows) => lossOfRows(trainer, 'pretrain', rows));
  console.log(baseTable(figures));
  if (!figures.accepted) throw new Error('the base is not accepted: it cannot copy (docs/base.md)');
  const tensors = model.parameters.map(({ name, shape }) => ({
    name,
    shape,
    values: values.get(name) ?? new Float32Array(),
    dtype: 'F16' as const,
  }));
  await writeSafetensors(here('base.safetensors'), tensors, baseMetadata(model.base));
  console.log('examples/base/base.safetensors is written');
}

await main();
