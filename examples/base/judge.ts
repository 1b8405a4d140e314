/** The last word on a base that was trained: its figures, and its file when it is good enough to be adapted. */
import { readFileSync } from 'node:fs';
import { compile } from '../../compiler/compile.ts';
import type { Model } from '../../compiler/model/model.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { openCompiled } from '../../runtime/project/session.ts';
import { startOf } from '../../runtime/project/start.ts';
import { tokenizerOf } from '../../runtime/project/tokenizer.ts';
import { openDevice } from '../../runtime/device/device.ts';
import { openWeights } from '../../runtime/files.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { lossOfRows } from '../../runtime/score.ts';
import { makeTrainer } from '../../runtime/train/trainer.ts';
import { baseMetadata } from '../../runtime/weights/base.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { baseTable, evaluateBase } from './evaluate.ts';
import { here } from './here.ts';

const stream = (file: string): Uint16Array => {
  const bytes = readFileSync(here(`../../.cache/base/${file}`));
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
};

/** Every tensor of a safetensors file. */
export async function readTensors(path: string): Promise<Map<string, Float32Array>> {
  const source = await openWeights(path);
  try {
    const values = new Map<string, Float32Array>();
    for (const name of source.tensors.keys())
      values.set(name, await source.read(name, { checkFinite: true }));
    return values;
  } finally {
    await source.close();
  }
}

/** A base's parameters as the tensors of a file. @throws Error for one that has no values */
export const tensorsOf = (
  { parameters }: Model,
  values: ReadonlyMap<string, Float32Array>,
  dtype: NewTensor['dtype'] = 'F32',
): NewTensor[] =>
  parameters.map(({ name, shape }) => {
    const own = values.get(name);
    if (!own) throw new Error(`there are no values for ${name}`);
    return { name, shape, values: own, dtype };
  });

/**
 * Prints the figures of the base that a run of `target` (SPEC:NAME) left in `trained`, and writes it to the file that the
 * spec says, in float16.
 * @throws Error when it cannot copy, and then nothing is written
 */
export async function judgeBase(target: string, trained: string): Promise<void> {
  const model = loadModel(nodeHost, target);
  const hosted = { host: nodeHost, model };
  const tokenizer = await tokenizerOf(hosted);
  const values = await readTensors(trained);
  const device = await openDevice();
  const [task] = model.tasks;
  if (!task) throw new Error(`${target} has no task`);
  const compiled = compile(model, {
    profile: device.profile,
    evaluation: { batch: 16, tokens: { [task.name]: model.base.context } },
  });
  const start = await startOf(hosted, 0, { scratch: true, initial: values });
  const { session } = await openCompiled(device, compiled, start);
  const trainer = makeTrainer(session);
  const streams = { train: stream('text.train.bin'), heldout: stream('text.heldout.bin') };
  const figures = await evaluateBase(streams, tokenizer, (rows) => lossOfRows(trainer, task.name, rows));
  console.log(baseTable(figures));
  if (!figures.accepted) throw new Error('the base is not accepted: it cannot copy (docs/base.md)');
  const { weights } = model.base;
  if (weights === undefined) throw new Error(`${model.base.name} names no weights`);
  await writeSafetensors(weights, tensorsOf(model, values, 'F16'), baseMetadata(model.base));
  console.log(`${weights} is written`);
}
