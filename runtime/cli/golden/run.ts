/** Runs one golden case on the device and compares everything it holds. */
import { compile } from '../../../compiler/compile.ts';
import { padded, ceil4 } from '../../../compiler/model/model.ts';
import type { NamedSlice } from '../../../compiler/package/package.ts';
import type { Device } from '../../device.ts';
import { IGNORE } from '../../data/encode.ts';
import { decode, generate, makeDecoder, prefill } from '../../generate.ts';
import { argmax } from '../../sample.ts';
import { openSession, programNamed, readParameter, type Session, writeParameter } from '../../session.ts';
import type { Batch } from '../../train/batch.ts';
import { gradients, makeTrainer, type Trainer, trainStep } from '../../train/trainer.ts';
import type { GoldenCase, Generation, Tensors } from './case.ts';
import {
  BOUNDS,
  maxDifference,
  PARAMETER_BOUND,
  parameterDifference,
  relativeDifference,
  Report,
} from './compare.ts';
import { EXTRA, type Subject, subjectOf, TASK, valuesOf } from './subject.ts';

/** Everything a check needs. */
interface Run {
  readonly golden: GoldenCase;
  readonly subject: Subject;
  readonly session: Session;
  readonly trainer: Trainer;
  readonly weights: Tensors;
  readonly batch: Batch;
  readonly rows: readonly (readonly number[])[];
  readonly report: Report;
}

/** Compares a case; null when no spec expresses it yet. */
export async function runCase(device: Device, golden: GoldenCase): Promise<Report | null> {
  const { config } = golden;
  const [weights, inputs, extra] = [
    await golden.tensors('weights'),
    await golden.tensors('inputs'),
    await golden.tensors('grads_extra'),
  ];
  const subject = subjectOf(config, new Set(extra?.keys()));
  if (!subject || !weights || !inputs) return null;
  const { batch, rows } = batchOf(inputs, config.ignore_index);
  const [count, tokens] = [rows.length, rows[0]?.length ?? 0];
  const generation = await golden.json<Generation>('generate');
  const compiled = compile(subject.model, {
    profile: device.profile,
    recipe: subject.recipe,
    training: { batch: count, tokens: { [TASK]: tokens, ...(extra ? { [EXTRA]: tokens } : {}) } },
    generation: {
      batch: Math.max(count, generation?.prompts.length ?? 0),
      tokens,
      context: config.max_seq_len,
    },
    taps: true,
  });
  const pkg = { manifest: compiled.manifest, shaders: Object.fromEntries(compiled.sources) };
  const session = await openSession(
    device,
    pkg,
    (p) => valuesOf(subject.keys, weights, p.name) ?? missing(p.name),
  );
  const run: Run = {
    golden,
    subject,
    session,
    trainer: makeTrainer(session),
    weights,
    batch,
    rows,
    report: new Report(),
  };
  await checkForward(run);
  await checkGradients(run, extra);
  await checkSteps(run);
  restore(run);
  if (await golden.tensors('kvcache')) await checkCache(run);
  if (generation) await checkGeneration(run, generation);
  session.executor.destroy();
  await checkAccumulation(device, run);
  return run.report;
}

const missing = (name: string): never => {
  throw new Error(`internal error: the case has no values for ${name}`);
};

function batchOf(inputs: Tensors, ignore: number): { batch: Batch; rows: number[][] } {
  const tokens = inputs.get('tokens');
  const labels = inputs.get('labels');
  if (!tokens || !labels) throw new Error('internal error: the case has no tokens or labels');
  const [count = 0, length = 0] = tokens.shape;
  const rows = Array.from({ length: count }, (_, b) => [
    ...tokens.values.subarray(b * length, (b + 1) * length),
  ]);
  return { rows, batch: makeBatch(rows, [...labels.values], ignore) };
}

