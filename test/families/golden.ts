/**
 * A tiny checkpoint that Hugging Face's own code wrote, and what it computes on it: logits, loss and gradients by the graphs in
 * float64 (the bounds are those of its float32), and all of it by the device.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { readConfig } from '../../compiler/families/config.ts';
import type { Config } from '../../compiler/families/config-reader.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { buildTraining } from '../../compiler/build/programs.ts';
import { differentiateLoss } from '../../compiler/passes/autodiff.ts';
import type { Model, Task } from '../../compiler/model/model.ts';
import { openWeights } from '../../runtime/files.ts';
import { IGNORED } from '../../runtime/golden/hf/model.ts';
import { runHfCase } from '../../runtime/golden/hf/run.ts';
import { makeBatch } from '../../runtime/golden/session.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { unpack } from '../../runtime/weights/pack.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { gradientsOf, lossOf, packAll, runBatch } from '../compiler/oracle.ts';
import { distance, largest, withDevice } from '../compiler/sessions.ts';
import { modelOf, sourceOf } from '../compiler/subjects.ts';

interface Inputs {
  readonly input_ids: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Compares a case; `base` is the folder that holds all of them. */
export async function checkBase(base: string, name: string): Promise<void> {
  const folder = join(base, name);
  const described = ['config_v4.json', 'model/config.json'].map((file) => {
    const read = readConfig(json(join(folder, file)) as Config);
    assert.equal(read.problems, [], file);
    return read.base!;
  });
  assert.equal(described[0], described[1], 'transformers 4 and 5 describe one network');
  const model = modelOf('task train on some trains base', {
    ...{ name: 'hf', ...described[0]! },
    // A case may be longer than the model's own context.
    context: Math.max(described[0]!.context, 32),
  });
  const weights = await openWeights(join(folder, 'model'));
  const { values } = await loadBase(weights, model.base, baseParameters(model.base));
  await weights.close();
  const expected = await openWeights(join(folder, 'expected.safetensors'));
  const inputs = json(join(folder, 'inputs.json')) as Inputs;
  await checkGradients(model, values, inputs, expected);
  await withDevice(async (device) => {
    const report = await runHfCase(device, { kind: 'base', name, path: folder });
    assert.equal(report.failures, []);
  });
  await expected.close();
}

/** Loss and gradients of every parameter that the case recorded. */
async function checkGradients(
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  { input_ids: ids, labels }: Inputs,
  expected: WeightSource,
): Promise<void> {
  const task = model.tasks[0] as Task;
  const trainable = new Set(task.trains);
  const sizes = { batch: ids.length, tokens: ids[0]!.length };
  const built = buildTraining(sourceOf(model, trainable), task, sizes).graph();
  const graph = differentiateLoss(built, trainable);
  const ran = runBatch(model, graph, packAll(model, values), makeBatch(ids, labels.flat(), IGNORED));
  const [loss] = await expected.read('loss');
  assert.ok(Math.abs(lossOf(graph, ran) - loss!) < 1e-5, `loss ${lossOf(graph, ran)}, recorded ${loss}`);
  const gradients = gradientsOf(graph, ran);
  const compared = new Set<string>();
  for (const { name, shape, axes, source } of model.parameters) {
    const of = source!.names.huggingface;
    const key = [`grad.${of}`, `grad_rows_0_24.${of}`].find((k) => expected.tensors.has(k));
    if (key === undefined) continue;
    const whole = await expected.read(key);
    const width = shape[1] ?? 1;
    const rows = source!.rows;
    const recorded = rows ? whole.subarray(rows.from * width, rows.to * width) : whole;
    const ours = unpack(Float32Array.from(gradients.get(name)!), shape, axes).subarray(0, recorded.length);
    const apart = distance(ours, recorded) / largest(recorded);
    assert.ok(apart < 2e-4, `gradient of ${name} differs by ${apart} of the largest`);
    compared.add(key);
  }
  assert.is(compared.size, [...expected.tensors.keys()].filter((key) => key.startsWith('grad')).length);
}
