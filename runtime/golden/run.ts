/** Runs one golden case on the device and compares everything it holds. */
import { compile } from '../../compiler/compile.ts';
import type { Device } from '../device/device.ts';
import { makeDecoder, showImages } from '../generate.ts';
import { programFor, readParameter, type Session } from '../session.ts';
import { gradients, makeTrainer, type Trainer, trainStep } from '../train/trainer.ts';
import { type GoldenCase, type Generation, requireFile, type Tensors } from './case.ts';
import { BOUNDS, relativeDifference, Report } from './compare.ts';
import { checkCache, checkGeneration } from './decoding.ts';
import { runEncoder } from './encoder.ts';
import { runJoint } from './joint.ts';
import { compareGates, compareOutputs } from './outputs.ts';
import {
  compareGradients,
  compareParameters,
  imagesOf,
  type Inputs,
  inputsOf,
  makeBatch,
  open,
  restore,
} from './session.ts';
import { expressCase, EXTRA, type Subject, subjectOf, TASK, valuesOf } from './subject.ts';

/** Compares a case. @throws InputError when no spec of the library expresses it, or a file of it is missing */
export async function runCase(device: Device, golden: GoldenCase): Promise<Report> {
  if (golden.config.family === 'openai/CLIP VisionTransformer') return runEncoder(device, golden);
  if (golden.config.steps) return runJoint(device, golden);
  return runSingle(device, golden);
}

/** Everything a check needs. */
interface Run {
  readonly golden: GoldenCase;
  readonly subject: Subject;
  readonly session: Session;
  readonly trainer: Trainer;
  readonly inputs: Inputs;
  readonly report: Report;
}

async function runSingle(device: Device, golden: GoldenCase): Promise<Report> {
  const { config } = golden;
  const [weights, given, extra] = [
    await requireFile(golden, 'weights'),
    await requireFile(golden, 'inputs'),
    await golden.tensors('grads_extra'),
  ];
  const expressed = expressCase(config, weights);
  const { model } = expressed;
  const inputs = inputsOf(given, config, model);
  const image = inputs.batch.image !== undefined;
  const subject = subjectOf(expressed, config, new Set(extra?.keys()), image);
  const generation = await golden.json<Generation>('generate');
  const [count, tokens] = [inputs.rows.length, inputs.rows[0]?.length ?? 0];
  const compiled = compile(subject.model, {
    profile: device.profile,
    recipe: subject.recipe,
    training: { batch: count, tokens: { [TASK]: tokens, ...(extra ? { [EXTRA]: tokens } : {}) } },
    generation: {
      batch: Math.max(count, generation?.prompts.length ?? 0),
      tokens,
      context: config.max_seq_len,
      image,
    },
    taps: true,
  });
  const session = await open(device, compiled, subject.keys, weights);
  const run: Run = { golden, subject, session, trainer: makeTrainer(session), inputs, report: new Report() };
  await checkForward(run, weights);
  await checkGradients(run, extra);
  await checkSteps(run);
  restore(session, subject.keys, weights);
  await checkDecoding(run, generation, imagesOf(given, config, model));
  session.executor.destroy();
  await checkAccumulation(device, run, weights, given);
  return run.report;
}

async function checkForward(
  { golden, session, trainer, inputs, report, subject }: Run,
  weights: Tensors,
): Promise<void> {
  const expected = await requireFile(golden, 'outputs', ['loss', 'logits']);
  const loss = await gradients(trainer, TASK, inputs.batch);
  report.add('loss', Math.abs(loss - (expected.get('loss')?.values[0] ?? NaN)), BOUNDS.loss, 'loss');
  await compareOutputs(session, programFor(session, { kind: 'train', task: TASK }), expected, report);
  compareGates(subject.model, subject.keys, weights, expected, report);
}

async function checkGradients(
  { golden, session, trainer, inputs, report, subject }: Run,
  extra: Tensors | null,
): Promise<void> {
  const expected = await golden.tensors('grads');
  if (expected) await compareGradients(session, subject.keys, expected, report);
  if (!extra) return;
  await gradients(trainer, EXTRA, inputs.batch);
  await compareGradients(session, subject.keys, extra, report);
}

interface Steps {
  readonly loss_before_each_step_then_after_last: readonly number[];
}

async function checkSteps({ golden, session, trainer, inputs, report, subject }: Run): Promise<void> {
  const [steps, expected] = [await golden.json<Steps>('steps'), await golden.tensors('steps')];
  const losses = steps?.loss_before_each_step_then_after_last ?? [];
  const { lr } = golden.config.optim;
  for (const [index, loss] of losses.entries()) {
    const last = index === losses.length - 1;
    const actual = last
      ? await gradients(trainer, TASK, inputs.batch)
      : (await trainStep(trainer, TASK, [inputs.batch], lr)).loss;
    report.add('step losses', Math.abs(actual - loss), BOUNDS.stepLoss, `step ${index + 1}`);
  }
  const trained = subject.model.tasks[0]?.trains ?? [];
  if (expected) await compareParameters(session, subject.keys, trained, expected, lr, report);
}

async function checkDecoding(
  { golden, session, inputs, report }: Run,
  generation: Generation | null,
  images: Float32Array | null,
): Promise<void> {
  const decoder = makeDecoder(session, { image: images !== null });
  if (images) showImages(decoder, images);
  const expected = await golden.tensors('kvcache');
  if (expected) await checkCache(decoder, inputs.rows, golden.config.kv_prefill, expected, report);
  if (generation) await checkGeneration(decoder, generation, report);
}

/** One step whose micro-batches are the rows. */
async function checkAccumulation(
  device: Device,
  { golden, subject, inputs, report }: Run,
  weights: Tensors,
  given: Tensors,
): Promise<void> {
  const expected = await golden.tensors('accum');
  const [task] = subject.model.tasks;
  if (!expected || !task) return;
  const { rows } = inputs;
  const length = rows[0]?.length ?? 0;
  const recipe = { ...subject.recipe, accumulate: rows.length };
  const model = { ...subject.model, tasks: [task] };
  const compiled = compile(model, {
    profile: device.profile,
    recipe,
    training: { batch: 1, tokens: { [TASK]: length } },
  });
  const session = await open(device, compiled, subject.keys, weights);
  const labels = given.get('labels')?.values ?? new Float32Array();
  const micro = rows.map((row, b) =>
    makeBatch([row], [...labels.subarray(b * length, (b + 1) * length)], golden.config.ignore_index),
  );
  await trainStep(makeTrainer(session), TASK, micro, golden.config.optim.lr);
  for (const p of session.manifest.parameters) {
    const values = p.cell === null ? null : valuesOf(subject.keys, expected, p.name, 'grad.');
    if (values)
      report.add(
        'gradients',
        relativeDifference(await readParameter(session, p, 'accumulated'), values),
        BOUNDS.gradient,
        `${p.name}, accumulated`,
      );
  }
  await compareParameters(
    session,
    subject.keys,
    task.trains,
    expected,
    golden.config.optim.lr,
    report,
    'accumulation',
    'after.',
  );
  session.executor.destroy();
}