/** Labels shifted by one: what each position must predict. */
function makeBatch(rows: readonly (readonly number[])[], labels: readonly number[], ignore: number): Batch {
  const length = rows[0]?.length ?? 0;
  const shifted = Uint32Array.from({ length: rows.length * length }, (_, i) => {
    const next = i % length === length - 1 ? ignore : labels[i + 1];
    return next === ignore || next === undefined ? IGNORE : next;
  });
  return {
    tokens: Uint32Array.from(rows.flat()),
    labels: shifted,
    labelled: shifted.filter((label) => label !== IGNORE).length,
  };
}

async function checkForward({
  golden,
  session,
  trainer,
  batch,
  report,
  subject,
  weights,
}: Run): Promise<void> {
  const expected = await golden.tensors('outputs');
  const loss = await gradients(trainer, TASK, batch);
  report.add('loss', Math.abs(loss - (expected?.get('loss')?.values[0] ?? NaN)), BOUNDS.loss, 'loss');
  for (const output of programNamed(session, `train:${TASK}`).outputs) {
    const tensor = expected?.get(output.name);
    if (!tensor || output.name === 'loss') continue;
    const actual = await readOutput(session, output);
    if (output.name === 'logits')
      report.add('logits', maxDifference(actual, tensor.values), BOUNDS.logits, 'logits');
    report.add('outputs', relativeDifference(actual, tensor.values), BOUNDS.output, output.name);
  }
  // Prompts and gates enter as they are; a mistake in the name map would show here first.
  for (const p of session.manifest.parameters) {
    const layer = /\.layers\.(\d+)\.gate$/.exec(p.name)?.[1];
    const tensor = layer === undefined ? undefined : expected?.get(`gate_tanh.${layer}`);
    const gate = valuesOf(subject.keys, weights, p.name);
    if (tensor && gate)
      report.add(
        'outputs',
        relativeDifference(gate.map(Math.tanh), tensor.values),
        BOUNDS.output,
        `gate_tanh.${layer}`,
      );
  }
}

/** Without the padding of its axis. */
async function readOutput(session: Session, output: NamedSlice): Promise<Float32Array> {
  const all = await session.executor.read(output);
  const { groups, size } = output.axis;
  const [width, stride] = [padded(output.axis), ceil4(size)];
  const values = new Float32Array(output.rows * groups * size);
  for (let r = 0; r < output.rows; r++)
    for (let g = 0; g < groups; g++)
      values.set(
        all.subarray(r * width + g * stride, r * width + g * stride + size),
        (r * groups + g) * size,
      );
  return values;
}

async function checkGradients(run: Run, extra: Tensors | null): Promise<void> {
  await compareGradients(run, await run.golden.tensors('grads'));
  if (!extra) return;
  await gradients(run.trainer, EXTRA, run.batch);
  await compareGradients(run, extra);
}

async function compareGradients({ session, subject, report }: Run, expected: Tensors | null): Promise<void> {
  for (const p of session.manifest.parameters) {
    const values = expected && p.cell !== null ? valuesOf(subject.keys, expected, p.name) : null;
    if (values)
      report.add(
        'gradients',
        relativeDifference(await readParameter(session, p, 'gradients'), values),
        BOUNDS.gradient,
        p.name,
      );
  }
}

interface Steps {
  readonly loss_before_each_step_then_after_last: readonly number[];
}

async function checkSteps({ golden, session, trainer, batch, report, subject }: Run): Promise<void> {
  const [steps, expected] = [await golden.json<Steps>('steps'), await golden.tensors('steps')];
  const losses = steps?.loss_before_each_step_then_after_last ?? [];
  const { lr } = golden.config.optim;
  for (const [index, loss] of losses.entries()) {
    const last = index === losses.length - 1;
    const actual = last
      ? await gradients(trainer, TASK, batch)
      : (await trainStep(trainer, TASK, [batch], lr)).loss;
    report.add('step losses', Math.abs(actual - loss), BOUNDS.stepLoss, `step ${index + 1}`);
  }
  if (expected) await compareParameters(session, subject, expected, lr, report, 'parameters');
}

/** All trained parameters; a vector's share of outliers counts over the set, since 0.1 % of a short vector is none. */
async function compareParameters(
  session: Session,
  subject: Subject,
  expected: Tensors,
  lr: number,
  report: Report,
  figure: 'parameters' | 'accumulation',
  prefix = '',
): Promise<void> {
  const trained = new Set(subject.model.tasks[0]?.trains);
  const [actual, wanted]: [number[], number[]] = [[], []];
  for (const p of session.manifest.parameters) {
    const values = trained.has(p.name) ? valuesOf(subject.keys, expected, p.name, prefix) : null;
    if (!values) continue;
    for (const value of await readParameter(session, p)) actual.push(value);
    for (const value of values) wanted.push(value);
  }
  report.add(
    figure,
    parameterDifference(Float32Array.from(actual), Float32Array.from(wanted), lr),
    PARAMETER_BOUND,
    'trained parameters, in learning rates',
  );
}

function restore({ session, subject, weights }: Run): void {
  for (const p of session.manifest.parameters)
    if (p.cell !== null)
      writeParameter(session, p, valuesOf(subject.keys, weights, p.name) ?? missing(p.name));
}

/** Prefill, then one token at a time, against the official cache path. */
async function checkCache({ golden, session, rows, report }: Run): Promise<void> {
  const expected = (await golden.tensors('kvcache'))?.get('logits');
  const { kv_prefill: start, vocab_size: vocab } = golden.config;
  const length = rows[0]?.length ?? 0;
  const decoder = makeDecoder(session);
  const compare = (logits: readonly Float32Array[], position: number) =>
    logits.forEach((row, b) => {
      const at = (b * (length - start + 1) + position) * vocab;
      report.add(
        'kv cache',
        maxDifference(row, expected?.values.subarray(at, at + vocab) ?? []),
        BOUNDS.kv,
        `position ${start - 1 + position}`,
      );
    });
  compare(
    await prefill(
      decoder,
      rows.map((row) => row.slice(0, start)),
    ),
    0,
  );
  for (let t = start; t < length; t++)
    compare(
      await decode(
        decoder,
        rows.map((row) => row[t] ?? 0),
        rows.map(() => t),
      ),
      t - start + 1,
    );
}

async function checkGeneration({ session, report }: Run, generation: Generation): Promise<void> {
  const decoder = makeDecoder(session);
  const continued = (prompts: Generation['prompts'], eos: number | null) =>
    generate(decoder, prompts, { maxTokens: generation.max_gen_len, eos, pick: argmax });
  const compare = (actual: unknown, expected: unknown, where: string) =>
    report.add('tokens', JSON.stringify(actual) === JSON.stringify(expected) ? 0 : 1, 0.5, where);
  compare(await continued(generation.prompts, null), generation.generated, 'generated');
  const stop = generation.eos_test;
  if (stop) compare((await continued([stop.prompt], stop.eos_id))[0], stop.generated, 'eos_test');
}

/** One step whose micro-batches are the rows. */
async function checkAccumulation(
  device: Device,
  { golden, subject, rows, weights, report }: Run,
): Promise<void> {
  const [expected, inputs] = [await golden.tensors('accum'), await golden.tensors('inputs')];
  if (!expected || !inputs) return;
  const length = rows[0]?.length ?? 0;
  const recipe = { ...subject.recipe, accumulate: rows.length };
  const [task] = subject.model.tasks;
  const model = { ...subject.model, tasks: task ? [task] : [] };
  const compiled = compile(model, {
    profile: device.profile,
    recipe,
    training: { batch: 1, tokens: { [TASK]: length } },
  });
  const session = await openSession(
    device,
    { manifest: compiled.manifest, shaders: Object.fromEntries(compiled.sources) },
    (p) => valuesOf(subject.keys, weights, p.name) ?? missing(p.name),
  );
  const labels = inputs.get('labels')?.values ?? new Float32Array();
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
    subject,
    expected,
    golden.config.optim.lr,
    report,
    'accumulation',
    'after.',
  );
  session.executor.destroy();
}
